"""How sure a difference in counts is: intervals, tests and corrections, for many things at once (docs/methods.md, 4).

Wilson (1927) and Newcombe (1998) intervals, odds ratios with 0.5 added (Haldane, Anscombe), Fisher's exact test,
the G test, Benjamini-Hochberg and Benjamini-Yekutieli. Every formula treats the two sides alike, to the last bit:
exchanging them negates differences and log odds, and leaves p values as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from latentdiff.findings import Evidence, Interval

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


Z = float(special.ndtri(0.975))  # all intervals are 95 % intervals
CORRECTIONS = ("bh", "by")  # Benjamini-Hochberg, Benjamini-Yekutieli
EXACT_BELOW = 10.0  # expected count under which the G test's chi-squared is not trusted


def gather_evidence(count_a: Counts, n_a: int, count_b: Counts, n_b: int, p: Floats, q: Floats) -> list[Evidence]:
    """Counts and what was tested on them, as `Evidence`, one for each thing.

    Args:
        count_a: [k] in how many images of A each thing is present.
        n_a: images in A.
        count_b: [k] the same for B.
        n_b: images in B.
        p: [k] two-sided p values.
        q: [k] the p values corrected (`adjust`).
    """
    log_odds, spread = log_odds_ratio(count_a, n_a, count_b, n_b)
    columns: dict[str, Iterable[Any]] = {
        "count_a": count_a.tolist(),
        "count_b": count_b.tolist(),
        "n_a": repeat(n_a),
        "n_b": repeat(n_b),
        "prevalence_a": (count_a / n_a).tolist(),
        "prevalence_b": (count_b / n_b).tolist(),
        "prevalence_a_interval": _intervals(*wilson(count_a, n_a)),
        "prevalence_b_interval": _intervals(*wilson(count_b, n_b)),
        "difference": (count_a / n_a - count_b / n_b).tolist(),
        "difference_interval": _intervals(*newcombe(count_a, n_a, count_b, n_b)),
        "odds_ratio": np.exp(log_odds).tolist(),
        "odds_ratio_interval": _intervals(np.exp(log_odds - spread), np.exp(log_odds + spread)),
        "p_value": p.tolist(),
        "q_value": q.tolist(),
    }
    return [Evidence(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=False)]


def wilson(count: Counts, n: int) -> tuple[Floats, Floats]:
    """Wilson's score interval of a share, (low, high), each shaped like `count`."""
    share = count / _positive(n)
    centre = share + Z**2 / (2 * n)
    spread = Z * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    scale = 1 + Z**2 / n
    low = np.where(count == 0, 0.0, (centre - spread) / scale)
    high = np.where(count == n, 1.0, (centre + spread) / scale)
    return low, high


def newcombe(count_a: Counts, n_a: int, count_b: Counts, n_b: int) -> tuple[Floats, Floats]:
    """Newcombe's interval (his method 10, from two Wilson intervals) of share A minus share B, (low, high)."""
    share_a, share_b = count_a / _positive(n_a), count_b / _positive(n_b)
    low_a, high_a = wilson(count_a, n_a)
    low_b, high_b = wilson(count_b, n_b)
    difference = share_a - share_b
    low = difference - np.sqrt((share_a - low_a) ** 2 + (high_b - share_b) ** 2)
    high = difference + np.sqrt((high_a - share_a) ** 2 + (share_b - low_b) ** 2)
    return low, high


def log_odds_ratio(count_a: Counts, n_a: int, count_b: Counts, n_b: int) -> tuple[Floats, Floats]:
    """Log odds ratio of A over B with 0.5 added to each count, and the half-width of its 95 % interval (Woolf)."""
    present_a, absent_a = count_a + 0.5, _positive(n_a) - count_a + 0.5
    present_b, absent_b = count_b + 0.5, _positive(n_b) - count_b + 0.5
    estimate = np.log(present_a / absent_a) - np.log(present_b / absent_b)
    variance = (1 / present_a + 1 / present_b) + (1 / absent_a + 1 / absent_b)
    return estimate, Z * np.sqrt(variance)


def presence_test(count_a: Counts, n_a: int, count_b: Counts, n_b: int, exact_below: float = EXACT_BELOW) -> Floats:
    """Two-sided p that the shares differ: Fisher's exact test where an expected count is small, else the G test.

    Args:
        count_a: [k] in how many images of A each thing is present.
        n_a: images in A.
        count_b: [k] the same for B.
        n_b: images in B.
        exact_below: smallest of the four expected counts under which Fisher's test is used.
    """
    total, n = count_a + count_b, _positive(n_a) + _positive(n_b)
    smallest = np.minimum(total, n - total) * (min(n_a, n_b) / n)
    p = g_test(count_a, n_a, count_b, n_b)
    exact = smallest < exact_below
    p[exact] = fisher(count_a[exact], n_a, count_b[exact], n_b)
    return p


def g_test(count_a: Counts, n_a: int, count_b: Counts, n_b: int) -> Floats:
    """Two-sided p of the G (likelihood ratio) test on 2 x 2 tables, chi-squared with one degree of freedom."""
    total, n = count_a + count_b, n_a + n_b

    def part(observed: Counts, row: int, column: Counts) -> Floats:
        expected = column * (row / n)
        return special.xlogy(observed, np.divide(observed, expected, out=np.ones_like(expected), where=expected > 0))

    present = part(count_a, n_a, total) + part(count_b, n_b, total)
    absent = part(n_a - count_a, n_a, n - total) + part(n_b - count_b, n_b, n - total)
    p = special.chdtrc(1, np.maximum(2 * (present + absent), 0.0))
    return np.where((total == 0) | (total == n), 1.0, p)  # present everywhere or nowhere: not even rounding differs


def fisher(count_a: Counts, n_a: int, count_b: Counts, n_b: int) -> Floats:
    """Two-sided p of Fisher's exact test on 2 x 2 tables: all tables with these margins that are no likelier.

    Equal tables are computed once; time and memory grow with the smallest margin of each distinct table.
    """
    if len(count_a) == 0:
        return np.zeros(0)
    if n_a > n_b:  # one order of the sides, so that exchanging them gives the same bits
        count_a, n_a, count_b, n_b = count_b, n_b, count_a, n_a
    pairs = np.stack([count_a, count_b], axis=1)
    tables, which = np.unique(np.sort(pairs, axis=1) if n_a == n_b else pairs, axis=0, return_inverse=True)
    count, total = tables[:, 0], tables.sum(axis=1)
    first, last = np.maximum(0, total - n_b), np.minimum(n_a, total)
    lengths = last - first + 1
    starts = np.cumsum(lengths) - lengths
    table = np.repeat(np.arange(len(tables)), lengths)
    possible = np.arange(lengths.sum()) - (starts - first)[table]
    log_likelihood = _log_choose(n_a, possible) + _log_choose(n_b, total[table] - possible)
    log_likelihood -= _log_choose(n_a + n_b, total)[table]
    observed = log_likelihood[starts + count - first]
    counted = log_likelihood <= (observed + 1e-7)[table]  # as R does: equally likely tables differ by rounding
    p = np.add.reduceat(np.where(counted, np.exp(log_likelihood), 0.0), starts)
    return np.minimum(p, 1.0)[which.reshape(-1)]


def mann_whitney(group: Counts, value: npt.NDArray[np.floating], in_a: npt.NDArray[np.bool_], groups: int) -> Floats:
    """Two-sided p of the Mann-Whitney test in each group: normal approximation with ties and continuity.

    Args:
        group: [v] which group each value belongs to; values are sorted by group, then by value.
        value: [v] the values.
        in_a: [v] whether a value is from A (else from B).
        groups: how many groups there are.

    Returns:
        [groups] p values; 1 where a side has no value, or all values are equal.
    """
    size = np.bincount(group, minlength=groups)
    size_a = np.bincount(group[in_a], minlength=groups)
    size_b = size - size_a
    new_run = np.ones(len(value), dtype=bool)
    new_run[1:] = (group[1:] != group[:-1]) | (value[1:] != value[:-1])
    run_start = np.flatnonzero(new_run)
    run_length = np.diff(np.append(run_start, len(value)))
    group_start = np.cumsum(size) - size
    rank = run_start - group_start[group[run_start]] + (run_length + 1) / 2  # tied values share their mean rank
    rank_sum = np.bincount(group[in_a], weights=np.repeat(rank, run_length)[in_a], minlength=groups)
    ties = np.bincount(group[run_start], weights=run_length.astype(float) ** 3 - run_length, minlength=groups)

    product = size_a.astype(float) * size_b
    u = rank_sum - size_a * (size_a + 1.0) / 2
    usable = product > 0
    pairs = np.where(usable, size * (size - 1.0), 1.0)
    variance = product / 12 * (size + 1.0 - ties / pairs)
    usable &= variance > 0
    z = np.divide(np.abs(u - product / 2) - 0.5, np.sqrt(np.where(usable, variance, 1.0)))
    return np.where(usable, np.minimum(2 * special.ndtr(-z), 1.0), 1.0)


def adjust(p: Floats, correction: str = "bh") -> Floats:
    """q values: p corrected so that rejecting q <= level keeps the false discovery rate at the level.

    Args:
        p: [k] p values of everything that was tested together.
        correction: "bh" (Benjamini-Hochberg) or "by" (Benjamini-Yekutieli, holds under any dependence).
    """
    from scipy.stats import false_discovery_control

    return false_discovery_control(p, method=correction)


def smallest_detectable(n_a: int, n_b: int, tests: int, level: float = 0.05, power: float = 0.8) -> float:
    """Smallest prevalence in one set alone that a test of presence would have shown, whichever set it is.

    The smallest count in one set, none in the other, whose p survives Bonferroni's correction; then the prevalence
    at which that count is reached with probability `power` (Clopper and Pearson's inversion of the binomial).

    Args:
        n_a: images in A.
        n_b: images in B.
        tests: how many tests are corrected for.
        level: level after correction.
        power: probability of showing it.

    Returns:
        A share; 1.0 where sets of these sizes could not show even something present in every image of one of them.
    """
    return max(_detectable_in(n, other, level / max(tests, 1), power) for n, other in ((n_a, n_b), (n_b, n_a)))


def _detectable_in(n: int, other: int, level: float, power: float) -> float:
    low, high = 1, n + 1  # the smallest sufficient count lies in low..high; n + 1 stands for "none"
    while low < high:
        middle = (low + high) // 2
        if presence_test(np.array([middle]), n, np.array([0]), other)[0] <= level:
            high = middle
        else:
            low = middle + 1
    return float(special.betaincinv(low, n - low + 1, power)) if low <= n else 1.0


def _intervals(low: Floats, high: Floats) -> Iterable[Interval]:
    return map(Interval, low.tolist(), high.tolist())


def _log_choose(n: int, k: Counts) -> Floats:
    return special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0)


def _positive(n: int) -> int:
    if n < 1:
        raise ValueError(f"a share needs at least one image, got n = {n}")
    return n
