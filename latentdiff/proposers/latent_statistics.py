"""What comparing latents takes to know of a set, per latent, in one pass: update, merge, compute.

Everything is a sum or a list that concatenates, so shards of millions of rows are read apart and merged in any order.
A firing costs 10 bytes while it is gathered; beside them stands one sum [latents, dimension] (docs/methods.md, 3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from latentdiff.embeddings import RowsBySlice, blocks

if TYPE_CHECKING:
    import torch
    from scipy.sparse import csr_array

    from sae_training import SparseCodes

Floats = npt.NDArray[np.float64]

GRID = 2.0**24


class Moments(NamedTuple):
    """Sums that give monosemanticity: of the embeddings weighted by activation, and of the activations."""

    weighted: Floats  # [latents, dimension] sum of a_i e_i
    first: Floats  # [latents] sum of a_i
    second: Floats  # [latents] sum of a_i^2

    def pooled(self, other: Moments) -> Moments:
        """The sums over both sets."""
        return Moments(self.weighted + other.weighted, self.first + other.first, self.second + other.second)

    def monosemanticity(self) -> Floats:
        """Mean cosine of the images that fire each latent [latents] (`sae_training.monosemanticity`)."""
        from sae_training.monosemanticity import monosemanticity

        return monosemanticity(self.weighted, self.first, self.second)


@dataclass(frozen=True, eq=False)
class LatentStatistics:
    """The firings of a set, latent by latent; within a latent in the order of the rows.

    Attributes:
        n: rows of the set.
        starts: [latents + 1] where the firings of each latent start in `rows` and `values`.
        rows: [firings] uint32, the row of the set.
        values: [firings] float32, the activation.
        moments: sums over all rows.
    """

    n: int
    starts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.uint32]
    values: npt.NDArray[np.float32]
    moments: Moments

    @property
    def latents(self) -> int:
        """Latents of the SAE, firing or not."""
        return len(self.starts) - 1

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """[latents] how many rows fire each latent."""
        return np.diff(self.starts)

    @property
    def latent_of(self) -> npt.NDArray[np.int64]:
        """[firings] the latent of each firing."""
        return np.repeat(np.arange(self.latents), self.counts)

    def firings(self, latent: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.float32]]:
        """The rows that fire one latent, ascending, and their activations."""
        part = slice(self.starts[latent], self.starts[latent + 1])
        return self.rows[part], self.values[part]

    @cached_property
    def _by_row(self) -> csr_array:
        """Which latents fire in each row, [rows, latents]."""
        from scipy.sparse import csr_array

        fired = np.ones(len(self.rows), np.bool_)
        return csr_array((fired, (self.rows, self.latent_of)), shape=(self.n, self.latents))

    def fire_together(self, rows: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
        """[latents] in how many of some rows each latent fires."""
        return np.bincount(self._by_row[rows.astype(np.int64)].indices, minlength=self.latents)


class LatentSums:
    """Gathers `LatentStatistics` from sparse codes, block by block and shard by shard.

    Args:
        latents: latents of the SAE.
        dimension: width of the embeddings.
    """

    def __init__(self, latents: int, dimension: int) -> None:
        self.latents = latents
        self._weighted = np.zeros((latents, dimension))
        self._blocks: list[_Block] = []

    def update(self, codes: SparseCodes, embeddings: torch.Tensor | np.ndarray, first_row: int) -> None:
        """Add one block of rows.

        Args:
            codes: the block's sparse codes, rows counted from 0.
            embeddings: [rows, dimension] the embeddings they come from, unit length.
            first_row: the block's first row in the set.
        """
        from scipy.sparse import csr_array

        row, latent, value = (part.detach().cpu().numpy() for part in (codes.row, codes.latent, codes.value))
        narrow = np.uint16 if self.latents <= 2**16 else np.uint32
        rows = (row + first_row).astype(np.uint32)
        self._blocks.append(_Block(first_row, codes.rows, latent.astype(narrow), rows, value.astype(np.float32)))
        activations = csr_array((value.astype(float), (latent, row)), shape=(self.latents, codes.rows))
        # On a grid of powers of two sums are exact (below 2^29), so the order in which blocks merge leaves no trace.
        self._weighted += np.rint((activations @ np.asarray(embeddings, dtype=float)) * GRID) / GRID

    def merge(self, other: LatentSums) -> LatentSums:
        """The sums over the rows of both, which are blocks of the same set; the order does not matter."""
        merged = LatentSums(self.latents, self._weighted.shape[1])
        merged._weighted = self._weighted + other._weighted
        merged._blocks = self._blocks + other._blocks
        return merged

    def compute(self) -> LatentStatistics:
        """The statistics of the set.

        Raises:
            ValueError: no rows, or one is missing or was added twice.
        """
        blocks = sorted(self._blocks, key=lambda block: (block.first_row, block.size))
        total = 0
        for block in blocks:
            if block.first_row != total:
                raise ValueError(f"row {total} should come next, but a block starts at row {block.first_row}")
            total += block.size
        if total == 0:
            raise ValueError("no rows were added")
        latent = np.concatenate([block.latent for block in blocks])
        row = np.concatenate([block.row for block in blocks])
        value = np.concatenate([block.value for block in blocks])
        order = np.lexsort((row, latent))
        latent, row, value = latent[order], row[order], value[order]
        starts = np.concatenate([[0], np.cumsum(np.bincount(latent, minlength=self.latents))])
        wide = value.astype(np.float64)
        moments = Moments(self._weighted.copy(), self._sum(latent, wide), self._sum(latent, wide**2))
        return LatentStatistics(total, starts, row, value, moments)

    def _sum(self, latent: npt.NDArray[np.unsignedinteger], value: Floats) -> Floats:
        return np.asarray(np.bincount(latent, weights=value, minlength=self.latents), dtype=np.float64)


class _Block(NamedTuple):
    first_row: int
    size: int
    latent: npt.NDArray[np.unsignedinteger]
    row: npt.NDArray[np.uint32]
    value: npt.NDArray[np.float32]


class _Encoder(Protocol):
    @property
    def d_in(self) -> int: ...

    @property
    def num_latents(self) -> int: ...

    def encode(self, x: np.ndarray) -> SparseCodes: ...


def sum_latents(
    sae: _Encoder, embeddings: RowsBySlice, progress: Callable[[str, int, int | None], None] | None = None
) -> LatentSums:
    """One pass over an embedding set: encode its rows in blocks and sum them.

    Args:
        sae: a calibrated `SparseAutoencoder`.
        embeddings: an `EmbeddingSet` of the SAE's encoder.
        progress: called with ("reading latents", rows done, rows).
    """
    sums = LatentSums(sae.num_latents, sae.d_in)
    done = 0
    for rows in blocks(embeddings):
        sums.update(sae.encode(rows), rows, done)
        done += len(rows)
        if progress:
            progress("reading latents", done, len(embeddings))
    return sums
