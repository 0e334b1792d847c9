"""What a proposer is: it looks at two groups of images and says what may differ, each thing with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from latentdiff.contrasts import Contrast
from latentdiff.hypotheses import Hypothesis
from latentdiff.language import LanguageSettings
from latentdiff.naming import NamingSettings
from latentdiff.proposers.workspace import Workspace
from latentdiff.verdict import NotRun
from sae_training.progress import Progress

if TYPE_CHECKING:
    from latentdiff.proposers.density_ratio.settings import DensitySettings
    from latentdiff.proposers.mean_shift import MeanShiftSettings
    from latentdiff.proposers.sae_latents.settings import ConceptSettings
    from latentdiff.proposers.visdiff import VisDiffSettings
    from latentdiff.proposers.word_tails import WordTailsSettings


class ProposerSettings(Protocol):
    """The settings that proposers ask for, each its own; `CompareSettings` has them all."""

    @property
    def level(self) -> float: ...  # of the proposer's own test
    @property
    def concepts(self) -> ConceptSettings: ...
    @property
    def density(self) -> DensitySettings: ...
    @property
    def mean_shift(self) -> MeanShiftSettings: ...
    @property
    def word_tails(self) -> WordTailsSettings: ...
    @property
    def visdiff(self) -> VisDiffSettings: ...
    @property
    def naming(self) -> NamingSettings: ...
    @property
    def language(self) -> LanguageSettings: ...


@dataclass(frozen=True)
class Proposal:
    """What a proposer says of a contrast.

    Attributes:
        hypotheses: what may differ. Those about images (`Hypothesis.about`) that were written from the discovery part
            are tested as texts on the validation part; those that are label-blind, and those about metadata, bring
            their own test as evidence.
        p_value: of "no difference at all", where the proposer tests that. It is one of the tests of the verdict, which
            corrects all of them for their number.
        cut: of label-blind hypotheses, the largest p value that is significant, of one that counts as the mean does.
        artefact: a dataclass of plain values with what else it found, for the report.
        not_run: why it did not run; then there is nothing else.
    """

    hypotheses: tuple[Hypothesis, ...] = ()
    p_value: float | None = None
    cut: float = 0.0
    artefact: Any = None
    not_run: NotRun | None = None


class Propose(Protocol):
    """The one function of a proposer."""

    def __call__(
        self, contrast: Contrast, workspace: Workspace, settings: ProposerSettings, progress: Progress | None
    ) -> Proposal:
        """What may differ.

        Exchanging the groups must exchange the sides of the hypotheses and change nothing else.

        Args:
            contrast: the images whose side a text may be written from; all others test it.
                `contrast.groups[side].table` has their metadata.
            workspace: what is known of all images. What no text is written from, as the rank of a latent or a test of
                metadata, may look at `workspace.contrast`: all images with their sides.
            settings: each proposer reads its own section.
            progress: told (stage, done, total).
        """
        ...


@dataclass(frozen=True)
class Proposer:
    """A proposer as the registry knows it.

    Attributes:
        title: what people call it.
        summary: what it does, in one sentence.
        propose: does it.
        section: of the settings, that it reads; "" where it has none of its own.
        needs_latents: whether it needs a sparse autoencoder.
    """

    title: str
    summary: str
    propose: Propose
    section: str = ""
    needs_latents: bool = False
