from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdiff.contrasts import Contrast
from latentdiff.embeddings import EmbeddingSet, from_arrays
from latentdiff.hypotheses import SIDES, ImageRef, Part, opposite


def image_set(side: str, n: int, uris: bool = False) -> EmbeddingSet:
    rows = np.random.default_rng(ord(side)).normal(size=(n, 4))
    table = {"uri": [f"{side}/{row}.png" for row in range(n)]} if uris else None
    return from_arrays(rows, [f"{side}{row}" for row in range(n)], table=table)


@pytest.fixture
def whole() -> Contrast:
    return Contrast.between(image_set("a", 5), image_set("b", 4))


@pytest.fixture
def part(whole: Contrast) -> Contrast:
    return whole.among({"a": np.array([1, 3]), "b": np.array([0, 2, 3])}, Part.DISCOVERY)


def test_whole_sets_are_all_their_rows(whole: Contrast, part: Contrast) -> None:
    assert [whole.size(side) for side in SIDES] == [5, 4]
    assert all(whole.groups[side] is whole.sets[side] for side in SIDES)
    assert not any(part.groups[side] is part.sets[side] for side in SIDES)


def test_a_part_keeps_the_sets_and_the_numbers_of_its_rows(whole: Contrast, part: Contrast) -> None:
    assert part.sets is whole.sets
    assert [part.size(side) for side in SIDES] == [2, 3]
    for side in SIDES:
        rows = whole.sets[side].rows(slice(None))[part.rows[side]]
        np.testing.assert_array_equal(part.groups[side].rows(slice(None)), rows)


def test_the_centre_is_the_mean_of_the_images_of_both_groups_whichever_comes_first(part: Contrast) -> None:
    rows = [part.groups[side].rows(slice(None)) for side in SIDES]
    np.testing.assert_allclose(part.centre, np.concatenate(rows).mean(0), atol=1e-7)
    a, b = (part.sets[side] for side in SIDES)
    exchanged = Contrast.between(b, a).among({"a": part.rows["b"], "b": part.rows["a"]}, Part.DISCOVERY)
    np.testing.assert_array_equal(exchanged.centre, part.centre)


def test_references_are_to_rows_of_the_set_with_their_ids(part: Contrast) -> None:
    assert part.references("a", [3, 1], [0.5, 0.25]) == (
        ImageRef("a", 3, "a3", "", 0.5),
        ImageRef("a", 1, "a1", "", 0.25),
    )
    assert part.references("b", [], []) == ()


def test_references_say_where_images_lie_and_without_ids_go_by_the_row() -> None:
    contrast = Contrast.between(image_set("a", 3, uris=True), from_arrays(np.ones((2, 4))))
    assert contrast.references("a", np.array([2]), np.array([1.0]))[0].uri == "a/2.png"
    assert contrast.references("b", [1], [1.0])[0].id == "1"


def set_of(contents: list[int]) -> EmbeddingSet:
    """One image for each content, which decides what it looks like."""
    rows = [np.random.default_rng(one).normal(size=4) for one in contents]
    return from_arrays(np.array(rows), table={"hash": np.array(contents, np.uint64)})


def exchanged(contrast: Contrast) -> Contrast:
    a, b = (contrast.sets[side] for side in SIDES)
    return Contrast.between(b, a).among({"a": contrast.rows["b"], "b": contrast.rows["a"]}, contrast.part)


contents = st.lists(st.integers(0, 30), min_size=1, max_size=25)


@given(contents, contents)
def test_the_pooled_order_is_by_content_and_knows_each_image_again(a: list[int], b: list[int]) -> None:
    contrast = Contrast.between(set_of(a), set_of(b))
    pooled, joined = contrast.pooled, np.array([*a, *b])
    assert len(pooled) == len(a) + len(b)
    np.testing.assert_array_equal(pooled.hashes, np.sort(joined))
    np.testing.assert_array_equal(pooled.reorder(joined), np.sort(joined))
    np.testing.assert_array_equal(np.sort(pooled.origin), np.arange(len(joined)))
    for side, own in (("a", a), ("b", b)):
        np.testing.assert_array_equal(pooled.hashes[pooled.place[side]], own)
        assert (pooled.own[pooled.place[side]] == (side == pooled.first)).all()
    assert (pooled.side(True), pooled.side(False)) == (pooled.first, opposite(pooled.first))
    np.testing.assert_array_equal(pooled.gather({"a": np.array(a), "b": np.array(b)}), np.sort(joined))
    rows = {side: contrast.sets[side].rows(slice(None)) for side in SIDES}
    np.testing.assert_array_equal(pooled.gather(rows), pooled.reorder(np.concatenate([rows["a"], rows["b"]])))


@given(contents, contents, st.randoms(use_true_random=False))
def test_the_pooled_order_knows_neither_which_set_comes_first_nor_how_rows_are_stored(a, b, random) -> None:  # type: ignore[no-untyped-def]
    one = Contrast.between(set_of(a), set_of(b)).pooled
    other = exchanged(Contrast.between(set_of(a), set_of(b))).pooled
    np.testing.assert_array_equal(one.hashes, other.hashes)
    if sorted(a) != sorted(b):
        assert one.first == opposite(other.first)
    random.shuffle(a)
    stored_otherwise = Contrast.between(set_of(a), set_of(b)).pooled
    np.testing.assert_array_equal(one.hashes, stored_otherwise.hashes)
    assert one.first == stored_otherwise.first
    for pooled in (other, stored_otherwise):  # of equal images it does not matter which comes first
        for content in np.unique(one.hashes):
            here = one.hashes == content
            assert one.own[here].sum() == pooled.own[here].sum() or sorted(a) == sorted(b)


def test_the_pooled_order_of_a_part_is_of_its_images_alone() -> None:
    whole = Contrast.between(set_of([5, 9, 2, 7]), set_of([8, 1, 6]))
    part = whole.among({"a": np.array([0, 2]), "b": np.array([0, 1])}, Part.DISCOVERY)
    np.testing.assert_array_equal(part.pooled.hashes, [1, 2, 5, 8])
    np.testing.assert_array_equal(part.pooled.place["a"], [2, 1])
    np.testing.assert_array_equal(part.pooled.place["b"], [3, 0])


def test_cosines_and_embeddings_around_the_centre_are_in_the_pooled_order() -> None:
    contrast = Contrast.between(set_of([5, 9, 2, 7]), set_of([8, 1, 6]))
    rows = np.concatenate([contrast.sets[side].rows(slice(None)) for side in SIDES]).astype(float)
    around = rows - rows.mean(0)
    around /= np.linalg.norm(around, axis=1, keepdims=True)
    around = around[np.argsort([5, 9, 2, 7, 8, 1, 6])]
    directions = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 2)))[0].T
    np.testing.assert_allclose(contrast.cosines(directions), around @ directions.T, atol=1e-6)
    for places in (np.array([6, 0, 3]), np.array([2]), np.zeros(0, np.int64), np.array([1, 1])):
        np.testing.assert_allclose(contrast.around_centre(places), around[places].reshape(-1, 4), atol=1e-6)
    for one, other in ((contrast, exchanged(contrast)),):
        np.testing.assert_array_equal(one.cosines(directions), other.cosines(directions))
        np.testing.assert_array_equal(one.around_centre(np.arange(7)), other.around_centre(np.arange(7)))
