from __future__ import annotations

import numpy as np

from latentdiff.naming.fidelity import EXEMPLARS
from latentdiff.proposers.sae_latents.directions import Firing, difference, exemplars

ROWS = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.6, 0.8]])


def firing(own=(True, True, False, False)) -> Firing:
    return Firing(ROWS, np.array([1.0, 0.5, 0.5, 0.25]), np.array(own), n_own=10, n_other=5)


def test_a_difference_is_what_one_side_shows_more_of_each_image_by_how_hard_it_fires():
    own, other = np.array([1.0, 0.5]) / 10, np.array([0.5 + 0.15, 0.2]) / 5
    np.testing.assert_allclose(difference(firing()), own - other)


def test_exchanging_the_sides_turns_a_difference_round_and_leaves_exemplars_as_they_are():
    turned = firing((False, False, True, True))._replace(n_own=5, n_other=10)
    np.testing.assert_allclose(difference(turned), -difference(firing()))
    np.testing.assert_array_equal(exemplars(turned), exemplars(firing()))


def test_exemplars_are_the_mean_of_those_that_fire_hardest():
    many = np.random.default_rng(0).normal(size=(EXEMPLARS + 5, 3))
    one = Firing(many, np.ones(len(many)), np.ones(len(many), bool), 30, 30)
    np.testing.assert_allclose(exemplars(one), many[:EXEMPLARS].mean(0))


def test_halves_are_every_second_image_and_make_the_whole():
    first, second = firing().half(0), firing().half(1)
    np.testing.assert_array_equal(first.rows, ROWS[[0, 2]])
    np.testing.assert_array_equal(second.own, [True, False])
    np.testing.assert_allclose(difference(first) + difference(second), difference(firing()))
