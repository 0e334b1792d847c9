"""One list from all proposers: near-synonyms merged, what is sure first, then one ranking or the paper's mix.

See docs/methods.md, 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import SIDES, Finding, RankedFinding, Side, Status
from latentdiff.registry import choose

SUREST_FIRST = (
    Status.SHIFT,
    Status.LEADS,
    Status.DIFFERS,
    Status.TRAVELS,
    Status.TESTED,
    Status.WEAK,
    Status.NOT_CHECKED,
    Status.REFUTED,
)
FIRST = (Status.SHIFT, Status.LEADS, Status.DIFFERS, Status.TRAVELS, Status.TESTED)  # before all that is not sure


@dataclass(frozen=True)
class CombineSettings:
    """How the findings of all proposers become one list.

    Attributes:
        order: "confidence" (the overall shift and what leads, by what their evidence claims least; then all else,
            proposer by proposer, each in its own order)
            or "mix" (the paper's: so many of the SAE's latents and so many of the density ratio).
        concepts: with "mix", how many findings of the SAE's latents come first on each side.
        density: with "mix", how many of the density ratio follow.
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


def rank(
    findings: Sequence[Finding],
    vectors: Mapping[str, np.ndarray],
    settings: CombineSettings = CombineSettings(),
    under: Mapping[int, int] = MappingProxyType({}),
) -> tuple[RankedFinding, ...]:
    """All findings as one list, A's before B's, within a side in rank order.

    Nothing is dropped: what is not sure says so itself (`Finding.status`), what says the same as another stands behind
    it, and what travels with another, on either side, stands under it.

    Args:
        findings: of all proposers, those of each together.
        vectors: unit text vector [d] of each finding's first word; one without a vector is never merged.
        settings: order, and when findings are the same.
        under: of each finding that travels with another, the number of that one.
    """
    by_confidence = settings.order == "confidence"
    ranking: list[RankedFinding] = []
    travelling: dict[int, list[Finding]] = {id(findings[lead]): [] for lead in under.values()}
    for number, lead in under.items():
        travelling[id(findings[lead])].append(findings[number])
    for side in SIDES:
        own = _in_own_order([one for number, one in enumerate(findings) if one.side == side and number not in under])
        surest = sorted(own, key=_confidence_of_the_sure if by_confidence else _status)
        merged = merge(surest, vectors, settings.merge_above)
        ranking += merged if by_confidence else _mix(merged, settings)
    return tuple(_with_travelling(one, travelling) for one in ranking)


def confidence(finding: Finding) -> tuple[float, float, float, float]:
    """What ranks findings that nobody has ranked together, the surest first.

    Its status, then the end of the interval of the difference that claims least, then the difference, then its score.
    """
    evidence = finding.evidence
    if evidence is None:
        return _status(finding), np.inf, np.inf, -finding.hypothesis.score
    interval = evidence.difference_interval
    least = interval.low if finding.side == "a" else -interval.high
    difference = evidence.difference if finding.side == "a" else -evidence.difference
    return _status(finding), -least, -difference, -finding.hypothesis.score


def merge(findings: Sequence[Finding], vectors: Mapping[str, np.ndarray], above: float) -> list[RankedFinding]:
    """Findings of one side without near-synonyms: the first of each leads, the others stand behind it."""
    groups: list[list[Finding]] = []
    for finding in findings:
        same = next((group for group in groups if _alike(finding, group[0], vectors, above)), None)
        if same is None:
            groups.append([finding])
        else:
            same.append(finding)
    return [RankedFinding(first, tuple(others)) for first, *others in groups]


def _in_own_order(findings: Sequence[Finding]) -> list[Finding]:
    """Proposer by proposer: those that it ranked itself in its order, then all others by confidence."""
    proposers = list(dict.fromkeys(one.hypothesis.proposer for one in findings))

    def place(finding: Finding) -> tuple[float, ...]:
        one = finding.hypothesis
        proposer = proposers.index(one.proposer)
        return (proposer, 0, one.rank) if one.rank_decides else (proposer, 1, *confidence(finding))

    return sorted(findings, key=place)


def _status(finding: Finding) -> int:
    """How far a finding can be relied on: 0 for the overall shift, and so on."""
    return SUREST_FIRST.index(finding.status)


def _confidence_of_the_sure(finding: Finding) -> tuple[float, ...]:
    """What is sure by confidence; all else keeps its place behind it."""
    return confidence(finding) if finding.status in FIRST else (np.inf,)


def _with_travelling(entry: RankedFinding, travelling: Mapping[int, Sequence[Finding]]) -> RankedFinding:
    """A place in the list with what travels with any of its findings, the surest first."""
    own = [one for leading in (entry.finding, *entry.alike) for one in travelling.get(id(leading), ())]
    return replace(entry, travelling=tuple(sorted(own, key=_surest_first))) if own else entry


def _surest_first(finding: Finding) -> tuple[float, Side, int]:
    p_value = finding.evidence.p_value if finding.evidence else 1.0
    return p_value, finding.side, finding.hypothesis.rank


def _alike(one: Finding, other: Finding, vectors: Mapping[str, np.ndarray], above: float) -> bool:
    if not (one.words and other.words and one.name_found and other.name_found):
        return False
    first, second = vectors.get(one.words[0]), vectors.get(other.words[0])
    return first is not None and second is not None and float(first @ second) > above


def _mix(ranked: Sequence[RankedFinding], settings: CombineSettings) -> list[RankedFinding]:
    """The paper's p + q first, then all others; what is sure goes before what is not."""
    numbers = range(len(ranked))
    first = [n for n in numbers if "sae_latents" in ranked[n].proposers][: settings.concepts]
    first += [n for n in numbers if "density_ratio" in ranked[n].proposers and n not in first][: settings.density]
    mixed = [*first, *(n for n in numbers if n not in first)]
    return sorted((ranked[n] for n in mixed), key=lambda one: _status(one.finding))
