from __future__ import annotations

import numpy as np

from latentdiff.concepts.hygiene import ACTIVE, IMPURE, UNNAMED, group, hide

COUNT = np.array([50, 40, 30, 20, 10, 0])
PURITY = np.array([0.9, 0.1, 0.8, np.nan, 0.7, np.nan])
COSINE = np.array([0.5, 0.4, 0.1, 0.3, np.nan, 0.0])
TESTED = np.arange(5)


def hidden(active=0.0, impure=0.0, unnamed=0.0):
    masks = hide(TESTED, COUNT, PURITY, COSINE, active=active, impure=impure, unnamed=unnamed)
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
    masks = hide(TESTED, np.full(6, 3), PURITY, COSINE, active=0.4, impure=0.0, unnamed=0.0)
    np.testing.assert_array_equal(np.flatnonzero(masks[ACTIVE]), [0, 1])


def test_equal_directions_are_shown_as_one(make):
    decoder = np.eye(5)
    decoder[3] = 0.3 * decoder[1] + 0.03 * decoder[0]  # cosine .995, of another length
    decoder[4] = -decoder[1]
    silent = make.statistics(np.zeros((4, 5)))
    ranked = np.array([2, 3, 4, 1, 0])
    assert group(ranked, 10, decoder, silent, silent) == [(2, ()), (3, (1,)), (4, ()), (0, ())]


def test_latents_that_fire_on_the_same_images_are_shown_as_one(make):
    rng = np.random.default_rng(0)
    a, b = rng.random((40, 5)) < 0.3, rng.random((30, 5)) < 0.3
    a[:, 3] = a[:, 0] ^ (rng.random(40) < 0.1)
    b[:, 3] = b[:, 0] ^ (rng.random(30) < 0.1)
    both = np.concatenate([a, b])
    found = group(np.arange(5), 10, np.eye(5), make.statistics(a), make.statistics(b))
    for head, members in found:
        for other in range(head + 1, 5):
            jaccard = np.sum(both[:, head] & both[:, other]) / np.sum(both[:, head] | both[:, other])
            assert (other in members) == (jaccard > 0.5)
    assert found[0] == (0, (3,)) and len(found) == 4


def test_no_more_groups_are_formed_than_asked_for(make):
    silent = make.statistics(np.zeros((4, 5)))
    assert group(np.array([4, 0, 1]), 2, np.eye(5), silent, silent) == [(4, ()), (0, ())]
    assert group(np.array([], dtype=int), 2, np.eye(5), silent, silent) == []
