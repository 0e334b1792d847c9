from __future__ import annotations

import numpy as np
from count_tables import as_tables, few, swap, tables
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from latentdiff.statistics import fisher, g_test, mann_whitney, presence_test


@few
@given(tables())
def test_fisher_agrees_with_scipy(table):
    expected = [stats.fisher_exact(cells).pvalue for cells in as_tables(table)]
    np.testing.assert_allclose(fisher(*table), expected, rtol=1e-8)


def test_fisher_agrees_with_scipy_on_large_sets():
    table = np.array([0, 3, 40, 700]), 20_000, np.array([9, 20, 90, 500]), 15_000
    expected = [stats.fisher_exact(cells).pvalue for cells in as_tables(table)]
    np.testing.assert_allclose(fisher(*table), expected, rtol=1e-7)


@few
@given(tables())
def test_the_g_test_agrees_with_scipy(table):
    p = g_test(*table)
    for i, cells in enumerate(as_tables(table)):
        if cells.sum(axis=0).min() == 0:
            assert p[i] == 1.0  # scipy refuses; present everywhere or nowhere, nothing can differ
        else:
            oracle = stats.chi2_contingency(cells, correction=False, lambda_="log-likelihood")
            np.testing.assert_allclose(p[i], oracle.pvalue, rtol=1e-5)


@few
@given(tables())
def test_presence_is_exact_where_an_expected_count_is_below_10(table):
    p = presence_test(*table)
    for i, cells in enumerate(as_tables(table)):
        expected = cells.sum(axis=0) * cells.sum(axis=1, keepdims=True) / cells.sum()
        test = fisher if expected.min() < 10 else g_test
        assert p[i] == test(np.array([cells[0, 0]]), table[1], np.array([cells[1, 0]]), table[3])[0]


@few
@given(tables())
def test_exchanging_the_sides_leaves_p_as_it_is_to_the_last_bit(table):
    for test in (fisher, g_test, presence_test):
        np.testing.assert_array_equal(test(*table), test(*swap(table)))


def test_nothing_tested_has_no_p_values():
    nothing = np.zeros(0, dtype=int)
    assert fisher(nothing, 3, nothing, 3).shape == (0,)


values = st.lists(st.integers(0, 6) | st.floats(0, 6), min_size=0, max_size=20)


@few
@given(st.lists(st.tuples(values, values), min_size=1, max_size=5))
def test_mann_whitney_agrees_with_scipy_in_every_group(groups):
    group, value, in_a = (
        np.array([entry[i] for entry in _flatten(groups)], dtype=kind) for i, kind in enumerate((int, float, bool))
    )
    order = np.lexsort((value, group))
    p = mann_whitney(group[order], value[order], in_a[order], len(groups))
    swapped = mann_whitney(group[order], value[order], ~in_a[order], len(groups))
    np.testing.assert_array_equal(p, swapped)
    for i, (a, b) in enumerate(groups):
        if not a or not b or len({*a, *b}) == 1:
            assert p[i] == 1.0
        else:
            np.testing.assert_allclose(p[i], stats.mannwhitneyu(a, b, method="asymptotic").pvalue, rtol=1e-10)


def _flatten(groups):
    return [(i, v, side == 0) for i, sides in enumerate(groups) for side, values in enumerate(sides) for v in values]
