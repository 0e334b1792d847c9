"""VisDiff (Dunlap, Zhang et al. 2024): differences are proposed from captions and ranked by an image-text model.

In each of three rounds 20 images a side are captioned and a language model says how the captions differ (its proposer);
every proposal is then ranked by how well its text-image cosine tells the sides apart (its ranker: AUROC, with a
t-test). The summariser is the configured one: offline, contrastive phrases of the captions stand in for the language
model (docs/methods.md, 9).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from latentdiff.contrasts import Contrast
from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import SIDES, Hypothesis, Side, opposite
from latentdiff.proposers.base import Proposal, ProposerSettings
from latentdiff.proposers.captioning import caption_rows
from latentdiff.proposers.exemplars import nearest_images
from latentdiff.proposers.workspace import Workspace
from latentdiff.splits import position
from sae_training.progress import Progress

if TYPE_CHECKING:
    from latentdiff.language import LanguageSettings

LEVEL = 0.05  # p of the t-test above which a proposal goes behind the others


@dataclass(frozen=True)
class VisDiffSettings:
    """How phrases are proposed and ranked; the defaults are the paper's.

    Attributes:
        rounds: times that images are drawn.
        sampled: images of each side that are captioned in a round.
        phrases: proposals of each side and round.
        seed: of the draws.
        exemplars: images a hypothesis that show it.
    """

    rounds: int = 3
    sampled: int = 20
    phrases: int = 10
    seed: int = 0
    exemplars: int = 6

    def __post_init__(self) -> None:
        """Raises LatentDiffError with a number out of its range."""
        for key, least in (("rounds", 1), ("sampled", 1), ("phrases", 1), ("exemplars", 0)):
            if getattr(self, key) < least:
                raise LatentDiffError(f"visdiff.{key} must be at least {least}; it is {getattr(self, key)}")


@dataclass(frozen=True)
class VisDiffSample:
    """What was looked at."""

    captioned: int  # images


class _Phrase(NamedTuple):
    side: Side
    phrase: str


class _Ranked(NamedTuple):
    side: Side
    phrase: str
    auroc: float  # of its side over the other
    p_value: float  # of the t-test, two-sided


def propose(
    contrast: Contrast, workspace: Workspace, settings: ProposerSettings, progress: Progress | None = None
) -> Proposal:
    """Phrases proposed from sampled captions, ranked on all images of the contrast (arguments: `base.Propose`)."""
    phrases, captioned = _propose(contrast, workspace, settings.visdiff, settings.language)
    ranked = sorted(_rank(phrases, contrast, workspace), key=lambda one: (one.p_value > LEVEL, -one.auroc))
    hypotheses = []
    for side in SIDES:
        own = [one for one in ranked if one.side == side]
        vectors = workspace.words.text(workspace.encoder, [one.phrase for one in own]) if own else np.zeros((0, 1))
        images = nearest_images(contrast, side, vectors, settings.visdiff.exemplars)
        hypotheses += [
            Hypothesis(
                side=side,
                proposer="visdiff",
                words=(one.phrase,),
                name_found=True,
                score=one.auroc,
                part=contrast.part,
                rank=rank,
                images=shown,
                details={"auroc": one.auroc, "t_test_p": one.p_value},
            )
            for rank, (one, shown) in enumerate(zip(own, images, strict=True), 1)
        ]
    return Proposal(tuple(hypotheses), artefact=VisDiffSample(captioned))


def _propose(
    contrast: Contrast, workspace: Workspace, settings: VisDiffSettings, language: LanguageSettings
) -> tuple[list[_Phrase], int]:
    """What the captions of each round say, each phrase once a side; and how many images were captioned."""
    from latentdiff.language import load_captioner, summarise

    captioner = load_captioner(language, workspace.words, contrast.centre, workspace.device)
    asking = replace(language, phrases=settings.phrases)
    phrases: dict[_Phrase, None] = {}
    captioned = 0
    for number in range(settings.rounds):
        captions: dict[Side, list[str]] = {}
        for side in SIDES:
            drawn = position(contrast.groups[side].hashes, f"visdiff round {number}", settings.seed)
            rows = np.argsort(drawn, kind="stable")[: settings.sampled]
            captions[side] = caption_rows(contrast.groups[side], rows, captioner)
            captioned += len(rows)
        phrases |= {_Phrase(d.side, d.phrase): None for d in summarise(captions["a"], captions["b"], asking)}
    return list(phrases), captioned


def _rank(phrases: list[_Phrase], contrast: Contrast, workspace: Workspace) -> list[_Ranked]:
    """The phrases with AUROC and t-test of their cosines, those of their own side over the other's."""
    from scipy.stats import ttest_ind

    from latentdiff.statistics import delong

    if not phrases:
        return []
    # in an order that does not know the sides: a product's last bits may hang on it
    column = {phrase: number for number, phrase in enumerate(sorted({one.phrase for one in phrases}))}
    texts = workspace.words.uncentred.text(workspace.encoder, list(column))
    cosines = {side: contrast.groups[side].rows(slice(None)) @ texts.T for side in SIDES}  # [images, distinct phrases]
    ranked = []
    for one in phrases:
        own, other = (cosines[side][:, column[one.phrase]].astype(float) for side in (one.side, opposite(one.side)))
        p = float(ttest_ind(own, other, equal_var=False).pvalue)
        ranked.append(_Ranked(*one, auroc=delong(own, other)[0], p_value=p if np.isfinite(p) else 1.0))
    return ranked
