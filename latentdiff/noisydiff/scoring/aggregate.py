"""Scores of sides become figures of methods: means with 95 % intervals by bootstrap over pairs, chance beside them.

The pair is the unit: its two sides share images, so they are averaged first and drawn together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from latentdiff.errors import LatentDiffError
from latentdiff.findings import Interval
from latentdiff.noisydiff.methods.predictions import Prediction
from latentdiff.noisydiff.methods.registry import CHANCE
from latentdiff.noisydiff.scoring.measures import SideScore

DRAWS = 5000

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean over pairs."""

    value: float
    interval: Interval  # bootstrap over pairs, percentiles
    pairs: int


@dataclass(frozen=True)
class Reading:
    """One method on one measure, with what chance gives on the same pairs."""

    method: str
    measure: str
    estimate: Estimate
    chance: Mapping[str, Estimate] = field(default_factory=dict)  # method of CHANCE -> the same measure

    @property
    def best_chance(self) -> float | None:
        """The highest of what chance gives; None where no such method was run."""
        return max((estimate.value for estimate in self.chance.values()), default=None)


@dataclass(frozen=True)
class Run:
    """The scores of one run of a benchmark, and the settings that it was run with."""

    settings: Mapping[str, Any]  # flat: "concepts.k" -> 32
    scores: Sequence[SideScore]


def methods_of(scores: Iterable[SideScore | Prediction]) -> list[str]:
    """The methods in the order in which they first occur; those of chance last."""
    known = list(dict.fromkeys(score.method for score in scores))
    return [m for m in known if m not in CHANCE] + [m for m in CHANCE if m in known]


def per_pair(scores: Iterable[SideScore], measure: str, method: str) -> dict[str, float]:
    """The mean over each pair's sides, by pair.

    Raises:
        LatentDiffError: a score has no such measure.
    """
    sides: dict[str, list[float]] = {}
    for score in scores:
        if score.method == method:
            if measure not in score.values:
                raise LatentDiffError(f"unknown measure '{measure}' (valid: {'; '.join(score.values)})")
            sides.setdefault(score.pair, []).append(score.values[measure])
    return {pair: float(np.mean(values)) for pair, values in sides.items()}


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


def readings(scores: Sequence[SideScore], measure: str) -> list[Reading]:
    """Every method on one measure, with chance on the same pairs beside all but chance itself."""
    by_method = {method: per_pair(scores, measure, method) for method in methods_of(scores)}
    result = []
    for method, values in by_method.items():
        chance = {
            name: estimate([by_method[name][pair] for pair in values])
            for name in CHANCE
            if method not in CHANCE and name in by_method and values.keys() <= by_method[name].keys()
        }
        result.append(Reading(method, measure, estimate(list(values.values())), chance))
    return result


def paired(scores: Sequence[SideScore], measure: str, ours: str, theirs: str) -> Estimate:
    """How much better `ours` is than `theirs` on the pairs that both answered, with the interval of the difference."""
    first, second = per_pair(scores, measure, ours), per_pair(scores, measure, theirs)
    return estimate([first[pair] - second[pair] for pair in first if pair in second])
