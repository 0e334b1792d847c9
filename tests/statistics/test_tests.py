from __future__ import annotations

import numpy as np
from count_tables import as_tables, few, swap, tables
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from latentdiff.statistics import category_test, fisher, g_test, mann_whitney, presence_test


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


@few
@given(st.lists(st.tuples(st.integers(20, 90), st.integers(20, 90)), min_size=3, max_size=6))
def test_frequent_categories_are_tested_by_chi_squared_as_scipy_does(counts):
    count_a, count_b = np.array(counts).T
    p = category_test(count_a, count_b)
    np.testing.assert_allclose(p, stats.chi2_contingency([count_a, count_b], correction=False).pvalue, rtol=1e-9)


def test_rare_categories_are_pooled_until_they_are_frequent_enough():
    pooled = stats.chi2_contingency([[60, 30, 12], [20, 40, 8]], correction=False).pvalue
    np.testing.assert_allclose(category_test(np.array([4, 60, 3, 30, 5]), np.array([3, 20, 1, 40, 4])), pooled)
    with_next = stats.chi2_contingency([[60, 31], [20, 41]], correction=False, lambda_="log-likelihood").pvalue
    np.testing.assert_allclose(category_test(np.array([60, 1, 30]), np.array([20, 1, 40])), with_next)


def test_where_all_categories_are_rare_the_most_frequent_is_tested_against_the_rest():
    p = category_test(np.array([1, 6, 0, 1]), np.array([2, 1, 3, 1]))
    np.testing.assert_allclose(p, stats.fisher_exact([[6, 2], [1, 6]]).pvalue)


def test_two_categories_are_tested_as_presence_is():
    p = category_test(np.array([7, 1]), np.array([2, 7]))
    np.testing.assert_allclose(p, stats.fisher_exact([[7, 1], [2, 7]]).pvalue)


@few
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(any), min_size=2, max_size=9))
def test_categories_have_the_same_p_whichever_side_comes_first(counts):
    count_a, count_b = np.array(counts).T
    if count_a.any() and count_b.any():
        assert category_test(count_a, count_b) == category_test(count_b, count_a)


def test_the_p_values_of_categories_are_uniform_where_nothing_differs():
    generator = np.random.default_rng(0)
    share = np.array([0.5, 0.2, 0.1, 0.1, 0.03, 0.03, 0.02, 0.02])
    drawn = [(generator.multinomial(120, share), generator.multinomial(80, share)) for _ in range(1000)]
    p = np.array([category_test(a[(a + b) > 0], b[(a + b) > 0]) for a, b in drawn])
    for level in (0.01, 0.05, 0.2):
        assert (p <= level).mean() <= level + 3 * np.sqrt(level * (1 - level) / 1000)
