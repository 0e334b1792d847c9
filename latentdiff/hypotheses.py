"""The nouns that travel: a hypothesis, the evidence on it, what verification says of it, and the finding they make.

Frozen dataclasses without behaviour beyond short cuts. Shares are fractions of 1, p and q values are two-sided,
intervals are 95 % intervals. The two groups of a contrast are the sides "a" and "b".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Side = Literal["a", "b"]
SIDES: tuple[Side, Side] = ("a", "b")


def opposite(side: Side) -> Side:
    """The other side.

    >>> opposite("a")
    'b'
    """
    return "b" if side == "a" else "a"


class Part(StrEnum):
    """Which images of both sets: all, those that hypotheses are written from, or those held back to test them."""

    ALL = "all"
    DISCOVERY = "discovery"
    VALIDATION = "validation"


class About(StrEnum):
    """What a hypothesis speaks of, which decides what can test it."""

    IMAGES = "images"  # what they show: its words are a text, tested as such, and merged with those that say the same
    METADATA = "metadata"  # what is known of them otherwise: its own evidence, of all images and corrected, is its test


class Counted(StrEnum):
    """What the evidence of a hypothesis counts."""

    IMAGES = "images"
    CAPTIONS = "captions"  # of images that were chosen for being extreme: no shares of the sets


class Status(StrEnum):
    """What became of a hypothesis."""

    SHIFT = "overall shift"  # the sets differ by it as wholes
    LEADS = "leads"  # it differs, and nothing else that differs explains it
    TRAVELS = "travels"  # it differs, and what leads explains it
    DIFFERS = "differs"  # it differs; nothing tells whether it leads, as where an overall shift says everything
    TESTED = "tested"  # no text about images: its proposer tested it, and its q says how sure it is
    WEAK = "weak"
    REFUTED = "refuted"
    NOT_CHECKED = "not checked"


SURE = (Status.SHIFT, Status.LEADS, Status.TRAVELS, Status.DIFFERS)  # it differs, whatever the reason


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
class ImageRef:
    """One image of a set: where it lies, and how strongly it shows the hypothesis."""

    side: Side
    row: int  # row in the embedding set
    id: str
    uri: str  # "" where the set carries no images
    value: float  # latent activation, text-image cosine or log density ratio
    caption: str = ""


@dataclass(frozen=True)
class Hypothesis:
    """One text that is said to fit one side better, who proposed it, and why. It is written once and never changed."""

    side: Side  # the side that is said to have more of it
    proposer: str  # its name in `proposers.PROPOSERS`
    words: tuple[str, ...]  # the text, best word first; a phrase is one entry
    name_found: bool  # False: no word fits, the images must speak
    score: float  # what ranks it among those of its proposer; larger is more
    part: Part = field(kw_only=True)  # of the images that it was written from; only others can test it, unless
    label_blind: bool = False  # ... it was fixed before anyone looked at the sides: its evidence, of all, is its test
    about: About = About.IMAGES
    rank: int = 1  # place on its side in its proposer's order, from 1
    rank_decides: bool = True  # whether that order says which is the surer; if not, the evidence does
    evidence: Evidence | None = None  # what the proposer counted: images that fire a latent, captions that say a phrase
    counted: Counted = Counted.IMAGES
    images: tuple[ImageRef, ...] = ()  # images that show it, strongest first
    near_misses: tuple[ImageRef, ...] = ()  # images just below the bar
    latent: int | None = None  # of the SAE
    power: int = 1  # of a latent's activations, at which it tells the sides apart most surely
    cut: float = 0.0  # of a label-blind one, the largest p value that is significant
    latent_words: tuple[str, ...] = ()  # what this latent is called whatever is compared
    members: tuple[int, ...] = ()  # other latents shown as this one (same direction, or they fire together)
    details: Mapping[str, float] = field(default_factory=dict)  # further measures by name


@dataclass(frozen=True)
class Verification:
    """What images that took no part in writing a text say of it (docs/methods.md, 7)."""

    threshold: float  # text-image cosine above which an image counts as nearer to the text than most
    evidence: Evidence


@dataclass(frozen=True)
class Given:
    """What the other findings leave of one that is sure by itself (docs/methods.md, 13)."""

    p_value: float  # of a lead given the leads before it, of others given all leads
    taken: float  # share of its evidence that what it travels with takes: 0 none, 1 all
    vanishes_given: tuple[str, ...] = ()  # metadata columns each of which alone explains it


@dataclass(frozen=True)
class Finding:
    """A hypothesis with what became of it.

    Attributes:
        hypothesis: as it was written.
        status: what became of it.
        verification: of a text; None: nothing tested its words.
        given: of what is sure by itself.
        name_holds: whether its words say what its images show, and say it of one side alone.
    """

    hypothesis: Hypothesis
    status: Status = Status.NOT_CHECKED
    verification: Verification | None = None
    given: Given | None = None
    name_holds: bool = True

    @property
    def side(self) -> Side:
        """The side that has more of it."""
        return self.hypothesis.side

    @property
    def words(self) -> tuple[str, ...]:
        """The text, best word first."""
        return self.hypothesis.words

    @property
    def name_found(self) -> bool:
        """Whether any word fits."""
        return self.hypothesis.name_found and self.name_holds

    @property
    def is_sure(self) -> bool:
        """Whether it differs beyond chance, whatever the reason."""
        return self.status in SURE

    @property
    def evidence(self) -> Evidence | None:
        """The evidence to report: of a text the images that tested it; None where nobody counted."""
        return self.verification.evidence if self.verification else self.hypothesis.evidence


@dataclass(frozen=True)
class RankedFinding:
    """A place in the one list.

    Attributes:
        finding: that leads it.
        alike: others that say the same.
        travelling: what travels with it, on either side, the surest first.
    """

    finding: Finding
    alike: tuple[Finding, ...] = ()
    travelling: tuple[Finding, ...] = ()

    @property
    def side(self) -> Side:
        """The side that has more of it."""
        return self.finding.side

    @property
    def proposers(self) -> tuple[str, ...]:
        """Everyone who proposed it, in alphabetical order."""
        return tuple(sorted({one.hypothesis.proposer for one in (self.finding, *self.alike)}))

    @property
    def latents(self) -> tuple[int, ...]:
        """The latents that stand for it, the best first; empty where it came from no SAE."""
        by_latent = (one.hypothesis for one in (self.finding, *self.alike) if one.hypothesis.latent is not None)
        return tuple(dict.fromkeys(latent for one in by_latent for latent in (one.latent, *one.members)))  # type: ignore[misc]

    @property
    def latent_words(self) -> tuple[str, ...]:
        """What the first of these latents is called by itself."""
        by_latent = (one.hypothesis for one in (self.finding, *self.alike) if one.hypothesis.latent is not None)
        return next((one.latent_words for one in by_latent), ())
