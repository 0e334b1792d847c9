"""How scores depend on scarcity, planted images, the sets' size, a threshold or a setting (docs/methods.md, 8)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import Interval
from latentdiff.noisydiff.scoring.aggregate import Run, methods_of, per_pair
from latentdiff.noisydiff.scoring.measures import SideScore
from latentdiff.statistics.bootstrap import DRAWS, draw_counts, estimate
from latentdiff.statistics.estimates import Curve

Floats = npt.NDArray[np.float64]
THRESHOLDS = tuple(round(0.05 * i, 2) for i in range(21))
LEVELS_SHOWN = 8  # distinct values of x up to which each has its own point; above, pairs are put into bins


@dataclass(frozen=True)
class Correlation:
    """Pearson's rho between score and scarcity over the pairs of one parent."""

    parent: str
    rho: float
    p_value: float  # two-sided
    pairs: int


@dataclass(frozen=True)
class PooledCorrelation:
    """The parents' correlations together."""

    parents: tuple[Correlation, ...]
    rho: float  # mean over the parents, weighted by their pairs
    p_value: float  # Fisher's method


@dataclass(frozen=True)
class Needed:
    """How many images of a side must show the truth for a share of hits."""

    share: float
    images: float  # infinite: the share is not reached
    interval: Interval
    at_most: bool  # the share is reached at the smallest number looked at; fewer may do


def joint_coverage(
    scores: Sequence[SideScore], method: str, measure: str, thresholds: Sequence[float] = THRESHOLDS
) -> Curve:
    """The share of pairs of which every side scores at or above the threshold, against the threshold."""
    worst: dict[str, float] = {}
    for score in scores:
        if score.method == method:
            worst[score.pair] = min(worst.get(score.pair, math.inf), score.values[measure])
    lowest = np.array(list(worst.values()))
    return Curve(method, tuple(thresholds), tuple(estimate((lowest >= t).astype(float).tolist()) for t in thresholds))


def by_scarcity(scores: Sequence[SideScore], method: str, measure: str) -> Curve:
    """The mean score against the share of images that show the truth."""
    return _along(scores, method, measure, lambda score: score.scarcity)


def by_planted(scores: Sequence[SideScore], method: str, measure: str) -> Curve:
    """The mean score against the number of images that show the truth."""
    return _along(scores, method, measure, lambda score: score.planted)


def planted_by_scarcity(scores: Sequence[SideScore], method: str) -> dict[float, float]:
    """The mean number of images of a side that show the truth, at each x of `by_scarcity`."""
    planted = _x_of_pairs(scores, method, lambda score: score.planted)
    of_pair = _x_of_pairs(scores, method, lambda score: score.scarcity)
    at: dict[float, list[float]] = {}
    for pair, x in zip(of_pair, binned(list(of_pair.values())), strict=True):
        at.setdefault(x, []).append(planted[pair])
    return {x: float(np.mean(values)) for x, values in at.items()}


def by_size(scores: Sequence[SideScore], method: str, measure: str) -> Curve:
    """The mean score against the number of images of a side."""
    return _along(scores, method, measure, lambda score: score.images)


def by_setting(runs: Sequence[Run], method: str, measure: str, setting: str) -> Curve:
    """The mean score against a setting that is a number, such as the number of images retrieved.

    Raises:
        LatentDiffError: a run does not say the setting, or it is no number.
    """
    values = [run.settings.get(setting) for run in runs]
    if any(isinstance(x, bool) or not isinstance(x, (int, float)) for x in values):
        raise LatentDiffError(f"setting '{setting}' is not a number in every run; show it as a table")
    ordered = sorted(runs, key=lambda run: float(run.settings[setting]))
    y = tuple(estimate(list(per_pair(run.scores, measure, method).values())) for run in ordered)
    return Curve(method, tuple(float(run.settings[setting]) for run in ordered), y)


def images_needed(scores: Sequence[SideScore], method: str, measure: str, share: float = 0.8) -> Needed:
    """From how many planted images on the mean score reaches `share`.

    The means at each number of images are made to rise (isotonic regression, weighted by pairs) and joined by straight
    lines over the logarithm of the number; the interval is a bootstrap over pairs of all of that.

    Args:
        scores: with pairs at several numbers of planted images.
        method: whose scores.
        measure: of hits.
        share: to be reached.
    """
    values = per_pair(scores, measure, method)
    planted = _x_of_pairs(scores, method, lambda score: score.planted)
    levels = np.array(sorted({x for x in planted.values() if x > 0}))
    kept = [pair for pair in values if planted[pair] > 0]
    if not kept:
        return Needed(share, math.inf, Interval(math.inf, math.inf), False)
    level_of_pair = np.array([int(np.searchsorted(levels, planted[pair])) for pair in kept])
    given = np.array([values[pair] for pair in kept])
    here = _crossing(levels, given, level_of_pair, np.ones(len(kept)), share)
    counts = draw_counts(len(kept), 0)
    drawn = [_crossing(levels, given, level_of_pair, counts[i], share) for i in range(0, DRAWS, 5)]
    low, high = np.quantile(drawn, (0.025, 0.975), method="nearest")
    return Needed(share, here, Interval(float(low), float(high)), bool(here == levels[0]))


def correlations(scores: Sequence[SideScore], method: str, measure: str) -> PooledCorrelation:
    """Pearson's rho between score and scarcity within each parent, and Fisher's pooled p.

    A parent counts with three pairs or more whose scores and scarcities are not all the same.
    """
    from scipy import stats

    values = per_pair(scores, measure, method)
    parents: dict[str, list[tuple[float, float]]] = {}
    for score in {s.pair: s for s in scores if s.method == method}.values():
        parents.setdefault(score.parent, []).append((score.scarcity, values[score.pair]))
    found = []
    for parent, points in sorted(parents.items()):
        x, y = np.array(points).T
        if len(points) >= 3 and np.ptp(x) > 0 and np.ptp(y) > 0:
            rho, p = stats.pearsonr(x, y)
            found.append(Correlation(parent, float(rho), float(p), len(points)))
    if not found:
        return PooledCorrelation((), float("nan"), float("nan"))
    rho = np.average([c.rho for c in found], weights=[c.pairs for c in found])
    pooled = stats.combine_pvalues([c.p_value for c in found], method="fisher")
    return PooledCorrelation(tuple(found), float(rho), float(pooled.pvalue))


def curves(
    scores: Sequence[SideScore],
    measure: str,
    kind: Callable[[Sequence[SideScore], str, str], Curve],
    methods: Sequence[str] = (),
) -> list[Curve]:
    """The curve of each method: `curves(scores, "synonym, top 5", by_scarcity)`; without methods, of all."""
    return [kind(scores, method, measure) for method in methods or methods_of(scores)]


def _along(scores: Sequence[SideScore], method: str, measure: str, x_of: Callable[[SideScore], float]) -> Curve:
    values, x_of_pair = per_pair(scores, measure, method), _x_of_pairs(scores, method, x_of)
    bins: dict[float, list[float]] = {}
    for pair, x in zip(values, binned(list(x_of_pair.values())), strict=True):
        bins.setdefault(x, []).append(values[pair])
    return Curve(method, tuple(sorted(bins)), tuple(estimate(bins[x]) for x in sorted(bins)))


def _x_of_pairs(scores: Sequence[SideScore], method: str, x_of: Callable[[SideScore], float]) -> Mapping[str, float]:
    """x of each pair, the mean of its sides."""
    sides: dict[str, list[float]] = {}
    for score in scores:
        if score.method == method:
            sides.setdefault(score.pair, []).append(x_of(score))
    return {pair: float(np.mean(values)) for pair, values in sides.items()}


def binned(x: Sequence[float]) -> list[float]:
    """Each x as it is shown: itself (three digits) where few differ, else the geometric mean of its quantile bin."""
    rounded = [float(f"{value:.3g}") for value in x]
    if len(set(rounded)) <= LEVELS_SHOWN:
        return rounded
    given = np.array(x)
    edges = np.unique(np.quantile(given, np.linspace(0, 1, LEVELS_SHOWN + 1)))
    place = np.clip(np.searchsorted(edges, given, side="right") - 1, 0, len(edges) - 2)
    positive = np.maximum(given, np.finfo(float).tiny)
    centres = {int(i): float(f"{np.exp(np.log(positive[place == i]).mean()):.3g}") for i in np.unique(place)}
    return [centres[int(i)] for i in place]


def _crossing(
    levels: Floats, values: Floats, level_of_pair: npt.NDArray[np.int_], weight: Floats, share: float
) -> float:
    """Where the rising means first reach `share`; infinite where they do not."""
    from scipy.optimize import isotonic_regression

    weights = np.bincount(level_of_pair, weight, len(levels))
    there = weights > 0
    means = np.bincount(level_of_pair, weight * values, len(levels))[there] / weights[there]
    fitted = isotonic_regression(means, weights=weights[there]).x
    x = np.log(levels[there])
    reached = np.flatnonzero(fitted >= share - 1e-12)
    if not len(reached):
        return math.inf
    i = int(reached[0])
    if i == 0:
        return float(levels[there][0])
    part = (share - fitted[i - 1]) / (fitted[i] - fitted[i - 1])
    return float(np.exp(x[i - 1] + part * (x[i] - x[i - 1])))
