from __future__ import annotations

import pytest

from benchmarks.judge import accepted_words, hit, nameable

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
