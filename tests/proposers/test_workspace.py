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


def test_raw_words_are_not_centred(make):
    rows = np.array([[3.0, 4.0], [4.0, 3.0]])
    workspace = Workspace(make.contrast(np.ones((2, 1)), np.ones((2, 1))), None, WordVectors.from_arrays("xy", rows))
    np.testing.assert_allclose(workspace.words.uncentred.vectors, rows / 5, atol=1e-6)
    assert workspace.words.vectors[0] @ workspace.words.vectors[1] == pytest.approx(-1, abs=1e-6)
