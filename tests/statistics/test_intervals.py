from __future__ import annotations

import numpy as np
import pytest
from count_tables import as_tables, few, swap, tables
from hypothesis import given
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from latentdiff.statistics import log_odds_ratio, newcombe, wilson


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
def test_exchanging_the_sides_negates_effects_to_the_last_bit(table):
    low, high = newcombe(*table)
    swapped_low, swapped_high = newcombe(*swap(table))
    np.testing.assert_array_equal((low, high), (-swapped_high, -swapped_low))
    (estimate, spread), (swapped, swapped_spread) = log_odds_ratio(*table), log_odds_ratio(*swap(table))
    np.testing.assert_array_equal(estimate, -swapped)
    np.testing.assert_array_equal(spread, swapped_spread)


def test_a_share_of_no_images_is_refused():
    with pytest.raises(ValueError, match="at least one image"):
        wilson(np.array([0]), 0)
