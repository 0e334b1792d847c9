"""Statistics of each latent over some rows: firing density, monosemanticity, the rows that fire it hardest.

Metrics whose states merge over batches and processes, and one pass that computes them all.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric

from sae_training.codes import SparseCodes
from sae_training.model import SparseAutoencoder
from sae_training.monosemanticity import Monosemanticity
from sae_training.rows import Rows

MAXIMUM_ROWS = 65_536  # enough to see a latent that fires on one row in ten thousand


class LatentMeasures(NamedTuple):
    """Statistics of every latent over some rows, on the CPU."""

    density: Tensor  # [latents] float64, share of the rows that fire it
    ms: Tensor  # [latents] float64, NaN below two firings
    strongest: Tensor  # [latents, count] int64, positions of the rows that fire it, hardest first; -1: no more


class Histogram(NamedTuple):
    """Latents by log10 of their firing density; latents that never fire are counted apart."""

    edges: Tensor  # [bins + 1] float64, log10
    counts: Tensor  # [bins] int64
    never_fired: int


def measure_latents(sae: SparseAutoencoder, rows: Rows, strongest: int = 8) -> LatentMeasures:
    """Density, monosemanticity and strongest rows of every latent, in one pass over the rows (65,536 at most).

    Args:
        sae: calibrated.
        rows: of unit length; held-out ones are taken first.
        strongest: number of rows kept for each latent, as their positions in the source of `rows`.
    """
    device = sae.W_enc.device
    density = FiringDensity(sae.num_latents, sync_on_compute=False).to(device)
    ms = Monosemanticity(sae.num_latents, sae.d_in, sync_on_compute=False).to(device)
    top = StrongestRows(sae.num_latents, strongest, sync_on_compute=False).to(device)
    positions = torch.cat([rows.measuring, rows.calibration, rows.training])[:MAXIMUM_ROWS]
    for chunk in rows.chunks(positions):
        codes = sae.encode(chunk)
        top.update(codes, first_row=int(density.rows))
        density.update(codes)
        ms.update(codes, chunk.to(device))
    found = top.compute().cpu()
    return LatentMeasures(
        density.compute().cpu(), ms.compute().cpu(), torch.where(found < 0, -1, positions[found.clamp_min(0)])
    )


def density_histogram(density: Tensor, per_decade: int = 4) -> Histogram:
    """Latents by log10 of the share of rows that fire them.

    Args:
        density: [latents] shares.
        per_decade: bins in each power of ten, from the power at or below the rarest latent up to 1.
    """
    fires = density[density > 0].log10()
    lowest = min(-1, math.floor(float(fires.min()))) if len(fires) else -1
    edges = torch.linspace(lowest, 0, -lowest * per_decade + 1, dtype=torch.float64)
    # a bin includes its lower edge; density 1 lies in the last bin
    place = (torch.searchsorted(edges, fires.to(edges), right=True) - 1).clamp(0, len(edges) - 2)
    counts = torch.bincount(place, minlength=len(edges) - 1)
    return Histogram(edges, counts, len(density) - len(fires))


class FiringDensity(Metric):
    """The share of rows that fire each latent.

    Args:
        num_latents: number of latents.
    """

    full_state_update = False
    rows: Tensor
    firings: Tensor

    def __init__(self, num_latents: int, **options: Any) -> None:
        super().__init__(**options)
        self.add_state("rows", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("firings", torch.zeros(num_latents, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, codes: SparseCodes) -> None:
        """Add the codes of a batch."""
        self.rows += codes.rows
        self.firings += torch.bincount(codes.latent, minlength=len(self.firings))

    def compute(self) -> Tensor:
        """[latents] float64."""
        return self.firings.double() / self.rows


class StrongestRows(Metric):
    """The rows that fire each latent hardest; of rows that fire it equally, the first.

    Args:
        num_latents: number of latents.
        count: rows kept for each latent.
    """

    full_state_update = False
    found: Tensor  # [2, latents, count] float64: activations, descending (0: none), and rows

    def __init__(self, num_latents: int, count: int, **options: Any) -> None:
        super().__init__(**options)
        self.count = count
        self.add_state("found", torch.zeros(2, num_latents, count, dtype=torch.float64), dist_reduce_fx=self._best)

    def update(self, codes: SparseCodes, first_row: int) -> None:
        """Add a batch.

        Args:
            codes: of the batch, rows counted from 0.
            first_row: the batch's first row among all.
        """
        # by latent, then descending value, then row: stable sorts, the last key first
        order = torch.sort(codes.value, descending=True, stable=True).indices
        order = order[torch.sort(codes.latent[order], stable=True).indices]
        latent = codes.latent[order]
        starts = torch.searchsorted(latent, torch.arange(self.found.shape[1], device=latent.device))
        rank = torch.arange(len(latent), device=latent.device) - starts[latent]
        kept = rank < self.count
        here = torch.zeros_like(self.found)
        here[0, latent[kept], rank[kept]] = codes.value[order][kept].double()
        here[1, latent[kept], rank[kept]] = (codes.row[order][kept] + first_row).double()
        self.found = self._best(torch.stack([self.found, here]))

    def compute(self) -> Tensor:
        """[latents, count] int64, hardest first; -1 where fewer rows fire it."""
        value, row = self.found
        return torch.where(value > 0, row, -1).long()

    def _best(self, stacked: Tensor) -> Tensor:
        """The best of several states [states, 2, latents, count]."""
        both = torch.cat(list(stacked), dim=-1)
        by_row = both.gather(-1, torch.sort(both[1], dim=-1).indices.expand(2, -1, -1))
        best = torch.sort(by_row[0], dim=-1, descending=True, stable=True).indices[:, : self.count]
        return by_row.gather(-1, best.expand(2, -1, -1))
