from __future__ import annotations

import numpy as np

from latentdiff.naming.ranked_words import best_words


def test_plurals_and_spellings_of_one_word_take_one_place() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6, -np.inf])
    assert best_words(scores, ["kites", "kite", "tie", "Kite", "cup"], 4) == [0, 2]


def test_no_more_words_are_taken_than_asked_for_and_of_equals_the_first() -> None:
    assert best_words(np.array([0.1, 0.5, 0.5, 0.2]), ["cup", "kite", "tie", "car"], 2) == [1, 2]
