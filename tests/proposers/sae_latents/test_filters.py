from __future__ import annotations

from itertools import islice

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from latentdiff.proposers.sae_latents.filters import ACTIVE, IMPURE, UNNAMED, deduplicate, filter_latents

COUNT = np.array([50, 40, 30, 20, 10, 0])
PURITY = np.array([0.9, 0.1, 0.8, np.nan, 0.7, np.nan])
COSINE = np.array([0.5, 0.4, 0.1, 0.3, np.nan, 0.0])
TESTED = np.arange(5)


def hidden(active=0.0, impure=0.0, unnamed=0.0):
    masks = filter_latents(TESTED, COUNT, PURITY, COSINE, active=active, impure=impure, unnamed=unnamed)
    return {reason: set(np.flatnonzero(mask).tolist()) for reason, mask in masks.items()}


def test_nothing_is_hidden_unless_asked_for():
    assert hidden() == {}


def test_shares_are_shares_of_the_latents_that_fire():
    assert hidden(active=0.4) == {ACTIVE: {0, 1}}
    assert hidden(impure=0.4) == {IMPURE: {1, 3}}  # what has no monosemanticity goes first
    assert hidden(unnamed=0.4) == {UNNAMED: {2, 4}}  # and what has no word
    assert hidden(active=0.1) == {ACTIVE: set()}


def test_what_two_rules_hide_is_listed_under_the_first():
    assert hidden(active=0.4, impure=0.4, unnamed=0.6) == {ACTIVE: {0, 1}, IMPURE: {3}, UNNAMED: {2, 4}}


def test_of_equals_the_lower_latent_is_hidden():
    masks = filter_latents(TESTED, np.full(6, 3), PURITY, COSINE, active=0.4, impure=0.0, unnamed=0.0)
    np.testing.assert_array_equal(np.flatnonzero(masks[ACTIVE]), [0, 1])


def together(fires):
    """Counts, for a latent, the images that fire both it and each latent; `fires` is [images, latents]."""
    fires = np.asarray(fires, dtype=int)
    return lambda latent: fires[:, latent] @ fires


def test_equal_directions_are_shown_as_one():
    decoder = np.eye(5)
    decoder[3] = decoder[1] + 0.1 * decoder[0]  # cosine .995
    decoder[3] /= np.linalg.norm(decoder[3])
    decoder[4] = -decoder[1]
    ranked, silent = np.array([2, 3, 4, 1, 0]), np.zeros((4, 5))
    assert list(deduplicate(ranked, together(silent), np.zeros(5, int), decoder)) == [
        *((2, ()), (3, (1,)), (4, ()), (0, ())),
    ]


def test_latents_that_fire_on_the_same_images_are_shown_as_one():
    rng = np.random.default_rng(0)
    both = rng.random((70, 5)) < 0.3
    both[:, 3] = both[:, 0] ^ (rng.random(70) < 0.1)
    found = list(deduplicate(np.arange(5), together(both), both.sum(0), np.eye(5)))
    for head, members in found:
        for other in range(head + 1, 5):
            jaccard = np.sum(both[:, head] & both[:, other]) / np.sum(both[:, head] | both[:, other])
            assert (other in members) == (jaccard > 0.5)
    assert found[0] == (0, (3,)) and len(found) == 4


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 25))
def test_every_latent_stands_once_behind_the_first_that_says_the_same(seed, latents, images):
    rng = np.random.default_rng(seed)
    fires = rng.random((images, latents)) < rng.random(latents)
    directions = rng.normal(size=(latents, 2))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    ranked = rng.permutation(latents)
    expected: dict[int, list[int]] = {}
    for latent in ranked.tolist():  # one at a time, against those that lead so far

        def same(head, latent=latent):
            either = np.sum(fires[:, head] | fires[:, latent])
            jaccard = np.sum(fires[:, head] & fires[:, latent]) / max(either, 1)
            return directions[head] @ directions[latent] > 0.9 or jaccard > 0.5

        first = next(filter(same, expected), None)
        if first is None:
            expected[latent] = []
        else:
            expected[first].append(latent)
    found = deduplicate(ranked, together(fires), fires.sum(0), directions)
    assert list(found) == [(head, tuple(members)) for head, members in expected.items()]


def test_only_as_many_are_formed_as_are_asked_for():
    asked = []

    def counting(latent):
        asked.append(latent)
        return np.zeros(5, int)

    places = deduplicate(np.array([4, 0, 1]), counting, np.zeros(5, int), np.eye(5))
    assert list(islice(places, 2)) == [(4, ()), (0, ())]
    assert asked == [4, 0]
    assert list(deduplicate(np.array([], dtype=int), counting, np.zeros(5, int), np.eye(5))) == []
