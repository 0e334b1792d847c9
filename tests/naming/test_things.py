from __future__ import annotations

import re

import pytest
from wordfreq import zipf_frequency

from latentdiff.config import read_config
from latentdiff.naming import things
from latentdiff.naming.fold import fold
from latentdiff.naming.things import _Name, _use, thing_names
from latentdiff.naming.unwanted import profane, unwanted
from latentdiff.naming.vocabulary import NamingSettings, build_vocabulary, common_words
from latentdiff.naming.wordnet import read_wordnet

COMMON = build_vocabulary(NamingSettings(things=0)).words
KNOWN = frozenset(map(fold, COMMON))
ALL = thing_names(10**6, KNOWN)
DEFAULT = frozenset(ALL[:20_000])


def test_names_of_things_that_photographs_show_are_among_the_first_20000() -> None:
    assert {
        "dugong",
        "maypole",
        "water jug",
        "car part",
        "picket fence",
        "trestle table",
        "King Charles spaniel",
    } <= DEFAULT


def test_proper_names_and_latin_ones_are_out_but_not_what_is_called_by_a_proper_name_and_a_noun() -> None:
    proper = {"Paris", "City of Light", "French capital", "Asian country", "Harley Street", "Labrador"}
    latin = {"Dugong dugon", "genus Dugong", "Felis catus", "Gorilla gorilla", "Canis lupus", "Carassius auratus"}
    assert not set(ALL) & (proper | latin)
    assert {"Egyptian cat", "Dutch oven", "African elephant", "American lobster"} <= {*ALL, *COMMON}


def test_what_people_are_called_and_what_nobody_sees_is_out() -> None:
    assert not set(ALL) & {"illegal alien", "slovenly woman", "osmosis", "erythromycin", "vena cava", "sulfuric acid"}
    assert {"red wine", "martini"} <= {*ALL, *COMMON}  # alcohol is a drug, and a drink


def test_every_name_is_one_of_a_physical_entity_by_brute_force() -> None:
    nouns = read_wordnet()
    known: dict[str, bool] = {}

    def is_thing(wnid: str) -> bool:
        if wnid not in known:
            known[wnid] = wnid == "n00001930" or any(map(is_thing, nouns.above(wnid)))
        return known[wnid]

    assert set(ALL) <= {lemma for wnid in nouns.nouns if is_thing(wnid) for lemma in nouns[wnid].lemmas}


def test_a_name_has_at_most_three_words_of_letters_none_of_them_profane() -> None:
    for name in ALL:
        words = name.lower().replace("-", " ").split()
        assert name.count(" ") < 3
        assert all(re.fullmatch("[a-z][a-z']*", word) and not profane(word) for word in words), name
        assert len(words) > 1 or not unwanted(name), name
        assert name.islower() or words[-1] in name, name  # Persian cat: a name that ends as common ones do


def test_no_name_repeats_another_or_a_common_word_in_another_spelling() -> None:
    keys = [fold(name) for name in ALL]
    assert len(keys) == len(set(keys)) > 30_000
    assert not KNOWN & set(keys)


def test_fewer_names_are_the_first_of_more_and_none_is_none() -> None:
    assert thing_names(5_000, KNOWN) == ALL[:5_000]
    assert thing_names(0, KNOWN) == ()
    assert len(build_vocabulary(NamingSettings(things=10**6))) == len(COMMON) + len(ALL)


def test_usual_names_come_first_and_those_of_things_that_have_a_better_one_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def name(text: str, use: float) -> _Name:
        return _Name(text, text, use)

    def order(*of_things: tuple[_Name, ...], known: str = "dog", count: int = 9) -> tuple[str, ...]:
        monkeypatch.setattr(things, "_things", lambda: of_things)
        return thing_names.__wrapped__(count, frozenset(known.split()))

    three = (
        (name("dog", 5.0), name("pooch", 3.5)),  # dog is known: pooch is worth 1.5
        (name("ounce", 3.0), name("snow leopard", 2.5)),  # the second is worth 0.5
        (name("dugong", 2.0),),
    )
    assert order(*three) == ("ounce", "dugong", "pooch", "snow leopard")
    assert order(*three, known="dog ounce", count=2) == ("dugong", "pooch")
    fourth = (name("pooch", 3.5), name("canine", 0.0))  # a thing of which pooch is the best name
    assert order(*three, fourth) == ("pooch", "ounce", "dugong", "snow leopard", "canine")


def test_a_name_that_ends_as_what_its_thing_is_not_comes_later() -> None:
    assert "lamp shell" in ALL[20_000:]  # an animal
    frequency = zipf_frequency("lamp shell", "en")
    assert _use("lamp shell", {"animal"}) == frequency - 1 - 2
    assert _use("lamp shell", {"shell"}) == frequency - 1
    assert _use("dugong", {"animal"}) == zipf_frequency("dugong", "en")


@pytest.mark.parametrize("method", ["paper", "gsclip", "mean-shift"])
def test_published_methods_keep_the_common_words(method: str) -> None:
    llm = ["language.llm.base_url=http://localhost:1/v1", "language.llm.model=x"]
    naming = read_config(overrides=[f"method={method}", *llm]).naming
    assert build_vocabulary(naming).words == COMMON
    assert COMMON[:20_000] == common_words(20_000)
