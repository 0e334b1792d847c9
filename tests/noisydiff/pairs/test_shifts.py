from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentdiff.errors import LatentDiffError
from latentdiff.noisydiff.pairs.builder import SetSource
from latentdiff.noisydiff.pairs.pair import Pair, read_pairs, write_pairs
from latentdiff.noisydiff.pairs.rebuild import rebuild
from latentdiff.noisydiff.pairs.shifts import BUILDER, Known, Planting, ShiftSettings, Styled, shift_pair, shift_pairs

CLASSES = ("dog", "horse", "house")
STYLES = ("photo", "sketch", "cartoon")


def images(styles: Sequence[str] = STYLES, each: int = 40) -> Known:
    return {
        f"{style}-{name}-{i:02d}": Styled(style, name, frozenset({name}))
        for style in styles
        for name in CLASSES
        for i in range(each)
    }


KNOWN = images()
SETTINGS = ShiftSettings(each=30, classes=2)


def kinds(ids: Sequence[str], known: Known = KNOWN) -> Counter[tuple[str, str]]:
    return Counter((known[id].style, known[id].group) for id in ids)


def of(pairs: Sequence[Pair], share: float | None) -> list[Pair]:
    return [pair for pair in pairs if pair.recipe["scarcity"] == share]


def test_alone_two_styles_have_every_class_equally_often_and_no_truth_but_the_shift() -> None:
    pairs = of(shift_pairs(KNOWN, SETTINGS), None)
    assert [pair.id for pair in pairs] == ["cartoon-photo/alone", "cartoon-sketch/alone", "photo-sketch/alone"]
    for pair in pairs:
        a, b = pair.recipe["values"]
        assert kinds(pair.a) == {(a, name): 30 for name in CLASSES}
        assert kinds(pair.b) == {(b, name): 30 for name in CLASSES}
        assert (pair.shift["a"].phrase, pair.shift["b"].phrase) == (a, b)
        assert not pair.truth and not pair.planted and pair.scarcity == 0 and not pair.is_null


@pytest.mark.parametrize(("share", "more"), [(0.04, 4), (0.08, 8)])
def test_a_planted_class_has_that_many_more_images_on_one_side_and_its_balanced_share_on_the_other(
    share: float, more: int
) -> None:
    pairs = shift_pairs(KNOWN, SETTINGS)
    assert len(of(pairs, share)) == 3 * 2
    alone = {tuple(pair.recipe["values"]): pair for pair in of(pairs, None)}
    for pair in of(pairs, share):
        ((side, truth),) = pair.truth.items()
        own, other = (pair.a, pair.b) if side == "a" else (pair.b, pair.a)
        plain = alone[tuple(pair.recipe["values"])]
        assert set(plain.a) <= set(pair.a) and set(plain.b) <= set(pair.b)
        added = (set(pair.a) | set(pair.b)) - set(plain.a) - set(plain.b)
        assert {KNOWN[id].group for id in added} == {truth.phrase} and added <= set(own)
        assert len(added) == pair.planted[side] == more and len(other) == 90
        assert pair.scarcity == pytest.approx(more / len(own)) == pytest.approx(share, abs=0.005)
        assert set(pair.shift) == {"a", "b"}


def test_classes_are_planted_in_turn_on_both_sides_and_smaller_shares_lie_within_larger_ones() -> None:
    pairs = shift_pairs(KNOWN, SETTINGS)
    few, many = of(pairs, 0.04), of(pairs, 0.08)
    assert Counter(side for pair in few for side in pair.truth) == {"a": 3, "b": 3}
    for two in {tuple(pair.recipe["values"]) for pair in few}:
        assert len({pair.recipe["planted"] for pair in few if tuple(pair.recipe["values"]) == two}) == 2
    for one, other in zip(few, many, strict=True):
        assert one.truth == other.truth
        assert set(one.a) <= set(other.a) and set(one.b) <= set(other.b)


def test_within_one_style_there_is_no_shift_and_with_nothing_planted_no_difference() -> None:
    pairs = shift_pairs(KNOWN, replace(SETTINGS, values=("photo",), each=15, classes=None))
    (null,) = of(pairs, None)
    assert null.is_null and null.id == "photo/alone"
    assert len(of(pairs, 0.08)) == len(CLASSES)
    for pair in pairs:
        assert not pair.shift and not set(pair.a) & set(pair.b)
        assert {KNOWN[id].style for id in (*pair.a, *pair.b)} == {"photo"}


def test_draws_are_other_images_of_the_same_kind() -> None:
    pairs = shift_pairs(KNOWN, replace(SETTINGS, values=("photo", "sketch"), draws=3))
    alone = of(pairs, None)
    assert [pair.id for pair in alone] == ["photo-sketch/alone", "photo-sketch/alone#1", "photo-sketch/alone#2"]
    assert len({pair.a for pair in alone}) == 3
    assert len({pair.id for pair in pairs}) == len(pairs) == 3 * (1 + 2 * 2)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 99), st.sampled_from([None, 0.04, 0.1]), st.booleans(), st.randoms())
def test_the_same_pair_comes_from_its_recipe_whatever_the_order_of_the_rows(
    seed: int, share: float | None, one_style: bool, rng: random.Random
) -> None:
    planting = Planting("dog", "b", share) if share else None
    values = ("photo", "photo") if one_style else ("photo", "sketch")
    pair = shift_pair(KNOWN, values, 15, planting, names={"photo": ["picture"]}, seed=seed)
    rows = list(KNOWN.items())
    rng.shuffle(rows)
    assert rebuild(pair, dict(rows)) == pair
    assert not set(pair.a) & set(pair.b)


def test_pairs_with_a_shift_are_read_as_they_were_written(tmp_path: Path) -> None:
    pairs = shift_pairs(KNOWN, replace(SETTINGS, names=("sketch=drawing|line drawing",)))
    assert pairs[-1].shift["b"].names == ("sketch", "drawing", "line drawing")
    write_pairs(pairs, tmp_path / "pairs.jsonl")
    assert read_pairs(tmp_path / "pairs.jsonl") == pairs
    assert rebuild(pairs[-1], KNOWN) == pairs[-1]


def test_images_with_several_labels_are_drawn_as_they_come_and_a_label_is_planted_beside_them() -> None:
    rng = random.Random(0)
    known = {
        str(i): Styled(("colour", "sketch")[i % 2], "", frozenset(n for n in CLASSES if rng.random() < 0.3))
        for i in range(800)
    }
    alone, *planted = shift_pairs(known, ShiftSettings(each=200, classes=3, shares=(0.1,)))
    assert len(alone.a) == len(alone.b) == 200
    assert len(planted) == 3
    for pair in planted:
        ((side, truth),) = pair.truth.items()
        own, plain = (pair.a, alone.a) if side == "a" else (pair.b, alone.b)
        added = set(own) - set(plain)
        assert len(added) == 22 and all(truth.phrase in known[id].labels for id in added)


def source(context: str | None = "label", images: str = "pacs/*.tar", **columns: list[Any]) -> SetSource:
    ids = list(KNOWN)
    given = {"style": [KNOWN[id].style for id in ids], "label": [KNOWN[id].group for id in ids], **columns}
    return SetSource("pacs", images, pa.table({"id": ids, **given}), "style", context)


def test_columns_of_styles_and_classes_become_pairs_and_tell_what_every_image_shows() -> None:
    setting = replace(SETTINGS, names=("photo=picture",))
    assert BUILDER.build(source(), setting) == shift_pairs(KNOWN, setting)
    assert BUILDER.annotated is not None
    known = BUILDER.annotated(source(), setting)
    assert known.labels["photo-dog-01"] == {"photo", "dog"}
    assert known.truths["photo"].names == ("photo", "picture")
    for pair in shift_pairs(KNOWN, setting):
        assert {*pair.truth.values(), *pair.shift.values()} <= set(known.truths.values())


def test_labels_of_a_rendered_world_are_called_by_all_of_its_words() -> None:
    labels = [["dog", "umbrella"] if i % 2 else ["dog"] for i in range(len(KNOWN))]
    world = source(images="world:everyday?images=360", label=labels)
    pairs = BUILDER.build(world, replace(SETTINGS, each=50, values=("photo", "sketch")))
    truths = {truth.phrase: truth for pair in pairs for truth in pair.truth.values()}
    assert "parasol" in truths["umbrella"].names
    assert BUILDER.annotated is not None
    assert set(truths.values()) <= set(BUILDER.annotated(world, SETTINGS).truths.values())


def test_without_a_column_of_classes_styles_are_compared_as_they_are() -> None:
    (pair,) = BUILDER.build(source(None), ShiftSettings(values=("photo", "sketch"), each=100, shares=()))
    assert len(pair.a) == len(pair.b) == 100
    with pytest.raises(LatentDiffError, match=r"sets\.pacs\.context, or set sets\.pacs\.shifts\.shares"):
        BUILDER.build(source(None), SETTINGS)


def test_shifts_that_cannot_be_had_say_why() -> None:
    with pytest.raises(LatentDiffError, match="unknown style 'phto'; did you mean"):
        shift_pairs(KNOWN, ShiftSettings(values=("phto",)))
    with pytest.raises(LatentDiffError, match="name one in values"):
        shift_pairs(images(("photo",)))
    with pytest.raises(LatentDiffError, match="41 images of each class were asked for"):
        shift_pairs(KNOWN, ShiftSettings(each=41))
    with pytest.raises(LatentDiffError, match="1 classes were to be planted in cartoon and photo, 0 have enough"):
        shift_pairs(KNOWN, ShiftSettings(each=39))
    apart = {id: one for id, one in KNOWN.items() if (one.style == "photo") == (one.group == "dog")}
    with pytest.raises(LatentDiffError, match="'cartoon' and 'photo' have no class in common"):
        shift_pairs(apart)
    with pytest.raises(LatentDiffError, match="draws is 0; use 1 or more"):
        ShiftSettings(draws=0)
    with pytest.raises(LatentDiffError, match="share between 0 and 1"):
        ShiftSettings(shares=(1.5,))
    with pytest.raises(LatentDiffError, match="write a style and its names"):
        ShiftSettings(names=("sketch",))
