"""What a comparison returns: the verdict, the one list, what every proposer has to show beside it, and the sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from latentdiff.hypotheses import Finding, Interval, RankedFinding, Side
from latentdiff.verdict import NotRun, Verdict

if TYPE_CHECKING:
    from latentdiff.metadata import MetadataDifference

SCHEMA_VERSION = 3


@dataclass(frozen=True)
class EncoderUsed:
    """The encoder that embedded both sets."""

    name: str
    fingerprint: str  # of its name, weights and preprocessing


BROAD = 0.75  # area from which a shift may be one of the sets as wholes ...
BROAD_IN_THE_MIDDLE = 0.65  # ... if it still separates the images that lie at neither end
SEPARATES = 0.98  # area from which nothing else can be told from the shift


@dataclass(frozen=True)
class OverallShift:
    """How far the sets differ as wholes: a score along the difference of their means, out of fold.

    Attributes:
        auroc: how often an image of one set lies further along than one of the other; .5 is chance.
        auroc_interval: of that.
        auroc_middle: the same of the images between the fifths at either end, which are all that a difference in some
            images of each set moves.
    """

    auroc: float
    auroc_interval: Interval
    auroc_middle: float

    @property
    def is_broad(self) -> bool:
        """Whether it is a difference of the sets as wholes, which everything else is asked given."""
        return self.separates or (self.auroc >= BROAD and self.auroc_middle >= BROAD_IN_THE_MIDDLE)

    @property
    def separates(self) -> bool:
        """Whether the sets lie so far apart that nothing else can be told from the shift."""
        return self.auroc >= SEPARATES


@dataclass(frozen=True)
class NegativeControls:
    """How often words pass that mean nothing: random ones of the vocabulary, tested like texts.

    Attributes:
        words: that were tested.
        alone: share of them that passes by itself.
        given: share of them that passes given the overall shift and the leads.
    """

    words: int
    alone: float
    given: float


class SaeSource(StrEnum):
    """Where a sparse autoencoder came from."""

    GIVEN = "given"  # an object, or `path`
    POOL = "pool"  # trained on a reference pool
    BUNDLED = "bundled"  # comes with the encoder
    SETS = "sets"  # trained on the sets that are compared


@dataclass(frozen=True)
class SaeOrigin:
    """Which sparse autoencoder a comparison used.

    Attributes:
        source: where it came from.
        latents: that it has.
        k: latents that fire for an image, on average.
        path: of a file or folder, or the reference pool; "" where there is none.
        images: of the pool that it was trained on, or of both sets where these were too few to train one.
        threshold_from_sets: whether its file had no threshold, so that both sets together set it.
        names_encoder: whether it says whose embeddings it takes.
    """

    source: SaeSource
    latents: int
    k: int
    path: str = ""
    images: int | None = None
    threshold_from_sets: bool = False
    names_encoder: bool = True


@dataclass(frozen=True)
class ProposerOutcome:
    """What a proposer has to say beside its hypotheses.

    Attributes:
        p_value: of "no difference at all", where it tests that; None: it does not, or did not run.
        artefact: a dataclass with what else it found (as `LatentDifferences`, `DensityRatio`); None: nothing.
        not_run: why it did not run; None: it did.
    """

    p_value: float | None = None
    artefact: Any = None
    not_run: NotRun | None = None


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

    verdict: Verdict
    a: SetSummary
    b: SetSummary
    encoder: EncoderUsed
    sae: SaeOrigin | None  # None: no proposer needed one
    shift: OverallShift | None  # None: not measured
    ranking: tuple[RankedFinding, ...]  # the one list: both sides; within a side in rank order
    controls: NegativeControls | None  # None: nothing was verified
    metadata: tuple[MetadataDifference, ...]  # every column that can be compared, the most different first
    proposers: Mapping[str, ProposerOutcome]  # by name, in the order in which they proposed
    settings: Mapping[str, Any]  # the resolved configuration
    run: Mapping[str, Any]  # versions, hashes, times (seconds), memory (bytes), command
    schema_version: int = SCHEMA_VERSION

    @property
    def different(self) -> bool:
        """Whether the sets were told apart."""
        return self.verdict.different

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings that lead the one list, A's before B's, best first."""
        return tuple(one.finding for one in self.ranking)

    def side(self, side: Side) -> tuple[Finding, ...]:
        """Those of one side, best first."""
        return tuple(f for f in self.findings if f.side == side)

    def proposed_by(self, proposer: str) -> tuple[Finding, ...]:
        """Every finding of one proposer, A's before B's, in the order in which it proposed them."""
        found = [one for entry in self.ranking for one in (entry.finding, *entry.alike, *entry.travelling)]
        own = [one for one in found if one.hypothesis.proposer == proposer]
        return tuple(sorted(own, key=lambda one: (one.side, one.hypothesis.rank)))

    def artefact(self, proposer: str) -> Any:
        """What a proposer found beside its hypotheses; None where it did not run or has nothing to show."""
        outcome = self.proposers.get(proposer)
        return outcome.artefact if outcome else None

    def to_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return asdict(self)
