from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from latentdiff.proposers.density_ratio import tail_test
from latentdiff.proposers.density_ratio.tail_test import combine_p, end_p_values, tail_p


def test_a_tail_is_as_likely_as_dealing_the_sides_in_all_possible_ways_says(monkeypatch):
    monkeypatch.setattr(tail_test, "FEWEST_AT_AN_END", 4)
    score = np.array([9.0, 8, 7, 6, 5, 4, 3, 2, 1, 0])
    own = np.array([1, 1, 0, 1, 0, 0, 1, 0, 0, 0], bool)
    there = own[:4].sum()
    dealt = [sum(i < 4 for i in hand) for hand in combinations(range(10), 4)]
    expected = np.mean([(k > there) + 0.5 * (k == there) for k in dealt])
    assert tail_p(score, own, ~own, 0.05) == pytest.approx(expected)


def test_the_end_takes_in_what_ties_with_its_last_image(monkeypatch):
    monkeypatch.setattr(tail_test, "FEWEST_AT_AN_END", 2)
    own = np.array([1, 0, 1, 0, 1, 0, 1, 0], bool)
    score = np.array([9.0, 5, 5, 5, 1, 1, 1, 1])
    expected = stats.hypergeom(8, 4, 4)  # not 2 images, but the 4 that reach the second
    assert tail_p(score, own, ~own, 0.05) == pytest.approx(expected.sf(2) + 0.5 * expected.pmf(2))


def test_scores_that_are_all_equal_are_no_evidence():
    own = np.arange(40) < 20
    assert tail_p(np.zeros(40), own, ~own, 0.05) >= 0.5


def test_an_image_of_both_sides_counts_for_both(monkeypatch):
    monkeypatch.setattr(tail_test, "FEWEST_AT_AN_END", 2)
    own = np.array([1, 1, 0, 0, 1, 0], bool)
    other = np.array([1, 0, 1, 1, 0, 1], bool)
    expected = stats.hypergeom(7, 3, 3)  # 7 images; the two images at the end are 3 of them, 2 of 3 own
    assert tail_p(np.arange(6.0)[::-1], own, other, 0.05) == pytest.approx(expected.sf(2) + 0.5 * expected.pmf(2))


@given(st.lists(st.floats(1e-6, 1), min_size=2, max_size=6))
def test_without_correlation_the_folds_combine_as_fisher_says(p):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tail_test, "FOLD_CORRELATION", 0.0)
        assert combine_p(np.array(p)) == pytest.approx(stats.combine_pvalues(p).pvalue)


def test_correlated_folds_need_more_to_convince():
    p = np.full(5, 0.05)
    assert combine_p(p) > stats.combine_pvalues(p).pvalue


def test_the_combination_keeps_its_level_for_p_values_as_correlated_as_it_assumes():
    generator = np.random.default_rng(0)
    r = 0.05**0.5  # each fold: the common part, and its own
    common, own = generator.normal(size=(4000, 1)), generator.normal(size=(4000, 5))
    p = stats.norm.sf(r * common + (1 - r**2) ** 0.5 * own)
    rejected = np.mean([combine_p(row) <= 0.05 for row in p])
    assert 0.04 < rejected < 0.06


def test_exchanging_the_sides_exchanges_the_ends():
    generator = np.random.default_rng(0)
    score, fold = generator.normal(size=200), generator.integers(5, size=200)
    in_a = generator.random(200) < 0.4
    p_a, p_b = end_p_values(score, in_a, ~in_a, fold, 0.05)
    assert end_p_values(-score, ~in_a, in_a, fold, 0.05) == (p_b, p_a)
