from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdiff.language import Difference, LanguageSettings, summarise
from latentdiff.language.phrases import contrastive_phrases, log_odds_z

counts = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)).filter(any), min_size=2, max_size=8)


def monroe(uses_a, uses_b, w):
    """Equations 16, 19, 20 and 22 of Monroe et al., word by word, with the pooled counts as the prior."""
    alpha = [a + b for a, b in zip(uses_a, uses_b, strict=True)]
    alpha_0, n_a, n_b = sum(alpha), sum(uses_a), sum(uses_b)
    odds_a = (uses_a[w] + alpha[w]) / (n_a + alpha_0 - uses_a[w] - alpha[w])
    odds_b = (uses_b[w] + alpha[w]) / (n_b + alpha_0 - uses_b[w] - alpha[w])
    variance = 1 / (uses_a[w] + alpha[w]) + 1 / (uses_b[w] + alpha[w])
    return (math.log(odds_a) - math.log(odds_b)) / math.sqrt(variance)


@given(counts)
def test_the_score_is_monroes_formula(pairs):
    uses_a, uses_b = (list(column) for column in zip(*pairs, strict=True))
    z = log_odds_z(np.array(uses_a, float), np.array(uses_b, float))
    assert z == pytest.approx([monroe(uses_a, uses_b, w) for w in range(len(pairs))], abs=1e-9)


@given(counts)
def test_exchanging_the_lists_negates_the_score(pairs):
    uses_a, uses_b = (np.array(column, float) for column in zip(*pairs, strict=True))
    np.testing.assert_array_equal(log_odds_z(uses_a, uses_b), -log_odds_z(uses_b, uses_a))


def test_tags_give_the_phrase_that_one_side_alone_has_and_the_captions_that_say_it():
    a = ["solar panels, roof, sky", "field, solar panels", "road, tree", "solar panels, tree"]
    b = ["river, boat", "field, river", "road, tree", "river, tree"]
    found = contrastive_phrases(a, b, 5)
    assert found == [Difference("solar panels", "a", (0, 1, 3)), Difference("river", "b", (0, 1, 3))]
    assert contrastive_phrases(b, a, 5) == [replace(found[1], side="a"), replace(found[0], side="b")]


def test_sentences_give_phrases_without_function_words_at_their_ends():
    a = ["a dog on a skateboard", "the dog rides on a skateboard", "A man with a dog."]
    found = contrastive_phrases(a, ["a cat", "a cat on a sofa", "two cats"], 3)
    assert {d.phrase for d in found if d.side == "a"} == {"dog", "skateboard"}
    assert found[0].phrase == "dog"


def test_a_phrase_of_one_caption_alone_is_no_pattern_however_often_it_repeats_itself():
    assert contrastive_phrases(["ball, ball, ball", "tree"], ["house", "car"], 5) == []


def test_what_both_sides_say_alike_is_no_difference():
    assert contrastive_phrases(["dog, ball"] * 5, ["dog, ball"] * 5, 5) == []


def test_phrases_do_not_cross_commas():
    found = contrastive_phrases(["red, car"] * 3, ["sea"] * 3, 5)
    assert "red car" not in {d.phrase for d in found}


def test_words_of_other_alphabets_are_words():
    found = contrastive_phrases(["ein Hund läuft", "größer Hund"], ["犬 と 猫", "犬"], 5)
    assert {d.phrase for d in found} >= {"hund", "犬"}


def test_no_captions_give_no_phrases():
    assert summarise(["", ""], [""], LanguageSettings()) == []
    assert summarise(["the", "a of"], [], LanguageSettings()) == []


def test_no_more_phrases_than_asked_for_come_back():
    a = [f"{word}, tree" for word in ("ball", "kite", "sled", "drum") for _ in range(3)]
    found = summarise(a, ["tree"] * 12, LanguageSettings(phrases=2))
    assert len([d for d in found if d.side == "a"]) == 2
