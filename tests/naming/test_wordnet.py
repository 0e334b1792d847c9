from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentdiff.errors import LatentDiffError
from latentdiff.naming.wordnet import NOUNS, Noun, WordNet, read_wordnet

DOG, BACKPACK, COMPUTER_MOUSE = "n02084071", "n02769748", "n03793489"

#     entity
#    /      \
# animal   pet  <- the dog's second way up is as short
#    \      /
#      dog - puppy - pug pup
SMALL = WordNet(
    {
        "n1": Noun(("entity",), ()),
        "n2": Noun(("animal", "beast"), ("n1",)),
        "n9": Noun(("pet",), ("n1",)),
        "n3": Noun(("dog", "domestic dog"), ("n9", "n2")),
        "n4": Noun(("puppy",), ("n3",)),
        "n5": Noun(("pug pup",), ("n4", "n99")),  # n99 is not in the table
        "n6": Noun(("firedog", "dog"), ("n1",)),
    }
)


def test_names_are_the_nouns_own_and_those_one_step_away() -> None:
    names = SMALL.names("n3")
    assert names.own == {"dog", "domesticdog"}
    assert names.one_step == {"animal", "beast", "pet", "puppy"}


def test_a_hypernym_outside_the_table_is_left_out() -> None:
    assert SMALL.above("n5") == ("n4",)
    assert SMALL.names("n5").one_step == {"puppy"}


def test_of_two_ways_down_of_equal_length_that_of_the_smaller_id_counts() -> None:
    assert SMALL.path("n4") == ("n1", "n2", "n3", "n4")
    assert SMALL.depth("n4") == 3
    assert SMALL.depth("n1") == 0


def test_a_group_is_the_noun_at_the_depth_and_shallow_ones_stand_alone() -> None:
    assert [SMALL.group(wnid, 2) for wnid in ("n5", "n4", "n6", "n9")] == ["n3", "n3", "n6", "n9"]
    assert {SMALL.group(wnid, 0) for wnid in ("n5", "n4", "n6")} == {"n1"}


def test_a_phrase_in_any_spelling_has_all_its_meanings() -> None:
    assert SMALL.meanings("Dogs") == ("n3", "n6")
    assert SMALL.meanings("sled") == ()


def test_annotators_mean_the_listed_noun_or_the_only_one() -> None:
    nouns = read_wordnet()
    assert nouns.meant("mouse") == COMPUTER_MOUSE  # listed
    assert nouns.meant("Rucksacks") == BACKPACK  # its only meaning
    assert nouns.meant("refrigerator") == "n04070727"
    assert nouns.meant("consolidation") is None  # listed as none
    assert nouns.meant("spring") is None  # several
    assert nouns.meant("no such thing") is None


def test_all_listed_nouns_are_in_the_table() -> None:
    rows = (NOUNS.parent / "object_nouns.tsv").read_text(encoding="utf-8").splitlines()[1:]
    nouns = read_wordnet()
    for name, wnid in (row.split("\t") for row in rows):
        assert nouns.meant(name) == (wnid or None)
        assert not wnid or nouns[wnid].lemmas


def test_the_shipped_table_is_whole_and_begins_with_the_licence() -> None:
    with gzip.open(NOUNS, "rt", encoding="utf-8") as handle:
        assert "Copyright 2006 by Princeton University" in handle.readline()
    nouns = read_wordnet()
    assert len(nouns.nouns) == 82_115
    assert nouns.depth("n00001740") == 0 and nouns.depth(DOG) == 8
    assert NOUNS.stat().st_size < 2_000_000


IDS = sorted(read_wordnet().nouns)


@settings(deadline=None)
@given(st.sampled_from(IDS))
def test_every_step_of_the_way_down_is_one_deeper(wnid: str) -> None:
    nouns = read_wordnet()
    path = nouns.path(wnid)
    assert [nouns.depth(one) for one in path] == list(range(len(path)))
    assert all(above in nouns.above(one) for above, one in pairwise(path))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("n1\tentity\n", "line 1 is 'n1"),
        ("# licence\nn1\t\t\n", "line 2"),
        ("n1\ta\tn2\nn2\tb\tn1\n", "is a circle"),
    ],
)
def test_a_table_that_is_none_is_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "nouns.tsv.gz"
    file.write_bytes(gzip.compress(text.encode()))
    with pytest.raises(LatentDiffError, match=complaint) as error:
        read_wordnet(file)
    assert "\n" not in str(error.value)


def test_a_truncated_or_missing_table_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "cut.tsv.gz"
    file.write_bytes(NOUNS.read_bytes()[:5000])
    for path in (file, tmp_path / "none.tsv.gz"):
        with pytest.raises(LatentDiffError, match="cannot read the nouns"):
            read_wordnet(path)


def test_an_unknown_noun_or_a_negative_depth_says_so() -> None:
    for ask in (SMALL.names, SMALL.path, SMALL.below):
        with pytest.raises(LatentDiffError, match="'n7' is not among the 7 nouns"):
            ask("n7")
    with pytest.raises(LatentDiffError, match="depth of groups is -1"):
        SMALL.group("n3", -1)
