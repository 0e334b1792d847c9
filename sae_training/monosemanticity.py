"""Monosemanticity, how alike the rows are that fire a latent (docs/methods.md, 3), from sums that merge."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torchmetrics import Metric

from sae_training.codes import Pattern, SparseCodes

Floats = npt.NDArray[np.float64]


def monosemanticity(weighted: Floats, first: Floats, second: Floats) -> Floats:
    """Mean cosine of the rows that fire a latent, weighted by their activations (Pach et al. 2025).

    Args:
        weighted: [latents, d] sum of a_i e_i over the rows, e_i of unit length.
        first: [latents] sum of a_i.
        second: [latents] sum of a_i^2.

    Returns:
        [latents] values up to 1; NaN below two firings. Equal to the sum over pairs (docs/methods.md, 3).
    """
    pairs = first**2 - second
    defined = pairs > 1e-9 * first**2  # a single firing leaves only rounding errors
    above = np.einsum("ld,ld->l", weighted, weighted) - second
    return np.clip(np.where(defined, above / np.where(defined, pairs, 1.0), np.nan), -1, 1)


class Monosemanticity(Metric):
    """Monosemanticity of every latent, in one pass.

    Args:
        num_latents: number of latents.
        dimension: width of the embeddings, which may be another encoder's.
    """

    full_state_update = False
    weighted: Tensor
    first: Tensor
    second: Tensor

    def __init__(self, num_latents: int, dimension: int, **options: Any) -> None:
        super().__init__(**options)
        self.add_state("weighted", torch.zeros(num_latents, dimension, dtype=torch.float64), dist_reduce_fx="sum")
        for name in ("first", "second"):
            self.add_state(name, torch.zeros(num_latents, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, codes: SparseCodes, embeddings: Tensor) -> None:
        """Add a batch.

        Args:
            codes: of the rows.
            embeddings: [rows, dimension] unit length: the rows themselves, or those of another encoder.
        """
        value = codes.value.double()
        self.weighted += Pattern(codes.row, codes.latent, codes.rows, codes.latents).collect(value, embeddings.double())
        self.first.index_add_(0, codes.latent, value)
        self.second.index_add_(0, codes.latent, value.square())

    def compute(self) -> Tensor:
        """[latents] float64, NaN below two firings."""
        sums = (state.cpu().numpy() for state in (self.weighted, self.first, self.second))
        return torch.from_numpy(monosemanticity(*sums))
