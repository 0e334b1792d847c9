from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentdiff.contrasts import Contrast
from latentdiff.embeddings import EmbeddingSet, from_arrays
from latentdiff.hypotheses import SIDES, Part, opposite
from latentdiff.verification import HoldoutSplit, VerifySettings, hold_out
from latentdiff.verification.holdout import in_validation


def image_set(contents: list[int]) -> EmbeddingSet:
    """One image for each content; equal contents are equal images."""
    hashes = np.array(contents, np.uint64)
    return from_arrays(np.ones((len(hashes), 2)), table={"hash": hashes})


def split(a: list[int], b: list[int], **options) -> HoldoutSplit:
    return hold_out(Contrast.between(image_set(a), image_set(b)), VerifySettings(**options))


contents = st.lists(st.integers(0, 60), min_size=2, max_size=80)


@settings(deadline=None)
@given(contents, contents, st.floats(0.1, 0.9), st.integers(0, 5))
def test_discovery_and_validation_share_no_image_and_cover_all_of_them(a, b, share, seed):
    parts = split(a, b, share=share, seed=seed)
    for side, given_contents in (("a", a), ("b", b)):
        discovery = parts.discovery.rows[side]
        validation = np.array([], int) if parts.validation is None else parts.validation.rows[side]
        assert not set(discovery) & set(validation)
        assert sorted([*discovery, *validation]) == list(range(len(given_contents)))
        assert (np.diff(discovery) > 0).all() and (np.diff(validation) > 0).all()
        assert parts.validation is None or (len(discovery) and len(validation))


@settings(deadline=None)
@given(contents, contents, st.floats(0.1, 0.9), st.integers(0, 5))
def test_equal_images_stay_together_inside_a_set_and_across_both(a, b, share, seed):
    parts = split(a, b, share=share, seed=seed)
    if parts.validation is not None:
        given_contents = {"a": np.array(a), "b": np.array(b)}
        discovery, validation = (
            {int(one) for side in SIDES for one in given_contents[side][part.rows[side]]}
            for part in (parts.discovery, parts.validation)
        )
        assert not discovery & validation


@settings(deadline=None)
@given(contents, contents, st.floats(0.1, 0.9))
def test_exchanging_the_sets_exchanges_their_parts_and_changes_nothing_else(a, b, share):
    one, other = split(a, b, share=share), split(b, a, share=share)
    assert (one.validation is None) == (other.validation is None)
    for here, there in ((one.discovery, other.discovery), (one.validation, other.validation)):
        for side in SIDES if here is not None else ():
            np.testing.assert_array_equal(here.rows[side], there.rows[opposite(side)])


def test_a_split_is_by_content_and_of_the_share_asked_for():
    hashes = np.random.default_rng(0).integers(0, 2**64, size=10_000, dtype=np.uint64)
    held = in_validation(hashes, 0.3, 0)
    assert held.mean() == pytest.approx(0.3, abs=0.02)
    np.testing.assert_array_equal(in_validation(hashes[::-1], 0.3, 0), held[::-1])
    assert (in_validation(hashes, 0.3, 1) != held).any()


def test_a_part_of_a_contrast_is_split_into_rows_of_its_sets():
    whole = Contrast.between(image_set(list(range(100))), image_set(list(range(50, 150))))
    part = whole.among({"a": np.arange(0, 100, 3), "b": np.arange(1, 100, 3)}, Part.DISCOVERY)
    parts = hold_out(part, VerifySettings())
    assert parts.validation is not None
    for side in SIDES:
        both = np.concatenate([parts.discovery.rows[side], parts.validation.rows[side]])
        np.testing.assert_array_equal(np.sort(both), part.rows[side])


def test_nothing_is_held_back_unless_asked_for_and_of_very_few_images_with_a_word(caplog):
    with caplog.at_level(logging.WARNING):
        plain = split(list(range(50)), list(range(50)), enabled=False)
        assert plain.validation is None and plain.discovery.size("a") == 50 and not caplog.records
        few = split([1, 1, 1], [1, 1])
    assert few.validation is None and [few.discovery.size(side) for side in SIDES] == [3, 2]
    assert "too few images to hold some back (verify.share): nothing is verified" in caplog.text
