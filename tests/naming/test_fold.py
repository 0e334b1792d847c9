from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from latentdiff.naming.fold import fold

PLURALS = (
    "dog/dogs horse/horses bus/buses glass/glasses box/boxes axe/axes church/churches cherry/cherries pie/pies "
    "tomato/tomatoes shoe/shoes man/men wolf/wolves goose/geese cheese/cheeses octopus/octopuses Dog/dog"
)


def test_a_plural_folds_to_its_singular() -> None:
    for pair in PLURALS.split():
        one, many = pair.split("/")
        assert fold(one) == fold(many), pair


def test_different_words_stay_different() -> None:
    for pair in ["car/care", "pin/pine", "cap/cape", "glass/gas", "plan/plane", "bras/brass", "can/cane"]:
        one, other = pair.split("/")
        assert fold(one) != fold(other), pair


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz -_S", max_size=20))
def test_spaces_hyphens_underscores_and_case_do_not_matter(phrase: str) -> None:
    assert fold(phrase.upper().replace("-", " ")) == fold(phrase) == fold(phrase.replace(" ", "_"))


def test_a_compound_folds_to_its_joined_spelling() -> None:
    assert fold("traffic lights") == fold("Traffic-light") == "trafficlight"
