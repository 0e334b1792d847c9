from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from latentdiff.statistics import enrichment
from latentdiff.statistics.enrichment import FEWEST, POWERS, enrichment_test, permuted
from latentdiff.statistics.ranked_lists import RankedLists
from tests.statistics.test_ranked_lists import draw_lists

few = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 10_000)


def random_sides(seed: int, n: int = 60, share: float = 0.4) -> np.ndarray:
    own = np.zeros(n, bool)
    own[np.random.default_rng(seed).permutation(n)[: round(share * n)]] = True
    return own


def p_twin(rows: np.ndarray, shown: np.ndarray, own: np.ndarray, strata: np.ndarray, power: int) -> list[float]:
    """p of each side, image by image: Pearson's type III with the moments of a sum that is dealt inside strata."""
    weight = np.zeros(len(own))
    weight[rows] = (shown / shown.max()) ** power
    expected = variance = third = 0.0
    for part in (strata == one for one in np.unique(strata)):
        n, share = int(part.sum()), float(own[part].mean())
        around = weight[part] - weight[part].mean()
        expected += share * weight[part].sum()
        variance += share * (1 - share) * (around**2).sum() * n / (n - 1)
        third += share * (1 - share) * (1 - 2 * share) * (around**3).sum()
    z, skewness = (weight[own].sum() - expected) / np.sqrt(variance), third / variance**1.5
    return [float(stats.pearson3.sf(z, skewness)), float(stats.pearson3.sf(-z, -skewness))]


@few
@given(seeds, st.floats(0.1, 0.9), st.booleans())
def test_the_p_of_every_list_is_that_of_its_weighted_sum(seed, share, stratified):
    images, values = draw_lists(seed)
    own = random_sides(seed, share=share)
    strata = np.arange(60) % 3 if stratified else np.zeros(60, int)
    lists = RankedLists.of(images, values, 60)
    found = enrichment_test(lists, own, 0.05, permutations=3, strata=strata if stratified else None)
    for number, (rows, shown) in enumerate(zip(images, values, strict=True)):
        if len(rows) < FEWEST or (len(np.unique(shown)) == 1 and len(rows) == 60):
            assert (found.p_value[number], found.adjusted[number]) == (1.0, 1.0)
            continue
        p = {
            (power, side): p
            for power in POWERS
            for side, p in enumerate(p_twin(rows, shown, own, strata, power))
            if power or len(rows) < 60
        }
        power, side = min(p, key=lambda key: p[key] / POWERS[key[0]])
        close = sorted(p[key] / POWERS[key[0]] for key in p)
        told = p[found.power[number], int(not found.first[number])]
        assert np.log(found.p_value[number]) == pytest.approx(np.log(told), rel=0.03, abs=0.03)
        if close[1] > 1.2 * close[0]:
            assert (found.power[number], found.first[number]) == (power, side == 0)


def adjusted_twin(lists: RankedLists, own: np.ndarray, weights: np.ndarray, permutations: int) -> np.ndarray:
    """The share of permutations in which any list is as sure, weighted; or the closed bound."""

    tested = lists.lengths >= FEWEST
    scaled = weights / weights[tested].mean()

    def weighted(sides):
        found = enrichment_test(lists, sides, 0.05, permutations=0)
        shares = np.array([2 * POWERS[power] for power in found.power.tolist()])
        return found.p_value / shares / scaled

    smallest = [weighted(dealt)[tested].min() for dealt in permuted(own, permutations, 0)]
    mine = weighted(own)
    reached = np.array([sum(one <= p * (1 + 1e-9) for one in smallest) for p in mine])
    return np.where(tested, np.minimum((1 + reached) / (permutations + 1), mine * 4 * tested.sum()), 1.0)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_the_adjusted_p_is_the_share_of_permutations_that_reach_it(seed):
    images, values = draw_lists(seed)
    lists, own = RankedLists.of(images, values, 60), random_sides(seed)
    weights = np.random.default_rng(seed).uniform(0.2, 2, len(images))
    found = enrichment_test(lists, own, 0.05, permutations=19, weights=weights)
    np.testing.assert_allclose(found.adjusted, adjusted_twin(lists, own, weights, 19), rtol=1e-6)


@few
@given(seeds)
def test_what_is_at_or_below_its_cut_is_what_is_significant_adjusted(seed):
    images, values = draw_lists(seed, things=30)
    weights = np.random.default_rng(seed).uniform(0.2, 2, len(images))
    found = enrichment_test(RankedLists.of(images, values, 60), random_sides(seed), 0.3, 49, weights=weights)
    tested = found.p_value < 1
    np.testing.assert_array_equal((found.p_value <= found.cut)[tested], (found.adjusted <= 0.3)[tested])


def test_from_many_images_on_the_closed_bound_stands_for_the_permutations(monkeypatch):
    images, values = draw_lists(3)
    lists, own = RankedLists.of(images, values, 60), random_sides(3)
    tests = 4 * int((lists.lengths >= FEWEST).sum())
    monkeypatch.setattr(enrichment, "CLOSED_FROM", 60)
    found = enrichment_test(lists, own, 0.05)
    weight = np.array([2 * POWERS[power] for power in found.power.tolist()])
    np.testing.assert_allclose(found.adjusted, np.minimum(found.p_value / weight * tests, 1))
    assert found.plain_cut == pytest.approx(1.9 * 0.05 / tests)


@few
@given(seeds, st.booleans())
def test_exchanging_the_sides_exchanges_them_and_changes_nothing_else(seed, stratified):
    images, values = draw_lists(seed)
    own, strata = random_sides(seed), np.random.default_rng(seed).integers(0, 3, 60) if stratified else None
    lists = RankedLists.of(images, values, 60)
    one, other = (enrichment_test(lists, sides, 0.05, permutations=30, strata=strata) for sides in (own, ~own))
    for name in ("p_value", "adjusted", "cut"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-7)
    told = one.p_value < 0.45
    np.testing.assert_array_equal(one.first[told], ~other.first[told])


def test_what_promises_more_counts_for_more_and_the_others_for_less():
    images, values = draw_lists(5, things=20)
    lists, own = RankedLists.of(images, values, 60), random_sides(5)
    plain = enrichment_test(lists, own, 0.05, permutations=0)
    favoured = int(np.where(lists.lengths >= FEWEST, plain.p_value, 1).argmin())
    weights = np.where(np.arange(len(lists)) == favoured, 10.0, 1.0)
    weighted = enrichment_test(lists, own, 0.05, permutations=0, weights=weights)
    np.testing.assert_array_equal(weighted.p_value, plain.p_value)
    others = (lists.lengths >= FEWEST) & (np.arange(len(lists)) != favoured)
    assert weighted.cut[favoured] > plain.cut[favoured] and (weighted.cut < plain.cut)[others].all()


def correlated_lists(rng: np.random.Generator, n: int, things: int = 40):
    """Things that show in a few to half of n images, some of them nearly the same thing."""
    base = rng.normal(size=(n, things // 2))
    strength = np.concatenate([base, base + 0.3 * rng.normal(size=base.shape)], axis=1)
    fires = strength > np.quantile(strength, rng.uniform(0.5, 0.97, things))
    return RankedLists.of(
        [np.flatnonzero(one) for one in fires.T], [np.exp(strength[one, i]) for i, one in enumerate(fires.T)], n
    )


def test_the_level_is_kept_where_nothing_differs():
    rng, runs, n = np.random.default_rng(0), 200, 120
    smallest = []
    for run in range(runs):
        lists = correlated_lists(rng, n)
        found = enrichment_test(lists, random_sides(run, n), 0.05, permutations=99, seed=run)
        smallest.append(found.adjusted.min())
    for level in (0.05, 0.2, 0.5):
        low, high = stats.binom.ppf([0.001, 0.999], runs, level)
        hits = int((np.array(smallest) <= level + 1e-9).sum())
        assert hits <= high
        assert hits >= low / 2  # equal p values make it a little careful


def test_a_planted_thing_of_five_percent_is_found_and_nothing_beside_it():
    rng, n = np.random.default_rng(1), 400
    found, beside = 0, 0
    for run in range(20):
        own = random_sides(run, n, 0.5)
        images = [np.flatnonzero(rng.random(n) < rng.uniform(0.02, 0.4)) for _ in range(60)]
        images[7] = np.union1d(rng.choice(np.flatnonzero(own), 20, replace=False), rng.integers(0, n, 2))
        result = enrichment_test(
            RankedLists.of(images, [rng.uniform(0.5, 1, len(one)) for one in images], n), own, 0.05, 199, run
        )
        significant = np.flatnonzero(result.adjusted <= 0.05)
        found += 7 in significant and bool(result.first[7])
        beside += bool(set(significant) - {7})
    assert found == 20 and beside <= 4


def confounded(seed: int, n: int = 600):
    """Night is three quarters of one side and a quarter of the other; boats are seen by night alone, kites are of one
    side, night or day."""
    rng = np.random.default_rng(seed)
    own = rng.random(n) < 0.5
    night = rng.random(n) < np.where(own, 0.75, 0.25)
    shows = [rng.random(n) < 0.3 for _ in range(20)]
    shows[0] = night & (rng.random(n) < 0.5)
    shows[1] = rng.random(n) < np.where(own, 0.14, 0.01)
    images = [np.flatnonzero(one) for one in shows]
    return RankedLists.of(images, [rng.uniform(0.5, 1, len(one)) for one in images], n), own, night.astype(np.int64)


def test_what_is_confounded_with_a_stratum_differs_alone_and_not_inside_strata():
    alone, given_strata, kites = 0, 0, 0
    for seed in range(20):
        lists, own, night = confounded(seed)
        alone += enrichment_test(lists, own, 0.05, 99).adjusted[0] <= 0.05
        inside = enrichment_test(lists, own, 0.05, 99, strata=night)
        given_strata += inside.adjusted[0] <= 0.05
        kites += inside.adjusted[1] <= 0.05 and inside.first[1]
    assert alone == 20 and given_strata <= 3
    assert kites >= 18  # what differs inside strata is found although the strata themselves differ


def test_the_level_is_kept_inside_strata():
    rng, hits = np.random.default_rng(2), 0
    for run in range(100):
        lists = correlated_lists(rng, 120)
        night = np.zeros(120, np.int64)
        night[lists.first(0, 12)] = 1
        own = rng.random(120) < np.where(night, 0.9, 0.4)
        hits += enrichment_test(lists, own, 0.1, 49, run, strata=night).adjusted.min() <= 0.1
    assert hits <= stats.binom.ppf(0.999, 100, 0.1)


def test_one_stratum_is_no_stratum():
    lists, own, _ = confounded(0)
    one, other = (enrichment_test(lists, own, 0.05, 49, strata=s) for s in (None, np.zeros(600, np.int64)))
    np.testing.assert_allclose(one.p_value, other.p_value, rtol=1e-9)
    np.testing.assert_array_equal(one.first[one.p_value < 0.5], other.first[one.p_value < 0.5])
    assert (one.adjusted <= other.adjusted + 1e-12).all()  # the closed bound is for sides dealt at random


def test_a_list_is_too_short_to_be_tested_below_five_images():
    lists = RankedLists.of([np.arange(4), np.arange(5)], [np.ones(4), np.ones(5)], 40)
    found = enrichment_test(lists, np.arange(40) < 5, 0.5)
    assert (found.p_value[0], found.adjusted[0]) == (1.0, 1.0) and found.p_value[1] < 1e-4


@pytest.mark.parametrize("images", [[], [np.arange(0)], [np.arange(3), np.arange(0)]])
@pytest.mark.parametrize("strata", [None, np.zeros(6, np.int64)])
def test_nothing_to_test_is_no_error(images, strata):
    lists = RankedLists.of(images, [np.ones(len(one)) for one in images], 6)
    found = enrichment_test(lists, np.arange(6) < 3, 0.05, strata=strata)
    assert found.adjusted.tolist() == [1.0] * len(images)


def test_a_side_without_images_differs_in_nothing():
    images, values = draw_lists(0)
    lists = RankedLists.of(images, values, 60)
    assert (enrichment_test(lists, np.zeros(60, bool), 0.05, 20).p_value == 1).all()


def test_strata_deal_the_sides_inside_themselves():
    own, strata = np.arange(40) < 15, np.arange(40) % 2
    for dealt in permuted(own, 5, 0, strata):
        assert [dealt[strata == one].sum() for one in (0, 1)] == [own[strata == one].sum() for one in (0, 1)]
