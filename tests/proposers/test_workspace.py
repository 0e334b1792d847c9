from __future__ import annotations

import numpy as np
import pytest

from latentdiff.naming import WordVectors
from latentdiff.proposers.workspace import Workspace


def two_sets(make):
    rng = np.random.default_rng(0)
    return (make.sparse_set(rng, n, np.full(4, 0.4)) for n in (50, 30))


def test_directions_are_the_decoders_rows_at_unit_length(make):
    a, b = two_sets(make)
    decoder = np.diag([1.0, 2.0, 0.5, 3.0])
    decoder[3] = [0, 3, 0, 4]
    found = make.latents(a, b, decoder=decoder).directions
    np.testing.assert_allclose(found, [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0.6, 0, 0.8]])


def test_monosemanticity_is_that_of_both_sets_as_one(make):
    a, b = two_sets(make)
    embeddings = np.concatenate([make.unit_rows(50), make.unit_rows(30)])
    whole = make.statistics(np.concatenate([a, b]), embeddings).moments.monosemanticity()
    np.testing.assert_allclose(make.latents(a, b).monosemanticity, whole, atol=1e-6)


def test_firings_are_sorted_once_and_shared(make):
    latents = make.latents(*two_sets(make))
    assert latents.activations is latents.activations
    assert latents.activations.n == 80


def test_the_lists_of_latents_are_their_images_hardest_first_in_the_pooled_order(make):
    rng = np.random.default_rng(3)
    a, b = (np.ceil(2 * make.sparse_set(rng, n, np.array([0.5, 0.2, 0.0, 0.9]))) for n in (40, 25))
    one, other = make.workspace(a, b), make.workspace(b, a)
    pooled = one.contrast.pooled
    activation = pooled.gather({"a": a, "b": b})
    lists = one.latent_lists
    assert len(lists) == 4
    for latent in range(4):
        images = lists.images[lists.starts[latent] : lists.starts[latent + 1]]
        assert sorted(images) == np.flatnonzero(activation[:, latent]).tolist()
        assert (np.diff(activation[images, latent]) <= 0).all()
    np.testing.assert_array_equal(lists.images, other.latent_lists.images)  # whichever set comes first
    np.testing.assert_array_equal(lists.values, other.latent_lists.values)


def test_latents_are_named_by_their_decoder_rows(make):
    a, b = two_sets(make)
    latents = make.latents(a, b, decoder=np.eye(4)[::-1])
    assert [name.words[0] for name in latents.names] == ["word3", "word2", "word1", "word0"]


def test_raw_words_are_not_centred(make):
    rows = np.array([[3.0, 4.0], [4.0, 3.0]])
    workspace = Workspace(make.contrast(np.ones((2, 1)), np.ones((2, 1))), None, WordVectors.from_arrays("xy", rows))
    np.testing.assert_allclose(workspace.words.uncentred.vectors, rows / 5, atol=1e-6)
    assert workspace.words.vectors[0] @ workspace.words.vectors[1] == pytest.approx(-1, abs=1e-6)
