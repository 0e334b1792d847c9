from __future__ import annotations

import numpy as np
import pytest

from latentdiff.contrasts import Contrast
from latentdiff.embeddings import EmbeddingSet, from_arrays
from latentdiff.hypotheses import SIDES, ImageRef, Part


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
    assert whole.is_whole and not part.is_whole
    assert all(mask.all() for mask in whole.inside.values())
    assert whole.among(whole.rows, Part.DISCOVERY).is_whole


def test_a_part_keeps_the_sets_and_the_numbers_of_its_rows(whole: Contrast, part: Contrast) -> None:
    assert part.sets is whole.sets
    assert [part.size(side) for side in SIDES] == [2, 3]
    np.testing.assert_array_equal(part.inside["a"], [False, True, False, True, False])
    np.testing.assert_array_equal(part.inside["b"], [True, False, True, True])
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
