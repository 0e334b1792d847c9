from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from count_tables import few
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from latentdiff.statistics.roc import auroc, auroc_of_categories, delong


def scores(seed, n_a, n_b, shift):
    generator = np.random.default_rng(seed)
    return np.round(generator.normal(shift, 1, n_a), 1), np.round(generator.normal(0, 1, n_b), 1)  # rounded: ties


def test_the_area_is_the_mann_whitney_statistic():
    a, b = scores(0, 40, 60, 0.5)
    assert delong(a, b)[0] == pytest.approx(mannwhitneyu(a, b).statistic / (40 * 60))


def test_the_variance_is_that_of_delongs_structural_components():
    a, b = scores(1, 12, 9, 0.5)
    wins = [[1.0 if x > y else 0.5 if x == y else 0.0 for y in b] for x in a]
    area = sum(map(sum, wins)) / (12 * 9)
    by_a = [sum(row) / 9 for row in wins]
    by_b = [sum(row[j] for row in wins) / 12 for j in range(9)]
    s_a = sum((v - area) ** 2 for v in by_a) / 11
    s_b = sum((v - area) ** 2 for v in by_b) / 8
    assert delong(a, b)[1] == pytest.approx(s_a / 12 + s_b / 9)


def test_folds_are_weighted_by_their_pairs_and_the_interval_holds_the_area():
    a1, b1 = scores(2, 30, 50, 1.0)
    a2, b2 = scores(3, 20, 10, 0.0)
    score = np.concatenate([a1, b1, a2, b2])
    in_a = np.repeat([True, False, True, False], [30, 50, 20, 10])
    fold = np.repeat([0, 1], [80, 30])
    area, interval = auroc(score, in_a, ~in_a, fold)
    assert area == pytest.approx((delong(a1, b1)[0] * 1500 + delong(a2, b2)[0] * 200) / 1700)
    assert interval.low < area < interval.high


def test_a_shift_between_folds_is_not_mistaken_for_a_difference():
    generator = np.random.default_rng(0)
    fold = np.repeat([0, 1], 100)
    in_a = np.where(fold == 0, generator.random(200) < 0.8, generator.random(200) < 0.2)
    score = generator.normal(size=200) + 10 * (fold == 0)  # the head of fold 0 scores all of its fold higher
    _, interval = auroc(score, in_a, ~in_a, fold)
    assert interval.low < 0.5 < interval.high
    assert mannwhitneyu(score[in_a], score[~in_a]).statistic / (in_a.sum() * (~in_a).sum()) > 0.7


def test_a_side_that_is_missing_gives_no_area():
    area, interval = auroc(np.arange(4.0), np.ones(4, bool), np.zeros(4, bool), np.zeros(4, int))
    assert (area, interval.low, interval.high) == (0.5, 0.0, 1.0)


def odds(a: int, b: int) -> float:
    return math.nan if a == b == 0 else math.inf if b == 0 else a / b


@few
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=5))
def test_the_area_of_categories_orders_them_by_all_images_but_the_pair(counts):
    images = [[k for k, count in enumerate(column) for _ in range(count)] for column in zip(*counts, strict=True)]
    pairs = list(product(*images))
    if not pairs:
        return
    wins = 0.0
    for own, other in pairs:
        of_a, of_b = (
            [ks.count(k) - (k == mine) for k in (own, other)] for ks, mine in zip(images, (own, other), strict=True)
        )
        here, there = map(odds, of_a, of_b)
        wins += 1.0 if here > there else 0.0 if here < there else 0.5
    count_a, count_b = np.array(counts).T
    assert auroc_of_categories(count_a, count_b) == pytest.approx(wins / len(pairs))
    assert auroc_of_categories(count_b, count_a) == auroc_of_categories(count_a, count_b)


def test_categories_that_say_nothing_have_half_the_area_however_many_they_are():
    generator = np.random.default_rng(0)
    drawn = [[np.bincount(generator.integers(0, 30, n), minlength=30) for n in (90, 60)] for _ in range(400)]
    areas = [auroc_of_categories(*counts) for counts in drawn]
    assert np.mean(areas) == pytest.approx(0.5, abs=4 * np.std(areas) / np.sqrt(400))
