from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latentdiff.proposers.pooled_activations import pool
from latentdiff.proposers.sae_latents.divergence import hurdle
from latentdiff.proposers.sae_latents.scores import SCORES
from latentdiff.statistics import adjust, gather_evidence

calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def draw(make, seed=0, n_a=300, n_b=200, latents=30):
    rng = np.random.default_rng(seed)
    prevalence = rng.random(latents) ** 2 * 0.5
    a, b = make.sparse_set(rng, n_a, prevalence), make.sparse_set(rng, n_b, rng.permutation(prevalence))
    return np.round(a, 1), np.round(b, 1)  # ties


def scores(make, name, a, b):
    pooled = pool(make.statistics(a), make.statistics(b))
    return SCORES[name](pooled, hurdle(pooled))


def test_the_registry_holds_the_rules_of_the_methods():
    assert set(SCORES) == {"jsd", "gap", "jsd_gap", "strongest", "effect"}


@pytest.mark.parametrize("name", SCORES)
@settings(calm, max_examples=10)
@given(seed=st.integers(0, 1000), n_a=st.integers(2, 120), n_b=st.integers(2, 120))
def test_scores_are_the_same_from_both_sides_to_the_last_bit(make, name, seed, n_a, n_b):
    a, b = draw(make, seed, n_a, n_b, latents=8)
    np.testing.assert_array_equal(scores(make, name, a, b), scores(make, name, b, a))


@pytest.mark.parametrize("name", SCORES)
def test_every_rule_puts_a_planted_concept_first(make, name):
    rng = np.random.default_rng(3)
    a, b = (make.sparse_set(rng, 800, np.full(40, 0.02)) for _ in range(2))
    a[:, 17] = np.where(rng.random(800) < 0.15, 4.0, a[:, 17])
    assert np.argmax(scores(make, name, a, b)) == 17


def test_the_gap_is_the_difference_of_the_means_over_all_images(make):
    a, b = draw(make)
    expected = np.abs(a.mean(axis=0, dtype=float) - b.mean(axis=0, dtype=float))
    np.testing.assert_allclose(scores(make, "gap", a, b), expected, atol=1e-12)
    np.testing.assert_allclose(scores(make, "jsd_gap", a, b), scores(make, "jsd", a, b) * expected, atol=1e-12)


def strongest_twin(a, b, places=40):
    """Deal the places one activation at a time, from the highest; what does not fit is shared in proportion."""
    share_a, left = 0.0, places
    for level in sorted({*a, *b}, reverse=True):
        here_a, here_b = np.sum(a == level), np.sum(b == level)
        taken = min(left, here_a + here_b)
        share_a += taken * here_a / (here_a + here_b) / places
        left -= taken
    chance = len(a) / (len(a) + len(b))
    return abs(share_a - chance) / max(chance, 1 - chance)


def test_strongest_shares_the_40_places_between_the_sets(make):
    a, b = draw(make)
    expected = [strongest_twin(a[:, j], b[:, j]) for j in range(a.shape[1])]
    np.testing.assert_allclose(scores(make, "strongest", a, b), expected, atol=1e-12)
    assert max(expected) > 0.2


def test_strongest_takes_all_images_of_sets_smaller_than_its_places(make):
    a, b = draw(make, n_a=12, n_b=9)
    np.testing.assert_allclose(scores(make, "strongest", a, b), 0, atol=1e-12)


def test_effect_is_the_bound_of_the_odds_ratio_nearer_to_no_difference(make):
    a, b = draw(make)
    count_a, count_b = (a > 0).sum(axis=0), (b > 0).sum(axis=0)
    p = np.ones(len(count_a))
    found = scores(make, "effect", a, b)
    for j, e in enumerate(gather_evidence(count_a, len(a), count_b, len(b), p, adjust(p))):
        more_in_a = a[:, j].mean(dtype=float) > b[:, j].mean(dtype=float)
        bound = np.log(e.odds_ratio_interval.low) if more_in_a else -np.log(e.odds_ratio_interval.high)
        assert found[j] == pytest.approx(bound, abs=1e-12)
