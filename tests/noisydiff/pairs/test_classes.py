from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentdiff.errors import LatentDiffError
from latentdiff.images.worlds.source import WorldSource
from latentdiff.naming.wordnet import read_wordnet
from latentdiff.noisydiff.pairs.classes import ClassSettings, class_pair, class_pairs, grouped
from latentdiff.noisydiff.pairs.labels import Labels
from latentdiff.noisydiff.pairs.null_pairs import null_pairs
from latentdiff.noisydiff.pairs.rebuild import rebuild
from latentdiff.noisydiff.pairs.worlds import WorldSettings, world_pairs

TABBY, SIAMESE, PUG, BEAGLE = "n02123045", "n02123597", "n02110958", "n02088364"
MUG, TEAPOT = "n03797390", "n04398044"
WNIDS = (TABBY, SIAMESE, PUG, BEAGLE, MUG, TEAPOT)


def images_of(*classes: str, each: int = 60) -> dict[str, str]:
    return {f"{name}-{i:02d}": name for i in range(each) for name in classes}


TWELVE = images_of(*"abcdefghijkl")


def kinds(ids: tuple[str, ...], classes: dict[str, str]) -> Counter[str]:
    return Counter(classes[id] for id in ids)


def test_the_planted_form_is_that_of_the_photographs() -> None:
    setting = ClassSettings(scarcity=40 / 240, background=10, each=20)
    pair = class_pair(TWELVE, ("c", "f"), setting)
    assert kinds(pair.a, TWELVE) == {**dict.fromkeys("abdeghijkl", 20), "c": 40}
    assert kinds(pair.b, TWELVE) == {**dict.fromkeys("abdeghijkl", 20), "f": 40}
    assert not set(pair.a) & set(pair.b)
    assert (pair.truth["a"].phrase, pair.truth["b"].phrase) == ("c", "f")


def test_a_rarer_class_leaves_the_background_balanced() -> None:
    pair = class_pair(TWELVE, ("c", "f"), ClassSettings(scarcity=0.5))
    count = kinds(pair.a, TWELVE)
    assert count.pop("c") == 60
    assert set(count.values()) == {6}


def test_the_removed_form_takes_one_class_from_each_of_two_halves() -> None:
    pair = class_pair(TWELVE, ("c", "f"), ClassSettings("removed", scarcity=None))
    assert kinds(pair.a, TWELVE) == dict.fromkeys("abcdeghijkl", 30)
    assert kinds(pair.b, TWELVE) == dict.fromkeys("abdefghijkl", 30)
    assert not set(pair.a) & set(pair.b)
    assert pair.scarcity == pytest.approx(1 / 11)


@settings(deadline=None, max_examples=30)
@given(
    st.sampled_from(["planted", "removed"]),
    st.sampled_from([0.1, 0.05, 0.02, 0.01, 0.005]),
    st.integers(0, 99),
    st.randoms(),
)
def test_any_scarcity_is_met_disjoint_and_whatever_the_order(
    form: str, scarcity: float, seed: int, rng: object
) -> None:
    rows = list(TWELVE.items())
    rng.shuffle(rows)  # type: ignore[attr-defined]
    setting = ClassSettings(form, 3, scarcity, seed=seed)
    pairs = class_pairs(TWELVE, setting)
    assert class_pairs(dict(rows), setting) == pairs
    assert len({name for pair in pairs for name in pair.recipe["planted"]}) == 6
    for pair in pairs:
        assert rebuild(pair, dict(rows)) == pair
        assert not set(pair.a) & set(pair.b)
        x, y = pair.recipe["planted"]
        for ids, own, other in ((pair.a, x, y), (pair.b, y, x)):
            count = kinds(ids, TWELVE)
            assert not count[other] and abs(count[own] - scarcity * len(ids)) <= 0.5


def test_classes_stand_for_wordnet_groups_at_a_depth() -> None:
    nouns = read_wordnet()
    depth = nouns.depth(nouns.meant("dog") or "")
    classes = images_of(*WNIDS)
    groups = grouped(classes, depth)
    assert groups[f"{PUG}-00"] == groups[f"{BEAGLE}-00"] == "n02084071"  # dog
    pair = class_pair(classes, ("n02084071", groups[f"{MUG}-00"]), ClassSettings("removed", scarcity=None, depth=depth))
    assert kinds(pair.a, classes)[PUG] + kinds(pair.a, classes)[BEAGLE] == 60  # half of the dogs
    assert not {PUG, BEAGLE} & kinds(pair.b, classes).keys()
    assert pair.truth["a"].phrase == "dog" and pair.truth["a"].wnid == "n02084071"
    assert rebuild(pair, classes) == pair


def test_class_pairs_that_cannot_be_had_say_why() -> None:
    with pytest.raises(LatentDiffError, match="form of class pairs is 'plnted'"):
        ClassSettings("plnted")
    with pytest.raises(LatentDiffError, match="background is 0; use 1 or more"):
        ClassSettings(background=0)
    with pytest.raises(LatentDiffError, match="100 pairs were asked for, 66 can be built"):
        class_pairs(TWELVE, ClassSettings(pairs=100))
    with pytest.raises(LatentDiffError, match=r"0 can be built \(for one, 50 classes of background"):
        class_pairs(TWELVE, ClassSettings(background=50))
    with pytest.raises(LatentDiffError, match="unknown class 'z'"):
        class_pair(TWELVE, ("a", "z"))
    with pytest.raises(LatentDiffError, match="'no such thing' has no clear noun"):
        class_pairs(images_of("no such thing", "zebra"), ClassSettings(depth=5))


def pool(images: int = 1500) -> Labels:
    return {
        record.id: frozenset(record.metadata["labels"])
        for record in WorldSource(f"world:everyday?images={images}&seed=3")
    }


def test_a_world_pair_plants_one_concept_on_each_side_and_neither_in_the_background() -> None:
    labels = pool()
    setting = WorldSettings(pairs=4, scarcity=0.05, size=400)
    pairs = world_pairs(labels, "everyday", setting)
    assert len(pairs) == len({pair.id for pair in pairs}) == 4
    assert world_pairs(dict(reversed(list(labels.items()))), "everyday", setting) == pairs
    for pair in pairs:
        one, other = pair.recipe["concepts"]
        assert pair.id == f"everyday/{one}-{other}"
        assert len(pair.a) == len(pair.b) == 400 and not set(pair.a) & set(pair.b)
        for ids, own, absent in ((pair.a, one, other), (pair.b, other, one)):
            assert sum(own in labels[id] for id in ids) == 20
            assert not any(absent in labels[id] for id in ids)
        assert rebuild(pair, labels) == pair
    assert all(pair.truth["a"].phrase in pair.truth["a"].names for pair in pairs)


def test_a_pool_that_is_too_small_or_an_unknown_world_says_so() -> None:
    with pytest.raises(LatentDiffError, match="60 pairs were asked for, 0 can be built"):
        world_pairs(dict(list(pool(100).items())), "everyday")
    with pytest.raises(LatentDiffError, match="unknown world 'everday'; did you mean"):
        world_pairs({}, "everday")


@settings(deadline=None)
@given(st.sets(st.text("ab12", min_size=1), min_size=2, max_size=40), st.integers(0, 9), st.randoms())
def test_halves_of_a_set_have_no_truth_and_are_cut_anew(ids: set[str], seed: int, rng: object) -> None:
    mixed = sorted(ids)
    rng.shuffle(mixed)  # type: ignore[attr-defined]
    pairs = null_pairs(ids, 3, seed=seed)
    assert null_pairs(mixed, 3, seed=seed) == pairs
    for pair in pairs:
        assert not pair.truth and pair.scarcity == 0
        assert len(pair.a) == len(pair.b) == len(ids) // 2
        assert not set(pair.a) & set(pair.b) and set(pair.a) | set(pair.b) <= ids
        assert rebuild(pair, ids) == pair


def test_a_hundred_halves_differ_and_impossible_ones_say_why() -> None:
    ids = [str(i) for i in range(50)]
    random.Random(0).shuffle(ids)
    assert len({pair.a for pair in null_pairs(ids, 100, size=20)}) == 100
    with pytest.raises(LatentDiffError, match="two sides of 30 images cannot be cut from 50"):
        null_pairs(ids, 1, size=30)
    with pytest.raises(LatentDiffError, match="'7' occurs twice"):
        null_pairs([*ids, "7"], 1)
