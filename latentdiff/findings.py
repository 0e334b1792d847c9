"""The nouns that travel: what a finding is, what evidence it carries, and what a comparison returns.

Frozen dataclasses without behaviour beyond conversion and short cuts. Shares are fractions of 1, p and q values are
two-sided, intervals are 95 % intervals, sides are "a" and "b".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Side = Literal["a", "b"]
SIDES: tuple[Side, Side] = ("a", "b")
Status = Literal["confirmed", "weak", "refuted"]
Standing = Literal["confirmed", "weak", "not checked", "refuted"]

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Interval:
    """A 95 % interval, both ends included."""

    low: float
    high: float


@dataclass(frozen=True)
class Evidence:
    """How often something is present in A and in B, and how sure that differs (docs/methods.md, 4)."""

    count_a: int
    count_b: int
    n_a: int
    n_b: int
    prevalence_a: float
    prevalence_b: float
    prevalence_a_interval: Interval  # Wilson
    prevalence_b_interval: Interval
    difference: float  # prevalence_a - prevalence_b
    difference_interval: Interval  # Newcombe
    odds_ratio: float  # of A over B, with 0.5 added to each count
    odds_ratio_interval: Interval
    p_value: float
    q_value: float  # p corrected for everything that was tested beside it


@dataclass(frozen=True)
class Verification:
    """What images that took no part in proposing a finding say of it (docs/methods.md, 7)."""

    status: Status
    threshold: float  # text-image cosine above which an image counts as nearer to the text than most
    evidence: Evidence


@dataclass(frozen=True)
class ImageRef:
    """One image of a set: where it lies, and how strongly it shows the finding."""

    side: Side
    row: int  # row in the embedding set
    id: str
    uri: str  # "" where the set carries no images
    value: float  # latent activation, text-image cosine or log density ratio
    caption: str = ""


@dataclass(frozen=True)
class Finding:
    """One difference between the sets, in words, with its evidence."""

    side: Side  # the side that has more of it
    branches: tuple[str, ...]  # who found it: "concept", "density"
    words: tuple[str, ...]  # the name, best word first; for a phrase, one entry
    name_found: bool  # False: no word fits, the images must speak
    score: float  # what ranks it inside its branch; larger is more
    evidence: Evidence
    images: tuple[ImageRef, ...] = ()  # images that show it, strongest first
    near_misses: tuple[ImageRef, ...] = ()  # images just below the bar
    verification: Verification | None = None
    stability: str = ""  # "one seed", or in how many SAEs a matching latent is found
    latent: int | None = None  # concept branch: the latent in the SAE
    latent_words: tuple[str, ...] = ()  # what this latent is called whatever is compared
    members: tuple[int, ...] = ()  # other latents shown as this one (same direction, or they fire together)
    details: Mapping[str, float] = field(
        default_factory=dict
    )  # jsd, jsd_presence, jsd_strength, gap, ms, name_cosine, ...

    @property
    def standing(self) -> Standing:
        """What became of it on the images held back."""
        return self.verification.status if self.verification else "not checked"

    @property
    def judged(self) -> Evidence:
        """The evidence to show: where it is confirmed that of the images held back, which is what confirms it."""
        return self.verification.evidence if self.verification and self.standing == "confirmed" else self.evidence


@dataclass(frozen=True)
class ConceptResult:
    """The concept branch's answer: findings by side, best first."""

    findings: tuple[Finding, ...]  # both sides; within a side in rank order
    tested: int  # latents that fire at all, all of them tested
    significant: int  # of those, q at or below the level
    hidden: Mapping[str, int]  # reason -> how many findings are hidden for it
    smallest_detectable: float  # prevalence in one set alone that would have been seen (power .8); 1: none would
    volcano: tuple[tuple[float, float], ...] = ()  # (prevalence difference, q) of every tested latent, for the plot


@dataclass(frozen=True)
class DensityResult:
    """The density branch's answer: is there a difference at all, and which images differ most."""

    different: bool
    p_value: float  # both ends tested, corrected for the two
    p_value_a: float  # the end where A is dense
    p_value_b: float
    auroc: float  # out of fold
    auroc_interval: Interval
    histogram_edges: tuple[float, ...]  # of the out-of-fold log density ratio
    histogram_a: tuple[int, ...]
    histogram_b: tuple[int, ...]
    extreme: tuple[ImageRef, ...]  # retrieved images of both sides with captions; value = log density ratio
    n_a: int
    n_b: int
    hypotheses: tuple[Finding, ...] = ()  # phrases from the captions
    needed: int = 0  # different images a side, of which there were fewer: nothing was estimated; 0: there were enough


@dataclass(frozen=True)
class SetSummary:
    """One side of the comparison, and its health."""

    name: str
    source: str
    images: int  # read: embedded + skipped
    embedded: int
    skipped: int
    skipped_examples: tuple[tuple[str, str], ...]  # (uri, reason), the first few
    duplicates_within: int  # rows whose content occurs earlier in the same set
    duplicates_across: int  # rows whose content also occurs in the other set
    width_median: float | None = None
    height_median: float | None = None
    brightness_median: float | None = None


@dataclass(frozen=True)
class ComparisonResult:
    """Everything `compare` found, ready to be written as `result.json` and shown."""

    different: bool
    p_value: float  # of "no difference at all", corrected for the tests that could have said otherwise
    verdict: str  # one sentence
    a: SetSummary
    b: SetSummary
    encoder: str
    sae: str  # what it is and where it came from, in words
    concepts: ConceptResult
    density: DensityResult | None
    findings: tuple[Finding, ...]  # the one list: both sides; within a side in rank order
    settings: Mapping[str, Any]  # the resolved configuration
    run: Mapping[str, Any]  # versions, hashes, times (seconds), memory (bytes), command
    schema_version: int = SCHEMA_VERSION

    def side(self, side: Side) -> tuple[Finding, ...]:
        """The findings of one side, best first."""
        return tuple(f for f in self.findings if f.side == side)

    def to_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return asdict(self)
