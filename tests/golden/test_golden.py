"""Refactorings change no answer: every number and word of some comparisons, against what was said when they were last
meant to change.

A change that is meant to change answers writes them anew, and says why: `python -m tests.golden.record`.
"""

from __future__ import annotations

import os

import pytest

import latentdiff
from tests.golden.cases import CASES, DATA, PHOTOS, Shared
from tests.golden.frozen import differences, freeze, read


@pytest.fixture(scope="module")
def shared() -> Shared:
    return Shared(latentdiff.load_encoder("mini"))


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_answer_is_the_frozen_one(name: str, shared: Shared) -> None:
    assert list(differences(read(name), freeze(CASES[name](shared)))) == []


@pytest.mark.slow
@pytest.mark.skipif(DATA not in os.environ, reason=f"{DATA} names no folder of photographs")
@pytest.mark.parametrize("name", PHOTOS)
def test_the_answer_on_photographs_is_the_frozen_one(name: str, shared: Shared) -> None:
    assert list(differences(read(name), freeze(PHOTOS[name](shared)))) == []


def test_a_changed_number_or_word_is_found() -> None:
    kept = {"a": [1.0, "x"], "b": {"c": None}}
    assert list(differences(kept, {"a": [1.00001, "x"], "b": {"c": None}})) == []
    assert list(differences(kept, {"a": [1.001, "y"], "b": {}})) == [
        ".a[0] is 1.001, was 1.0",
        ".a[1] is 'y', was 'x'",
        ".b.c is missing",
    ]
