"""What may be called a finding: the one place that decides what a reader sees first and what is set aside.

Nothing told apart, or nothing confirmed on the held-back images: no guess is shown as a finding (docs/methods.md, 7).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from latentdiff.hypotheses import SIDES, About, Counted, Finding, RankedFinding, Side, Status
from latentdiff.report.wording import (
    SHARES,
    SHARES_OF_METADATA,
    SHARES_OF_WORDS,
    SHARES_OF_WORDS_UNCHECKED,
    SHARES_UNCHECKED,
    headline,
    lede,
)
from latentdiff.result import ComparisonResult
from latentdiff.verdict import VerdictKind


@dataclass(frozen=True)
class Entry:
    """A finding with its place on the page."""

    ranked: RankedFinding
    key: str  # "a1": side and rank, unique on the page
    rank: int  # among those of its side that are shown with it

    @property
    def finding(self) -> Finding:
        """The finding that leads it."""
        return self.ranked.finding


@dataclass(frozen=True)
class Listing:
    """The findings of a result, those to show and those to set aside."""

    headline: str  # the verdict in one sentence
    lede: str  # what the comparison said beyond it, or ""
    shown: tuple[Entry, ...]
    aside: tuple[Entry, ...]
    why_aside: str  # how many became what
    confirmed: int
    checked: int
    tested: bool  # whether anything could have said that the sets differ

    @property
    def counted(self) -> bool:
        """Whether anyone counted anything of the shown findings."""
        return any(entry.finding.evidence for entry in self.shown)

    @property
    def shares(self) -> str:
        """What the numbers beside the findings are."""
        hypotheses = [entry.finding.hypothesis for entry in (*self.shown, *self.aside)]
        of_images = [one for one in hypotheses if one.about is About.IMAGES]
        parts = [SHARES_OF_METADATA] if len(of_images) < len(hypotheses) else []
        if any(one.latent is not None or one.counted is Counted.CAPTIONS for one in of_images):
            parts.insert(0, SHARES if self.checked else SHARES_UNCHECKED)
        elif of_images or not parts:
            parts.insert(0, SHARES_OF_WORDS if self.checked else SHARES_OF_WORDS_UNCHECKED)
        return " ".join(parts)

    def side(self, side: Side) -> tuple[Entry, ...]:
        """The shown findings of one side, best first."""
        return tuple(e for e in self.shown if e.finding.side == side)


def numbered(ranking: Sequence[RankedFinding]) -> list[tuple[int, RankedFinding]]:
    """The one list, A's before B's, each with its rank on its side, from 1."""
    sides = ([one for one in ranking if one.side == side] for side in SIDES)
    return [pair for own in sides for pair in enumerate(own, 1)]


def arrange(result: ComparisonResult) -> Listing:
    """Sorts the findings of a result into shown and set aside."""
    level = result.verdict.level
    entries = [Entry(ranked, f"{ranked.side}{rank}", rank) for rank, ranked in numbered(result.ranking)]
    checked = [e for e in entries if e.finding.verification is not None]
    confirmed = [e for e in checked if e.finding.status is Status.CONFIRMED]
    tested = result.verdict.kind is not VerdictKind.NOT_TESTED
    stands = not tested or (result.different and not (checked and not confirmed))
    worthy = {
        e.key: e
        for e in entries
        if (stands or e.finding.status is Status.TESTED) and _worth_a_card(e.finding, bool(checked), level)
    }
    places = numbered([e.ranked for e in worthy.values()])
    aside = tuple(e for e in entries if e.key not in worthy)
    return Listing(
        headline=headline(result),
        lede=lede(result),
        shown=tuple(replace(e, rank=rank) for e, (rank, _) in zip(worthy.values(), places, strict=True)),
        aside=aside,
        why_aside=_why_aside(aside)
        if result.different or not tested
        else f"{len(aside)}, no more than chance would give",
        confirmed=len(confirmed),
        checked=len(checked),
        tested=tested,
    )


def advantage(finding: Finding) -> float | None:
    """How many times as common a finding is on its side: infinite if absent from the other.

    None if it is absent from both, if nobody counted, or for a phrase of captions that nothing checked.
    """
    evidence = finding.evidence
    if evidence is None or (finding.hypothesis.counted is Counted.CAPTIONS and finding.verification is None):
        return None
    pair = (evidence.prevalence_a, evidence.prevalence_b)
    here, there = pair if finding.side == "a" else pair[::-1]
    if not (math.isfinite(here) and math.isfinite(there)) or here == there == 0:
        return None
    return here / there if there > 0 else math.inf


def _worth_a_card(finding: Finding, checked: bool, level: float) -> bool:
    """Refuted is out; what is weak or was not checked must have a test that speaks for it by itself.

    That is its own among all latents, or, uncorrected, the one on the images held back. Where nothing was checked,
    words are shown as they were proposed.
    """
    if finding.status in (Status.CONFIRMED, Status.REFUTED):
        return finding.status is Status.CONFIRMED
    on_held_back = finding.verification is not None and finding.verification.evidence.p_value <= level
    by_itself = finding.proposed is not None and finding.proposed.q_value <= level
    as_proposed = not checked and finding.name_found and finding.status is not Status.TESTED
    return on_held_back or by_itself or as_proposed


def _why_aside(aside: tuple[Entry, ...]) -> str:
    """ "3 refuted, 2 not checked": in the order of the words' first places."""
    counts = Counter(entry.finding.status for entry in aside)
    return ", ".join(f"{count} {status}" for status, count in counts.items())
