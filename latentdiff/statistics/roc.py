"""Areas under ROC curves: of cross-fitted scores, with an interval (DeLong, DeLong and Clarke-Pearson 1988), and of
categories, on pairs left out (Airola et al. 2011)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from latentdiff.hypotheses import Interval
from latentdiff.statistics.counts import Counts, Floats
from latentdiff.statistics.intervals import Z

Flags = npt.NDArray[np.bool_]


def auroc(score: Floats, in_a: Flags, in_b: Flags, fold: npt.NDArray[np.int64]) -> tuple[float, Interval]:
    """How often an image of A outscores one of B of the same fold, ties counting half, and its 95 % interval.

    Pairs are compared inside folds only: scores of different classifiers are biased against each other by the labels
    that the one was trained on and the other tested on. The folds' classifiers are trained on each other's labels,
    too, so the areas correlate: by 1 / (folds - 1) for scores bilinear in the labels, which doubles the variance of
    their mean.

    Args:
        score: [n] out-of-fold scores.
        in_a: [n] whether A has the image.
        in_b: [n] whether B has it.
        fold: [n] the fold of each image.
    """
    areas, variances, pairs = [], [], []
    for f in np.unique(fold):
        part = fold == f
        a, b = score[part & in_a], score[part & in_b]
        if len(a) and len(b):
            area, variance = delong(a, b)
            areas.append(area)
            variances.append(variance)
            pairs.append(len(a) * len(b))
    if not pairs:
        return 0.5, Interval(0.0, 1.0)
    weight = np.array(pairs) / sum(pairs)
    area = float(weight @ areas)
    spread = Z * float(np.sqrt(2 * (weight**2 @ variances)))
    return area, Interval(max(0.0, area - spread), min(1.0, area + spread))


def auroc_of_categories(count_a: Counts, count_b: Counts) -> float:
    """How often, of an image of A and one of B, the category of the first has the larger share of A in all others.

    Equal shares, and a category that only the pair itself is in, count half. The order of the categories is not made
    from the pair that it is asked about, so the area of categories that say nothing is 0.5 in the mean, however many
    there are; in the sample that orders them it would be more.

    Args:
        count_a: [k] images of A in each category.
        count_b: [k] the same for B; neither side is without images.
    """
    without_pair = np.outer(count_a - 1, count_b - 1)  # A's image is in the category of the row, B's in the column's
    wins = np.sign(without_pair - np.outer(count_b, count_a))  # odds of A there against odds of A here
    np.fill_diagonal(wins, 0)
    pairs = np.outer(count_a, count_b)
    return float((pairs * (wins + 1)).sum() / (2 * pairs.sum()))


def delong(a: Floats, b: Floats) -> tuple[float, float]:
    """Area under the curve of scores `a` over scores `b`, and the variance of that estimate."""
    a_beats = _share_below(a, b)  # [a] of b's scores
    b_loses = 1 - _share_below(b, a)  # [b] to a's scores
    variance = sum(float(x.var(ddof=1)) / len(x) if len(x) > 1 else 0.25 for x in (a_beats, b_loses))
    return float(a_beats.mean()), variance


def _share_below(values: Floats, others: Floats) -> Floats:
    ordered = np.sort(others)
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / (2 * len(others))
