"""Tests of two shares and of two sets of values, for many things at once (docs/methods.md, 4).

Fisher's exact test, the G test, chi-squared for categories, the Mann-Whitney test. Exchanging the sides leaves p values
as they are, to the bit.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from latentdiff.statistics.counts import Counts, Floats, checked_size

EXACT_BELOW = 10.0  # expected count under which the G test's chi-squared is not trusted
LEAST_EXPECTED = 5.0  # count of a category, under which it is pooled with other rare ones


def presence_test(count_a: Counts, n_a: int, count_b: Counts, n_b: int) -> Floats:
    """Two-sided p that the shares differ: Fisher's exact test where an expected count is small, else the G test.

    Args:
        count_a: [k] in how many images of A each thing is present.
        n_a: images in A.
        count_b: [k] the same for B.
        n_b: images in B.
    """
    total, n = count_a + count_b, checked_size(n_a) + checked_size(n_b)
    smallest = np.minimum(total, n - total) * (min(n_a, n_b) / n)
    p = g_test(count_a, n_a, count_b, n_b)
    exact = smallest < EXACT_BELOW
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


def category_test(count_a: Counts, count_b: Counts) -> float:
    """P that images fall into categories with other shares in A than in B: Pearson's chi-squared.

    Categories with an expected count below LEAST_EXPECTED are pooled, and where all are rare, all but the most
    frequent; which ones hangs on both sides' counts together. Two categories are tested by `presence_test`.

    Args:
        count_a: [k] images of A in each of two or more categories, none of which is empty on both sides.
        count_b: [k] the same for B.
    """
    n_a, n_b = int(count_a.sum()), int(count_b.sum())
    share_a, share_b = n_a / (n_a + n_b), n_b / (n_a + n_b)
    count_a, count_b = _pool_rare(count_a, count_b, min(share_a, share_b))
    if len(count_a) == 2:
        return float(presence_test(count_a[:1], n_a, count_b[:1], n_b)[0])
    total = count_a + count_b
    of_a = (count_a - total * share_a) ** 2 / (total * share_a)
    of_b = (count_b - total * share_b) ** 2 / (total * share_b)
    return float(special.chdtrc(len(total) - 1, (of_a + of_b).sum()))


def _pool_rare(count_a: Counts, count_b: Counts, smaller_share: float) -> tuple[Counts, Counts]:
    """The counts, rarest category first, those that are too rare for chi-squared as one."""
    order = np.argsort(count_a + count_b, kind="stable")
    count_a, count_b = count_a[order], count_b[order]
    expected = (count_a + count_b) * smaller_share
    rare = int((expected < LEAST_EXPECTED).sum())
    while 0 < rare < len(order) - 1 and expected[:rare].sum() < LEAST_EXPECTED:
        rare += 1
    starts = [0, *range(max(1, min(rare, len(order) - 1)), len(order))]
    return np.add.reduceat(count_a, starts), np.add.reduceat(count_b, starts)


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


def _log_choose(n: int, k: Counts) -> Floats:
    return special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0)
