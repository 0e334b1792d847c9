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
from latentdiff.statistics.ranked_lists import RankedLists
from latentdiff.vectors import unit

if TYPE_CHECKING:
    from latentdiff.encoders import Encoder


@dataclass(frozen=True, eq=False)
class Latents:
    """How the latents of a sparse autoencoder fire in both sets, and what they are called.

    Attributes:
        statistics: of all rows of each set.
        decoder: [latents, d] the SAE's decoder rows.
        namer: names directions, theirs or others.
    """

    statistics: Mapping[Side, LatentStatistics]
    decoder: np.ndarray
    namer: Namer

    @cached_property
    def names(self) -> Sequence[LatentName]:
        """[latents] what each is called by its decoder row."""
        return self.namer.name(self.decoder)

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
        strata: [n] of each image, in the order of `contrast.pooled`: differences are asked for inside them; None: one.
    """

    contrast: Contrast
    encoder: Encoder
    words: WordVectors
    latents: Latents | None = None
    device: str = "auto"
    strata: np.ndarray | None = None

    @cached_property
    def latent_lists(self) -> RankedLists:
        """The images of both groups that fire each latent, those that fire it hardest first (`contrast.pooled`)."""
        assert self.latents is not None
        of, pooled = self.latents.activations, self.contrast.pooled
        images = np.empty(len(of.row), np.int32)
        images[of.in_a] = pooled.place["a"][of.row[of.in_a]]
        images[~of.in_a] = pooled.place["b"][of.row[~of.in_a]]
        hardest_first = (of.starts[of.latent] + of.starts[of.latent + 1] - 1) - np.arange(len(of.row))
        return RankedLists.of_sorted(images[hardest_first], of.value[hardest_first], of.starts, len(pooled))
