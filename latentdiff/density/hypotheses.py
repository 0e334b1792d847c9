"""Phrases from the captions of the most extreme images, as findings."""

from __future__ import annotations

from collections.abc import Sequence

from latentdiff.findings import Finding, ImageRef, Verification
from latentdiff.language import Difference


def hypotheses(
    extreme: Sequence[ImageRef], differences: Sequence[Difference], verifications: Sequence[Verification]
) -> tuple[Finding, ...]:
    """Findings of the density branch, largest verified difference first within a side.

    Args:
        extreme: the captioned images (`DensityResult.extreme`).
        differences: phrases, with the captions that support them: positions among the images of their side.
        verifications: for each phrase, what `verify` said; its evidence becomes the finding's.
    """
    images = {side: [ref for ref in extreme if ref.side == side] for side in ("a", "b")}
    findings = [
        Finding(
            side=difference.side,
            branches=("density",),
            words=(difference.phrase,),
            name_found=True,
            score=verified.evidence.difference * (1 if difference.side == "a" else -1),
            evidence=verified.evidence,
            images=tuple(images[difference.side][i] for i in difference.support),
            verification=verified,
        )
        for difference, verified in zip(differences, verifications, strict=True)
    ]
    return tuple(sorted(findings, key=lambda finding: (finding.side, -finding.score)))
