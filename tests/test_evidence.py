from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from latentdiff.evidence import (
    adjust,
    fisher,
    g_test,
    gather_evidence,
    log_odds_ratio,
    mann_whitney,
    newcombe,
    presence_test,
    smallest_detectable,
    wilson,
)

few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def tables(draw):
    """Counts of several things in two sets: count_a, n_a, count_b, n_b."""
    n_a, n_b = draw(st.integers(1, 300)), draw(st.integers(1, 300))
    count_a = draw(st.lists(st.integers(0, n_a), min_size=1, max_size=8))
    count_b = draw(st.lists(st.integers(0, n_b), min_size=len(count_a), max_size=len(count_a)))
    return np.array(count_a), n_a, np.array(count_b), n_b


def swap(table):
    count_a, n_a, count_b, n_b = table
    return count_b, n_b, count_a, n_a


def as_tables(table):
    count_a, n_a, count_b, n_b = table
    return [np.array([[a, n_a - a], [b, n_b - b]]) for a, b in zip(count_a, count_b, strict=True)]


@pytest.mark.parametrize("n", [1, 2, 37, 2000])
def test_wilson_agrees_with_statsmodels(n):
    count = np.unique(np.linspace(0, n, 50).astype(int))
    np.testing.assert_allclose(wilson(count, n), proportion_confint(count, n, method="wilson"), atol=1e-12)


@few
@given(tables())
def test_wilson_stays_between_0_and_1_and_holds_the_share(table):
    count, n, _, _ = table
    low, high = wilson(count, n)
    assert np.all((low >= 0) & (low <= count / n) & (count / n <= high) & (high <= 1))


@few
@given(tables())
def test_newcombe_agrees_with_statsmodels(table):
    count_a, n_a, count_b, n_b = table
    expected = [
        confint_proportions_2indep(a, n_a, b, n_b, method="newcomb", compare="diff")
        for a, b in zip(count_a, count_b, strict=True)
    ]
    np.testing.assert_allclose(np.transpose(newcombe(*table)), expected, atol=1e-10)


@few
@given(tables())
def test_odds_ratios_agree_with_statsmodels(table):
    estimate, spread = log_odds_ratio(*table)
    for i, cells in enumerate(as_tables(table)):
        oracle = Table2x2(cells + 0.5)
        np.testing.assert_allclose(estimate[i], oracle.log_oddsratio, atol=1e-10)
        np.testing.assert_allclose(
            (estimate[i] - spread[i], estimate[i] + spread[i]), oracle.log_oddsratio_confint(), atol=1e-10
        )


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
def test_exchanging_the_sides_leaves_p_and_negates_effects_to_the_last_bit(table):
    for test in (fisher, g_test, presence_test):
        np.testing.assert_array_equal(test(*table), test(*swap(table)))
    low, high = newcombe(*table)
    swapped_low, swapped_high = newcombe(*swap(table))
    np.testing.assert_array_equal((low, high), (-swapped_high, -swapped_low))
    (estimate, spread), (swapped, swapped_spread) = log_odds_ratio(*table), log_odds_ratio(*swap(table))
    np.testing.assert_array_equal(estimate, -swapped)
    np.testing.assert_array_equal(spread, swapped_spread)


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


@pytest.mark.parametrize(("correction", "oracle"), [("bh", "fdr_bh"), ("by", "fdr_by")])
def test_q_values_agree_with_statsmodels(correction, oracle):
    p = np.random.default_rng(0).random(200) ** 3
    p[:20] = p[20:40]
    np.testing.assert_allclose(adjust(p, correction), multipletests(p, method=oracle)[1], rtol=1e-12)


def test_nothing_tested_has_no_q_values():
    assert adjust(np.zeros(0)).shape == fisher(np.zeros(0, dtype=int), 3, np.zeros(0, dtype=int), 3).shape == (0,)


def test_evidence_holds_plain_numbers_of_each_thing():
    count_a, count_b = np.array([40, 0]), np.array([10, 3])
    p = presence_test(count_a, 1000, count_b, 500)
    first, second = gather_evidence(count_a, 1000, count_b, 500, p, adjust(p))
    assert (first.count_a, first.count_b, first.n_a, first.n_b) == (40, 10, 1000, 500)
    assert (first.prevalence_a, first.prevalence_b, first.difference) == (0.04, 0.02, 0.02)
    assert first.odds_ratio == pytest.approx((40.5 / 960.5) / (10.5 / 490.5))
    assert first.odds_ratio_interval.low < first.odds_ratio < first.odds_ratio_interval.high
    assert first.difference_interval.low < first.difference < first.difference_interval.high
    assert second.prevalence_a_interval.low == 0 and second.odds_ratio < 1
    assert first.p_value == p[0] and second.q_value == adjust(p)[1]
    assert all(type(value) in (int, float) for value in vars(first).values() if not hasattr(value, "low"))


@pytest.mark.parametrize(("n_a", "n_b", "tests"), [(1000, 1000, 1), (1000, 1000, 6000), (300, 2000, 100)])
def test_the_smallest_detectable_prevalence_is_shown_with_probability_80_percent(n_a, n_b, tests):
    share = smallest_detectable(n_a, n_b, tests)
    power = []
    for n, other in ((n_a, n_b), (n_b, n_a)):
        shown = [stats.fisher_exact([[c, n - c], [0, other]]).pvalue <= 0.05 / tests for c in range(100)]
        least = next(c for c in range(100) if all(shown[c:]))
        assert presence_test(np.array([least]), n, np.array([0]), other)[0] <= 0.05 / tests  # Fisher's range
        power.append(stats.binom.sf(least - 1, n, share))
    assert min(power) == pytest.approx(0.8, abs=1e-6)


def test_sets_too_small_to_show_anything_say_so():
    assert smallest_detectable(3, 3, 1000) == 1.0


def test_a_share_of_no_images_is_refused():
    with pytest.raises(ValueError, match="at least one image"):
        wilson(np.array([0]), 0)
