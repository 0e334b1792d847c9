"""Words along the difference of the two mean embeddings: no sparse code, no model of captions (docs/methods.md, 9).

GSCLIP (Zhu, Liang and Zou 2022) ranks candidate texts by their cosine with that difference, in both directions; here
the candidates are the vocabulary. With `mean_shift.centre` text vectors are centred, as names of latents have them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentdiff.contrasts import Contrast
from latentdiff.embeddings import mean_of
from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import SIDES, Hypothesis
from latentdiff.naming.ranked_words import best_words
from latentdiff.proposers.base import Proposal, ProposerSettings
from latentdiff.proposers.exemplars import nearest_images
from latentdiff.proposers.workspace import Workspace
from sae_training.progress import Progress

SAME_MEAN = 1e-6  # distance below which the means differ by rounding alone, and no word lies along it


@dataclass(frozen=True)
class MeanShiftSettings:
    """How words are ranked along the shift.

    Attributes:
        centre: whether the vocabulary's mean is taken off its text vectors.
        words: hypotheses a side, one word each.
        exemplars: images a hypothesis that show it.
    """

    centre: bool = True
    words: int = 10
    exemplars: int = 6

    def __post_init__(self) -> None:
        """Raises LatentDiffError with a number out of its range."""
        for key, least in (("words", 1), ("exemplars", 0)):
            if getattr(self, key) < least:
                raise LatentDiffError(f"mean_shift.{key} must be at least {least}; it is {getattr(self, key)}")


@dataclass(frozen=True)
class MeanShift:
    """How far the means lie apart."""

    distance: float  # of the two mean embeddings


def propose(
    contrast: Contrast, workspace: Workspace, settings: ProposerSettings, progress: Progress | None = None
) -> Proposal:
    """Words by the cosine of their text vectors with the difference of the means (arguments: `base.Propose`)."""
    chosen = settings.mean_shift
    words = workspace.words if chosen.centre else workspace.words.uncentred
    shift = mean_of(contrast.groups["a"]) - mean_of(contrast.groups["b"])
    distance = float(shift @ shift) ** 0.5
    if distance < SAME_MEAN:
        return Proposal(artefact=MeanShift(distance))
    cosines = words.vectors @ (shift / distance).astype(np.float32)  # exchanging the sets negates them
    hypotheses = []
    for side, scores in zip(SIDES, (cosines, -cosines), strict=True):
        best = best_words(scores, words.words, chosen.words)
        images = nearest_images(contrast, side, workspace.words.vectors[best], chosen.exemplars)
        hypotheses += [
            Hypothesis(
                side=side,
                proposer="mean_shift",
                words=(words.words[word],),
                name_found=True,
                score=float(scores[word]),
                part=contrast.part,
                rank=rank,
                images=shown,
            )
            for rank, (word, shown) in enumerate(zip(best, images, strict=True), 1)
        ]
    return Proposal(tuple(hypotheses), artefact=MeanShift(distance))
