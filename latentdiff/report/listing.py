"""What may be called a finding: the one place that decides what a reader sees first and what is set aside.

No guess is shown as a finding (docs/methods.md, 7 and 13).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from latentdiff.hypotheses import SIDES, About, Counted, Finding, RankedFinding, Side, Status
from latentdiff.naming.fold import fold
from latentdiff.report.wording import (
    ASIDE,
    NO_MORE_THAN_CHANCE,
    SHARES,
    SHARES_OF_METADATA,
    SHARES_OF_WORDS,
    SHARES_OF_WORDS_UNCHECKED,
    SHARES_UNCHECKED,
    STATUS,
    headline,
    lede,
    word_metadata,
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
    """The findings of a result, by where a reader meets them.

    Attributes:
        headline: the verdict in one sentence.
        lede: what the comparison says beyond it, or "".
        shift: the overall shift's finding of each side, A's first; empty where the sets do not differ as wholes.
        shown: a card each: what leads; where nothing was verified, what its own test or its words speak for.
        beside: what differs and cannot be told from an overall shift that separates the sets.
        aside: all others.
        why_aside: how many became what.
        metadata: sentences on what is known of the images beside what they show, and differs.
        verified: whether hypotheses were tested beyond what proposed them.
        tested: whether anything could have said that the sets differ.
    """

    headline: str
    lede: str
    shift: tuple[Entry, ...]
    shown: tuple[Entry, ...]
    beside: tuple[Entry, ...]
    aside: tuple[Entry, ...]
    why_aside: str
    metadata: tuple[str, ...]
    verified: bool
    tested: bool

    @property
    def leads(self) -> int:
        """How many findings lead."""
        return sum(entry.finding.status is Status.LEADS for entry in self.shown)

    @property
    def travelling(self) -> int:
        """How many travel with the overall shift or a lead."""
        return sum(len(entry.ranked.travelling) for entry in (*self.shift, *self.shown))

    @property
    def legend(self) -> tuple[tuple[Status, str], ...]:
        """What the badges of the cards mean, each once, the surest first."""
        seen = {entry.finding.status for entry in self.shown}
        return tuple((status, means) for status, means in STATUS.items() if status in seen)

    @property
    def counted(self) -> bool:
        """Whether anyone counted anything of the shown findings."""
        return any(entry.finding.evidence for entry in self.shown)

    @property
    def shares(self) -> str:
        """What the numbers beside the findings are."""
        entries = (*self.shown, *self.beside, *self.aside)
        hypotheses = [entry.finding.hypothesis for entry in entries]
        of_images = [one for one in hypotheses if one.about is About.IMAGES]
        parts = [SHARES_OF_METADATA] if len(of_images) < len(hypotheses) else []
        if any(one.latent is not None or one.counted is Counted.CAPTIONS for one in of_images):
            parts.insert(0, SHARES if self.verified else SHARES_UNCHECKED)
        elif of_images or not parts:
            parts.insert(0, SHARES_OF_WORDS if self.verified else SHARES_OF_WORDS_UNCHECKED)
        return " ".join(parts)

    def side(self, side: Side) -> tuple[Entry, ...]:
        """The shown findings of one side, best first."""
        return of_side(self.shown, side)


def of_side(entries: Sequence[Entry], side: Side) -> tuple[Entry, ...]:
    """Those of one side, in their order."""
    return tuple(entry for entry in entries if entry.finding.side == side)


def numbered(ranking: Sequence[RankedFinding]) -> list[tuple[int, RankedFinding]]:
    """The one list, A's before B's, each with its rank on its side, from 1."""
    sides = ([one for one in ranking if one.side == side] for side in SIDES)
    return [pair for own in sides for pair in enumerate(own, 1)]


def arrange(result: ComparisonResult) -> Listing:
    """Sorts the findings of a result by where a reader meets them."""
    entries = [Entry(ranked, f"{ranked.side}{rank}", rank) for rank, ranked in numbered(result.ranking)]
    tested, verified = result.verdict.kind is not VerdictKind.NOT_TESTED, result.shift is not None
    places: dict[str, list[Entry]] = {place: [] for place in ("shift", "shown", "beside", "aside")}
    for entry in entries:
        places[_place(entry.finding, result.different, tested, verified, result.verdict.level)].append(entry)
    shift, shown, beside, aside = map(tuple, places.values())
    return Listing(
        headline=headline(result),
        lede=lede(result),
        shift=shift,
        shown=_ranked_anew(shown),
        beside=_ranked_anew(beside),
        aside=aside,
        why_aside=_why_aside(aside) if result.different or not tested else f"{len(aside)}, {NO_MORE_THAN_CHANCE}",
        metadata=tuple(word_metadata(result)),
        verified=verified,
        tested=tested,
    )


def travelling_words(entry: RankedFinding, most: int = 8) -> list[str]:
    """The first words of what travels with a finding, each once and none that the finding says itself."""
    said = {fold(word) for word in entry.finding.words[:1]}
    words: dict[str, str] = {}
    for one in entry.travelling:
        if one.name_found and one.words and fold(one.words[0]) not in said:
            words.setdefault(fold(one.words[0]), one.words[0])
    return list(words.values())[:most]


def _place(finding: Finding, different: bool, tested: bool, verified: bool, level: float) -> str:
    """ "shift", "shown", "beside" or "aside"."""
    significant = finding.evidence is not None and finding.evidence.q_value <= level
    if not different and tested:
        return "aside"
    if finding.status is Status.TESTED:
        return "shown" if significant else "aside"
    if not verified:
        return "shown" if significant or finding.name_found else "aside"
    places = {Status.SHIFT: "shift", Status.LEADS: "shown", Status.DIFFERS: "beside"}
    return places.get(finding.status, "aside")


def _ranked_anew(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Entries that stand together, each with its rank among those of its side."""
    return tuple(replace(entry, rank=rank) for side in SIDES for rank, entry in enumerate(of_side(entries, side), 1))


def _why_aside(aside: Sequence[Entry]) -> str:
    """ "3 refuted, 2 not checked": in the order of the findings' first places."""
    counts = Counter(entry.finding.status for entry in aside)
    return ", ".join(f"{count} {ASIDE.get(status, status)}" for status, count in counts.items())
