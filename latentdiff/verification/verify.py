"""Hypotheses become findings, each with what images that took no part in it say of it (docs/methods.md, 7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from latentdiff.hypotheses import About, Finding, Hypothesis, Part
from latentdiff.naming import WordVectors, text_vectors
from latentdiff.verification.holdout import HoldoutSplit
from latentdiff.verification.text_tests import verify_texts

if TYPE_CHECKING:
    from latentdiff.encoders import Encoder


def verify(
    hypotheses: Sequence[Hypothesis], split: HoldoutSplit, words: WordVectors, encoder: Encoder, level: float
) -> list[Finding]:
    """Findings, one for each hypothesis in their order; all that can be tested is tested together.

    A hypothesis that all images proposed cannot be tested on any of them. What no word fits has no text to test, nor
    has what speaks of metadata, which its proposer tests itself.

    Args:
        hypotheses: of all proposers.
        split: which images proposed, and which are held back.
        words: the vocabulary among the images.
        encoder: of texts that are not in it.
        level: q at or below which a text is confirmed.
    """
    if split.validation is None:
        return [Finding(one) for one in hypotheses]
    testable = [number for number, one in enumerate(hypotheses) if _has_text_to_test(one)]
    discovery, validation = split.discovery.groups, split.validation.groups
    verifications = verify_texts(
        text_vectors([hypotheses[number].words for number in testable], words, encoder),
        [hypotheses[number].side for number in testable],
        (discovery["a"], discovery["b"]),
        (validation["a"], validation["b"]),
        level,
    )
    verified = dict(zip(testable, verifications, strict=True))
    return [Finding(one, verified.get(number)) for number, one in enumerate(hypotheses)]


def _has_text_to_test(hypothesis: Hypothesis) -> bool:
    return hypothesis.part is Part.DISCOVERY and hypothesis.about is About.IMAGES and hypothesis.name_found
