"""One list from both branches: near-synonyms merged, what is confirmed first, then one ranking or the paper's mix.

See docs/methods.md, 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from latentdiff.errors import LatentDiffError
from latentdiff.findings import SIDES, Finding
from latentdiff.registry import choose

_STANDING = {"confirmed": 0, "weak": 1, "not checked": 2, "refuted": 3}


@dataclass(frozen=True)
class CombineSettings:
    """How the findings of both branches become one list.

    Attributes:
        order: "confidence" (what is confirmed first, then all else, both in the concept branch's order and then the
            density branch's) or "mix" (the paper's: so many of each branch).
        concepts: with "mix", how many findings of the concept branch come first on each side.
        density: with "mix", how many of the density branch follow.
        merge_above: text cosine above which two findings of one side are the same.
    """

    order: str = "confidence"
    concepts: int = 3
    density: int = 2
    merge_above: float = 0.85

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            LatentDiffError: an unknown order, or a number out of its range.
        """
        choose("combine.order", self.order, dict.fromkeys(("confidence", "mix")))
        for key in ("concepts", "density"):
            if getattr(self, key) < 0:
                raise LatentDiffError(f"combine.{key} must be at least 0; it is {getattr(self, key)}")
        if not 0 < self.merge_above <= 1:
            raise LatentDiffError(f"combine.merge_above is a cosine above 0, at most 1; it is {self.merge_above}")


def combine(
    concepts: Sequence[Finding],
    density: Sequence[Finding],
    vectors: Mapping[str, np.ndarray],
    settings: CombineSettings = CombineSettings(),
) -> tuple[Finding, ...]:
    """All findings as one list, A's before B's, within a side in rank order.

    Nothing is dropped: what is not confirmed says so itself (`Finding.verification`).

    Args:
        concepts: findings of the concept branch, both sides; within a side best first.
        density: findings of the density branch, in any order.
        vectors: unit text vector [d] of each finding's first word; one without a vector is never merged.
        settings: order, and when findings are the same.
    """
    by_confidence = settings.order == "confidence"
    ordered: list[Finding] = []
    for side in SIDES:
        phrases = sorted((f for f in density if f.side == side), key=confidence)
        own = [*(f for f in concepts if f.side == side), *phrases]
        first = (lambda f: standing(f) > 0) if by_confidence else standing
        ranked = merge(sorted(own, key=first), vectors, settings.merge_above)
        ordered += ranked if by_confidence else _mix(ranked, settings)
    return tuple(ordered)


def standing(finding: Finding) -> int:
    """How far a finding can be relied on: 0 for confirmed, then weak, not checked, refuted."""
    return _STANDING[finding.standing]


def confidence(finding: Finding) -> tuple[float, float, float]:
    """What ranks findings that no branch has ranked together, the surest first.

    Its standing, then the end of the interval of the difference that claims least, then its score in its branch.
    """
    evidence = finding.verification.evidence if finding.verification else finding.evidence
    interval = evidence.difference_interval
    least = interval.low if finding.side == "a" else -interval.high
    return standing(finding), -least, -finding.score


def merge(findings: Sequence[Finding], vectors: Mapping[str, np.ndarray], above: float) -> list[Finding]:
    """Findings of one side without near-synonyms: the first of each stays and names all branches that found it."""
    kept: list[Finding] = []
    for finding in findings:
        for i, other in enumerate(kept):
            if _alike(finding, other, vectors, above):
                kept[i] = _absorb(other, finding)
                break
        else:
            kept.append(finding)
    return kept


def _alike(one: Finding, other: Finding, vectors: Mapping[str, np.ndarray], above: float) -> bool:
    if not (one.words and other.words and one.name_found and other.name_found):
        return False
    first, second = vectors.get(one.words[0]), vectors.get(other.words[0])
    return first is not None and second is not None and float(first @ second) > above


def _absorb(kept: Finding, other: Finding) -> Finding:
    branches = tuple(sorted({*kept.branches, *other.branches}))
    latents = [other.latent] if other.latent is not None else []
    members = tuple(dict.fromkeys((*kept.members, *latents, *other.members)))
    if kept.latent is None:  # a phrase takes over the latent that says the same
        latent = replace(kept, latent=other.latent, latent_words=other.latent_words, members=other.members)
        return replace(latent, branches=branches)
    return replace(kept, branches=branches, members=members)


def _mix(ranked: Sequence[Finding], settings: CombineSettings) -> list[Finding]:
    """The paper's p + q first, then all others; what is confirmed goes before what is not."""
    first = [f for f in ranked if "concept" in f.branches][: settings.concepts]
    first += [f for f in ranked if "density" in f.branches and not _holds(first, f)][: settings.density]
    return sorted([*first, *(f for f in ranked if not _holds(first, f))], key=standing)


def _holds(findings: Sequence[Finding], finding: Finding) -> bool:
    return any(f is finding for f in findings)
