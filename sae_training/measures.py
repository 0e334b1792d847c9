"""How well a sparse autoencoder reconstructs (docs/methods.md, 1): a metric that merges over batches and processes."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric


class Measures(NamedTuple):
    """Quality of reconstructions and codes over some rows."""

    fvu: float  # sum |h - h_hat|^2 / sum |h - mean|^2
    l0: float  # non-zero latents per row, on average
    dead_share: float  # share of the latents that fire on none of the rows
    cosine: float  # between h and h_hat, on average


class Reconstruction(Metric):
    """FVU, L0, dead share and cosine, from sums.

    Args:
        d_in: width of the rows.
        num_latents: number of latents.
        options: of `Metric`, such as sync_on_compute=False where every process sees all rows.
    """

    full_state_update = False
    rows: Tensor
    errors: Tensor
    squares: Tensor
    total: Tensor
    cosines: Tensor
    firings: Tensor

    def __init__(self, d_in: int, num_latents: int, **options: Any) -> None:
        super().__init__(**options)
        for name in ("rows", "errors", "squares", "cosines"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("total", torch.zeros(d_in, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("firings", torch.zeros(num_latents, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, h: Tensor, h_hat: Tensor, latent: Tensor) -> None:
        """Add a batch.

        Args:
            h: standardised rows [rows, d].
            h_hat: their reconstructions [rows, d].
            latent: the latent of every non-zero code, int64 [nnz].
        """
        self.rows += len(h)
        self.errors += (h - h_hat).double().square().sum()
        self.squares += h.double().square().sum()
        self.total += h.sum(dim=0, dtype=torch.float64)
        self.cosines += torch.nn.functional.cosine_similarity(h, h_hat, dim=1).double().sum()
        self.firings += torch.bincount(latent, minlength=len(self.firings))

    def compute(self) -> Measures:
        """The measures over all rows so far."""
        variance = self.squares - self.total.square().sum() / self.rows
        return Measures(
            fvu=float(self.errors / variance),
            l0=float(self.firings.sum() / self.rows),
            dead_share=float((self.firings == 0).double().mean()),
            cosine=float(self.cosines / self.rows),
        )
