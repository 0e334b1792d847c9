"""Means and ratios with 95 % percentile intervals by bootstrap over pairs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from latentdiff.hypotheses import Interval
from latentdiff.statistics.estimates import Estimate

DRAWS = 5000

Floats = npt.NDArray[np.float64]


def estimate(values: Sequence[float], seed: int = 0) -> Estimate:
    """The mean of one value a pair, with its bootstrap interval; nan where there is none.

    The same number of pairs is always drawn alike, so that estimates on the same pairs can be subtracted.
    """
    if not len(values):
        return Estimate(float("nan"), Interval(float("nan"), float("nan")), 0)
    given = np.asarray(values, dtype=np.float64)
    low, high = np.quantile(bootstrap_means(given, seed), (0.025, 0.975))
    return Estimate(float(given.mean()), Interval(float(low), float(high)), len(given))


def ratio(parts: Sequence[float] | Floats, wholes: Sequence[float] | Floats, seed: int = 0) -> Estimate:
    """The sum of one number a pair over the sum of another, with its bootstrap interval; nan where nothing is there."""
    above, below = (np.asarray(values, dtype=np.float64) for values in (parts, wholes))
    if not below.sum():
        return estimate([])
    drawn = draw_counts(len(below), seed)
    sums = drawn @ below
    low, high = np.quantile((drawn @ above)[sums > 0] / sums[sums > 0], (0.025, 0.975))
    return Estimate(float(above.sum() / below.sum()), Interval(float(low), float(high)), len(below))


def bootstrap_means(values: Floats, seed: int = 0) -> Floats:
    """Means of DRAWS samples drawn from the values with replacement."""
    return (draw_counts(len(values), seed) @ values) / len(values)


@lru_cache(maxsize=2)
def draw_counts(count: int, seed: int) -> Floats:
    """How often each of `count` pairs is in each of DRAWS samples, [DRAWS, count]."""
    drawn = np.random.default_rng(seed).integers(count, size=(DRAWS, count))
    flat = (drawn + count * np.arange(DRAWS)[:, None]).reshape(-1)
    counts = np.bincount(flat, minlength=DRAWS * count).reshape(DRAWS, count).astype(np.float64)
    counts.setflags(write=False)
    return counts
