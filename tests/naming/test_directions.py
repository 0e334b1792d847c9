from __future__ import annotations

import numpy as np

from latentdiff.naming.directions import Firings, difference_direction, exemplar_direction

D = 24


def normal(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, D)).astype(np.float32)


def firings(codes: np.ndarray, embeddings: np.ndarray) -> Firings:
    rows = np.flatnonzero(codes)
    return Firings(rows, codes[rows].astype(np.float32), len(codes), embeddings)


def test_a_difference_is_that_of_the_means_of_activation_times_centred_embedding() -> None:
    own, other, centre = normal(20_000, 1), normal(300, 2), normal(1, 3)[0]
    codes = [np.maximum(normal(len(x), 4)[:, 0], 0) for x in (own, other)]
    expected = (codes[0][:, None] * (own - centre)).mean(0) - (codes[1][:, None] * (other - centre)).mean(0)
    found = difference_direction(firings(codes[0], own), firings(codes[1], other), centre)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_both_sets_have_of_a_latent_cancels() -> None:
    """A latent that fires for two things, one in both sets alike and one in one of them alone."""
    common, planted = np.eye(D)[0], np.eye(D)[1]
    noise = 0.05 * normal(400, 1)
    own = noise[:200] + np.where(np.arange(200)[:, None] < 100, common, planted)
    other = noise[200:] + np.where(np.arange(200)[:, None] < 100, common, -common)
    fires_own, fires_other = np.ones(200), (np.arange(200) < 100).astype(float)
    found = difference_direction(firings(fires_own, own), firings(fires_other, other), np.zeros(D))
    assert found @ planted / np.linalg.norm(found) > 0.99


def test_a_latent_that_never_fires_has_no_difference() -> None:
    silent = firings(np.zeros(50), normal(50, 1))
    assert not difference_direction(silent, silent, normal(1, 2)[0]).any()


def test_exemplars_are_the_weighted_mean_of_the_strongest_of_both_sets() -> None:
    own, other, centre = normal(400, 1), normal(300, 2), normal(1, 3)[0]
    codes = [np.maximum(normal(len(x), 4)[:, 0], 0) for x in (own, other)]
    values, rows = np.concatenate(codes), np.concatenate([own, other])
    top = np.argsort(-values)[:100]
    expected = np.average(rows[top], axis=0, weights=values[top]) - centre
    found = exemplar_direction(firings(codes[0], own), firings(codes[1], other), centre)
    np.testing.assert_allclose(found, expected, atol=1e-5)
