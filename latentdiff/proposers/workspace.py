"""The workspace: what is known of the images before anything is proposed, made once and shared by all proposers.

It holds data and runs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from latentdiff.contrasts import Contrast
from latentdiff.hypotheses import Side
from latentdiff.naming import LatentName, Namer, WordVectors
from latentdiff.proposers.latent_statistics import LatentStatistics
from latentdiff.proposers.pooled_activations import PooledActivations, pool
from latentdiff.vectors import unit

if TYPE_CHECKING:
    from latentdiff.encoders import Encoder


@dataclass(frozen=True, eq=False)
class Latents:
    """How the latents of a sparse autoencoder fire in both sets, and what they are called.

    Attributes:
        statistics: of all rows of each set.
        decoder: [latents, d] the SAE's decoder rows.
        names: [latents] what each is called by itself.
        namer: names further directions by the same measure.
        centre: [d] the mean embedding of both sets.
    """

    statistics: Mapping[Side, LatentStatistics]
    decoder: np.ndarray
    names: Sequence[LatentName]
    namer: Namer
    centre: np.ndarray

    @cached_property
    def activations(self) -> PooledActivations:
        """The firings of both sets, sorted."""
        return pool(self.statistics["a"], self.statistics["b"])

    @cached_property
    def monosemanticity(self) -> np.ndarray:
        """[latents] mean cosine of the images of both sets that fire each; how pure it is hangs on no question."""
        return self.statistics["a"].moments.pooled(self.statistics["b"].moments).monosemanticity()

    @cached_property
    def directions(self) -> np.ndarray:
        """[latents, d] decoder rows of unit length."""
        return unit(self.decoder)


@dataclass(frozen=True, eq=False)
class Workspace:
    """What proposers share.

    Attributes:
        contrast: all images of both groups; a proposer is given those of them that it may look at with their labels.
        encoder: of the images; its text side.
        words: the vocabulary among the images.
        latents: of the sparse autoencoder; None where no proposer needs one.
        device: where a captioning model runs.
    """

    contrast: Contrast
    encoder: Encoder
    words: WordVectors
    latents: Latents | None = None
    device: str = "auto"
