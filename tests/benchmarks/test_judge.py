from __future__ import annotations

import gzip

import pytest

from benchmarks.judge import NOUNS, accepted_words, hit, nameable, read_nouns
from benchmarks.make_wordnet import reduce_nouns

GOLDFISH, BACKPACK, REFRIGERATOR, TEDDY = "n01443537", "n02769748", "n04070727", "n04399382"


@pytest.mark.parametrize("word", ["goldfish", "Goldfish", "goldfishes", "Carassius_auratus", "carassius auratus"])
def test_the_classes_own_names_hit_in_any_spelling(word: str) -> None:
    assert hit([word], accepted_words(GOLDFISH))


def test_synonyms_hit() -> None:
    assert all(hit([word], accepted_words(BACKPACK)) for word in ("rucksacks", "knapsack", "back pack"))


def test_one_step_up_and_one_step_down_hit() -> None:
    refrigerator = accepted_words(REFRIGERATOR)
    assert hit(["white goods"], refrigerator)  # hypernym
    assert hit(["electric refrigerators"], refrigerator)  # hyponym
    assert not {"whitegood", "electricrefrigerator"} & refrigerator.own


def test_two_steps_and_unrelated_words_miss() -> None:
    assert not hit(["home appliance", "appliance", "kitchen", "backpack", ""], accepted_words(REFRIGERATOR))
    assert not hit([], accepted_words(REFRIGERATOR))


def test_one_right_word_among_wrong_ones_is_enough() -> None:
    assert hit(["plush", "toy bear", "teddy bears"], accepted_words(TEDDY))


def test_a_class_is_nameable_by_its_own_names_alone() -> None:
    assert nameable(BACKPACK, ["dog", "Rucksack"])
    assert not nameable(REFRIGERATOR, ["dog", "white goods"])


def test_the_shipped_nouns_begin_with_the_licence_and_stay_small() -> None:
    with gzip.open(NOUNS, "rt", encoding="utf-8") as handle:
        assert "Copyright 2006 by Princeton University" in handle.readline()
    assert NOUNS.stat().st_size < 50_000
    assert {GOLDFISH, BACKPACK, REFRIGERATOR, TEDDY} <= read_nouns().keys()


def test_reducing_keeps_the_licence_the_classes_and_one_step_around_them() -> None:
    licence = "# WordNet"
    lines = ["n1\tentity\t", "n2\tanimal\tn1", "n3\tdog\tn2|n9", "n4\tpuppy\tn3", "n5\tpug pup\tn4", "n9\tpet\tn1"]
    reduced = reduce_nouns([licence, *lines], {"n3"})
    assert reduced == [licence, "n2\tanimal\t", "n3\tdog\tn2|n9", "n4\tpuppy\tn3", "n9\tpet\t"]


def test_reducing_names_the_classes_that_are_not_there() -> None:
    with pytest.raises(SystemExit, match="n7"):
        reduce_nouns(["# WordNet", "n1\tentity\t"], {"n1", "n7"})
