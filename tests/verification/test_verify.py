from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from latentdiff.contrasts import Contrast
from latentdiff.embeddings import EmbeddingSet, from_arrays
from latentdiff.hypotheses import Hypothesis, Part, Status
from latentdiff.naming import WordVectors, text_vectors
from latentdiff.verification import HoldoutSplit, VerifySettings, hold_out, verify
from latentdiff.verification.text_tests import verify_texts

WORDS = WordVectors.from_arrays(("kite", "tie", "cup"), np.eye(8)[:3], centre=False)


class NoEncoder:
    """All words are of the vocabulary: nothing is embedded."""


def image_set(seed: int, direction: int) -> EmbeddingSet:
    """Every third of 300 images shows one word."""
    rows = np.random.default_rng(seed).normal(scale=0.2, size=(300, 8))
    rows[::3, direction] += 1
    return from_arrays(rows)


@pytest.fixture(scope="module")
def split() -> HoldoutSplit:
    return hold_out(Contrast.between(image_set(1, 0), image_set(2, 1)), VerifySettings())


def says(side: str, *words: str, **fields) -> Hypothesis:
    name_found, part = fields.pop("name_found", True), fields.pop("part", Part.DISCOVERY)
    return Hypothesis(side, "toy", words, name_found, 1.0, part=part, **fields)


def check(hypotheses: list[Hypothesis], split: HoldoutSplit):
    return verify(hypotheses, split, WORDS, NoEncoder(), 0.05)


def test_every_hypothesis_becomes_a_finding_as_it_is_and_in_its_place(split):
    hypotheses = [says("a", "kite"), says("b", "cup", part=Part.ALL), says("b", "tie", "cup"), says("a", "tie")]
    findings = check(hypotheses, split)
    assert all(found.hypothesis is given for found, given in zip(findings, hypotheses, strict=True))
    assert [found.status for found in findings] == [
        *(Status.CONFIRMED, Status.NOT_CHECKED, Status.CONFIRMED, Status.REFUTED),
    ]


def test_what_all_images_proposed_and_what_no_word_fits_is_not_tested(split):
    untested = [says("a", "kite", part=Part.ALL), says("a", "kite", name_found=False), says("b", name_found=False)]
    assert [found.verification for found in check(untested, split)] == [None] * 3


def test_all_that_can_be_tested_is_corrected_together_on_the_validation_part(split):
    texts = [says("a", "kite"), says("b", "tie"), says("a", "cup")]
    untested = says("b", "cup", part=Part.ALL)
    expected = verify_texts(
        text_vectors([one.words for one in texts], WORDS, NoEncoder()),
        [one.side for one in texts],
        tuple(split.discovery.groups[side] for side in "ab"),
        tuple(split.validation.groups[side] for side in "ab"),
        0.05,
    )
    findings = check([untested, *texts], split)
    assert [found.verification for found in findings[1:]] == expected
    assert all(of.evidence.n_a == split.validation.size("a") for of in expected)


def test_where_nothing_is_held_back_nothing_is_tested(split):
    alone = replace(split, validation=None)
    assert [found.status for found in check([says("a", "kite")], alone)] == [Status.NOT_CHECKED]


def test_nothing_proposed_is_nothing_found(split):
    assert check([], split) == []
