"""Phrases from the captions of the most extreme images, as findings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from latentdiff.findings import SIDES, Evidence, Finding, ImageRef, Side, Verification
from latentdiff.language import Difference


def hypotheses(
    extreme: Sequence[ImageRef],
    differences: Sequence[Difference],
    verifications: Sequence[Verification] | None = None,
) -> tuple[Finding, ...]:
    """Findings of the density branch: largest verified difference first within a side; unverified, in the order given.

    Args:
        extreme: the captioned images (`DensityResult.extreme`).
        differences: phrases, with the captions that support them: positions among the images of their side.
        verifications: for each phrase, what `verify` said; its evidence becomes the finding's. None: nothing is held
            back, and a phrase has no evidence but its captions: in how many of each side's it occurs, as whole words.
    """
    images: dict[Side, list[ImageRef]] = {side: [ref for ref in extreme if ref.side == side] for side in SIDES}
    findings = []
    for i, difference in enumerate(differences):
        verified = None if verifications is None else verifications[i]
        evidence = _in_captions(difference.phrase, images) if verified is None else verified.evidence
        ahead = evidence.difference * (1 if difference.side == "a" else -1)
        findings.append(
            Finding(
                side=difference.side,
                branches=("density",),
                words=(difference.phrase,),
                name_found=True,
                score=float(len(difference.support)) if verified is None else ahead,
                evidence=evidence,
                images=tuple(images[difference.side][place] for place in difference.support),
                verification=verified,
            )
        )
    if verifications is None:
        return tuple(findings)
    return tuple(sorted(findings, key=lambda finding: (finding.side, -finding.score)))


def _in_captions(phrase: str, images: Mapping[Side, Sequence[ImageRef]]) -> Evidence:
    from latentdiff.evidence import gather_evidence  # scipy, slow to import

    whole_words = re.compile(rf"\b{re.escape(phrase)}\b", re.IGNORECASE)
    said = {side: np.array([sum(bool(whole_words.search(ref.caption)) for ref in images[side])]) for side in SIDES}
    of = {side: max(len(images[side]), 1) for side in SIDES}
    return gather_evidence(said["a"], of["a"], said["b"], of["b"], np.ones(1), np.ones(1))[0]
