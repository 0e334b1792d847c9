from __future__ import annotations

import numpy as np

from latentdiff.naming import WordVectors
from latentdiff.proposals import text_vectors


class NoEncoder:
    """All words are of the vocabulary: nothing is embedded."""


def vocabulary() -> WordVectors:
    angles = {"kite": 0.0, "kite surfing": 0.4, "viola": 1.4, "dj": 1.6}
    vectors = np.array([[np.cos(angle), np.sin(angle)] for angle in angles.values()])
    return WordVectors.from_arrays(tuple(angles), vectors, centre=False)


def test_a_hypothesis_is_its_first_word_and_what_is_near_to_it() -> None:
    found = text_vectors([("kite", "viola", "kite surfing", "dj"), ("viola", "dj")], vocabulary(), NoEncoder())
    np.testing.assert_allclose(found[0], [np.cos(0.2), np.sin(0.2)], atol=1e-6)
    np.testing.assert_allclose(found[1], [np.cos(1.5), np.sin(1.5)], atol=1e-6)
