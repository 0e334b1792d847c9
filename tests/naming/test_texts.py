from __future__ import annotations

import numpy as np
import torch

from latentdiff.naming import WordVectors, text_vectors


class NoEncoder:
    """All words are of the vocabulary: nothing is embedded."""


class OneDirection:
    """Embeds any text the same way, and remembers what was asked for."""

    def __init__(self, row: list[float]) -> None:
        self.row, self.dimension, self.asked = row, len(row), []

    def encode_texts(self, texts: list[str]) -> torch.Tensor:
        self.asked += texts
        return torch.tensor([self.row] * len(texts))


def vocabulary() -> WordVectors:
    angles = {"kite": 0.0, "kite surfing": 0.4, "viola": 1.4, "dj": 1.6}
    vectors = np.array([[np.cos(angle), np.sin(angle)] for angle in angles.values()])
    return WordVectors.from_arrays(tuple(angles), vectors, centre=False)


def test_a_hypothesis_is_its_first_word_and_what_is_near_to_it() -> None:
    found = text_vectors([("kite", "viola", "kite surfing", "dj"), ("viola", "dj")], vocabulary(), NoEncoder())
    np.testing.assert_allclose(found[0], [np.cos(0.2), np.sin(0.2)], atol=1e-6)
    np.testing.assert_allclose(found[1], [np.cos(1.5), np.sin(1.5)], atol=1e-6)


def test_a_first_word_without_a_direction_does_not_stop_the_others() -> None:
    words = WordVectors.from_arrays(("nothing", "kite"), np.array([[0.0, 0.0], [1.0, 0.0]]), centre=False)
    found = text_vectors([("nothing", "kite"), ("kite",)], words, NoEncoder())
    np.testing.assert_allclose(found, [[0, 0], [1, 0]], atol=1e-6)


def test_only_words_outside_the_vocabulary_are_embedded_each_once() -> None:
    encoder = OneDirection([0.0, 2.0])
    words = WordVectors.from_arrays(("kite",), np.array([[1.0, 0.0]]), centre=False, templates=("{}",))
    found = text_vectors([("kite",), ("a red ball",), ("a red ball", "kite")], words, encoder)
    np.testing.assert_allclose(found, [[1, 0], [0, 1], [0, 1]], atol=1e-6)
    assert encoder.asked == ["a red ball"]


def test_no_texts_have_no_vectors() -> None:
    assert text_vectors([], vocabulary(), NoEncoder()).shape == (0, 2)
