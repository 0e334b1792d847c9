from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from latentdiff.statistics import smallest_detectable
from latentdiff.statistics.enrichment import FEWEST, enrichment_test
from latentdiff.statistics.ranked_lists import RankedLists


def shows(count: int, n: int, other: int, cut: float) -> bool:
    """Whether so many images of one side, that all show a thing as much, would be significant."""
    own = np.arange(n + other) < n
    lists = RankedLists.of([np.arange(count)], [np.ones(count)], n + other)
    return count >= FEWEST and bool(enrichment_test(lists, own, 0.05, permutations=0).p_value[0] <= cut)


@pytest.mark.parametrize(("n_a", "n_b", "cut"), [(1000, 1000, 0.05), (1000, 1000, 1e-5), (300, 2000, 5e-4)])
def test_the_smallest_detectable_prevalence_is_shown_with_probability_80_percent_whichever_side_it_is(n_a, n_b, cut):
    share = smallest_detectable(n_a, n_b, cut)
    power = []
    for n, other in ((n_a, n_b), (n_b, n_a)):
        least = next(count for count in range(1, n) if shows(count, n, other, cut))
        power.append(stats.binom.sf(least - 1, n, share))
    assert min(power) == pytest.approx(0.8, abs=1e-6)
    assert smallest_detectable(n_b, n_a, cut) == share


@pytest.mark.parametrize("cut", [1e-3, 1e-5])
def test_a_latent_planted_at_the_smallest_detectable_prevalence_is_significant_in_four_of_five_draws(cut):
    rng, n, draws = np.random.default_rng(0), 500, 400
    share, own = smallest_detectable(n, n, cut), np.arange(2 * n) < n
    planted = [np.flatnonzero(rng.random(n) < share) for _ in range(draws)]  # it fires in these alone
    lists = RankedLists.of(planted, [np.ones(len(one)) for one in planted], 2 * n)
    seen = (enrichment_test(lists, own, 0.05, permutations=0).p_value <= cut).mean()
    assert seen == pytest.approx(0.8, abs=3 * np.sqrt(0.16 / draws))


def test_more_power_needs_a_larger_share_and_a_harder_level_too():
    shares = [smallest_detectable(800, 800, cut, power) for cut, power in ((1e-3, 0.5), (1e-3, 0.9), (1e-6, 0.9))]
    assert 0 < shares[0] < shares[1] < shares[2] < 0.1


def test_sets_too_small_to_show_anything_say_so():
    assert smallest_detectable(3, 3, 0.05) == 1.0
    assert smallest_detectable(6, 6, 1e-5) == 1.0
    assert smallest_detectable(4, 4000, 0.05) == 1.0  # fewer images than the shortest list that is tested
