"""What may be called a finding: the one place that decides what a reader sees first and what is set aside.

Nothing told apart, or nothing confirmed on the held-back images: no guess is shown as a finding (docs/methods.md, 7).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from latentdiff.findings import SIDES, ComparisonResult, Finding, Side

NOTHING = "No difference found"
TOO_FEW = "Too few images to tell"
SHARES = (  # what the numbers beside a finding are; both the terminal and the page say it
    "A and B: of what is confirmed, and of phrases, the share of held-back images that match the words (by a "
    "threshold; no count of objects). Of other latents, the share of images that fire them."
)
SHARES_UNCHECKED = "A and B: the share of images that fire a latent; of a phrase, the share of captions that say it."


@dataclass(frozen=True)
class Entry:
    """A finding with its place on the page."""

    finding: Finding
    key: str  # "a1": side and rank, unique on the page
    rank: int  # among those of its side that are shown with it


@dataclass(frozen=True)
class Listing:
    """The findings of a result, those to show and those to set aside."""

    headline: str  # the verdict in one sentence
    lede: str  # what the comparison said beyond it, or ""
    shown: tuple[Entry, ...]
    aside: tuple[Entry, ...]
    why_aside: str  # how many became what
    unlisted: tuple[Entry, ...]  # significant in the concept branch, but not in the one list
    confirmed: int
    checked: int

    @property
    def shares(self) -> str:
        """What the numbers beside the findings are."""
        return SHARES if self.checked else SHARES_UNCHECKED

    def side(self, side: Side) -> tuple[Entry, ...]:
        """The shown findings of one side, best first."""
        return tuple(e for e in self.shown if e.finding.side == side)


def level_of(result: ComparisonResult) -> float:
    """False discovery rate at which concepts outside the one list are still worth a row in the plots."""
    concepts = result.settings.get("concepts")
    return float(concepts.get("level", 0.05)) if isinstance(concepts, Mapping) else 0.05


def arrange(result: ComparisonResult) -> Listing:
    """Sorts the findings of a result into shown and set aside."""
    level = level_of(result)
    entries = [entry for side in SIDES for entry in _enter(result.side(side), "")]
    checked = [e for e in entries if e.finding.verification is not None]
    confirmed = [e for e in checked if e.finding.standing == "confirmed"]
    stands = result.different and not (checked and not confirmed)
    shown = tuple(e for e in entries if stands and _worth_a_card(e, bool(checked), level))
    shown = tuple(replace(e, rank=1 + [o for o in shown if o.finding.side == e.finding.side].index(e)) for e in shown)
    aside = tuple(e for e in entries if e.key not in {s.key for s in shown})
    headline, lede = _headline(result)
    return Listing(
        headline=headline,
        lede=lede,
        shown=shown,
        aside=aside,
        why_aside=_why_aside(aside) if result.different else f"{len(aside)}, no more than chance would give",
        unlisted=_unlisted(result, level) if stands else (),
        confirmed=len(confirmed),
        checked=len(checked),
    )


def others(result: ComparisonResult) -> tuple[Finding, ...]:
    """The findings of the branches that did not come into the one list, neither alone nor as a member."""
    latents = {latent for f in result.findings for latent in (f.latent, *f.members) if latent is not None}
    named = {(f.side, f.words) for f in result.findings}
    phrases = result.density.hypotheses if result.density else ()
    return tuple(
        f for f in (*result.concepts.findings, *phrases) if f.latent not in latents and (f.side, f.words) not in named
    )


def advantage(finding: Finding) -> float | None:
    """How many times as common a finding is on its side: infinite if absent from the other.

    None if it is absent from both, or a phrase of captions that nothing checked: those are of chosen images.
    """
    if finding.latent is None and finding.verification is None:
        return None
    pair = (finding.judged.prevalence_a, finding.judged.prevalence_b)
    here, there = pair if finding.side == "a" else pair[::-1]
    if not (math.isfinite(here) and math.isfinite(there)) or here == there == 0:
        return None
    return here / there if there > 0 else math.inf


def _enter(findings: tuple[Finding, ...], prefix: str) -> list[Entry]:
    return [Entry(f, f"{prefix}{f.side}{rank}", rank) for rank, f in enumerate(findings, start=1)]


def _worth_a_card(entry: Entry, checked: bool, level: float) -> bool:
    """Refuted is out; what is weak or was not checked must have a test that speaks for it by itself.

    That is its own among all latents, or, uncorrected, the one on the images held back. Where nothing was checked,
    words are shown as they were proposed.
    """
    finding = entry.finding
    if finding.standing in ("confirmed", "refuted"):
        return finding.standing == "confirmed"
    held = finding.verification is not None and finding.verification.evidence.p_value <= level
    return held or finding.evidence.q_value <= level or (not checked and finding.name_found)


def _why_aside(aside: tuple[Entry, ...]) -> str:
    """ "3 refuted, 2 not checked": in the order of the words' first places."""
    counts = Counter(entry.finding.standing for entry in aside)
    return ", ".join(f"{count} {status}" for status, count in counts.items())


def _unlisted(result: ComparisonResult, level: float) -> tuple[Entry, ...]:
    significant = tuple(f for f in others(result) if f.latent is not None and f.evidence.q_value <= level)
    return tuple(entry for entry in _enter(significant, "more-") if entry.finding.standing != "refuted")


def _headline(result: ComparisonResult) -> tuple[str, str]:
    """Without a difference the words are ours, and what could have been seen is said right below them."""
    if result.different:
        return result.verdict, ""
    head, _, rest = result.verdict.partition(":")
    if head == TOO_FEW:
        return head, rest.strip().capitalize()
    return (head, "") if result.verdict.startswith(NOTHING) else (NOTHING, result.verdict)
