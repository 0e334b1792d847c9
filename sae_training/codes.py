"""Sparse codes, and three products that touch only their non-zero entries."""

from __future__ import annotations

import warnings
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor


class SparseCodes(NamedTuple):
    """Codes of `rows` rows over `latents` latents: the non-zero entries, sorted by row, then latent."""

    row: Tensor  # int64 [nnz]
    latent: Tensor  # int64 [nnz]
    value: Tensor  # float32 [nnz], above 0
    rows: int
    latents: int
    normalisation: Tensor | None = None  # float32 [rows, 2], mean and spread of each row, where a model normalises rows


class Pattern:
    """Where codes are non-zero, indexed by row and by latent.

    Args:
        row: int64 [nnz], ascending.
        latent: int64 [nnz], ascending within a row.
        rows: number of rows.
        latents: number of latents.
    """

    def __init__(self, row: Tensor, latent: Tensor, rows: int, latents: int) -> None:
        self.row, self.latent, self.rows, self.latents = row, latent, rows, latents

    @classmethod
    def of(cls, index: Tensor, rows: int, latents: int) -> Pattern:
        """From positions in the flattened block [rows, latents], int64 [nnz] ascending."""
        row = index.div(latents, rounding_mode="floor")
        return cls(row, index - row * latents, rows, latents)

    def combine(self, values: Tensor, directions: Tensor) -> Tensor:
        """Each row's sum of value * directions[latent].

        Args:
            values: [nnz].
            directions: [latents, d].

        Returns:
            [rows, d].
        """
        return _csr(self._row_starts, self.latent, values, (self.rows, self.latents)) @ directions

    def collect(self, values: Tensor, rows: Tensor) -> Tensor:
        """Each latent's sum of value * rows[row].

        Args:
            values: [nnz].
            rows: [rows, d].

        Returns:
            [latents, d].
        """
        order = self._by_latent
        return _csr(self._latent_starts, self.row[order], values[order], (self.latents, self.rows)) @ rows

    def dot(self, rows: Tensor, directions: Tensor) -> Tensor:
        """rows[row] . directions[latent] for every non-zero entry, without a copy of either.

        Args:
            rows: [rows, d].
            directions: [latents, d].

        Returns:
            [nnz].
        """
        here = _csr(self._row_starts, self.latent, rows.new_zeros(len(self.row)), (self.rows, self.latents))
        return torch.sparse.sampled_addmm(here, rows, directions.T, beta=0.0).values()

    @cached_property
    def _row_starts(self) -> Tensor:
        return _starts(self.row, self.rows)

    @cached_property
    def _latent_starts(self) -> Tensor:
        return _starts(self.latent, self.latents)

    @cached_property
    def _by_latent(self) -> Tensor:
        return torch.argsort(self.latent, stable=True)


def _starts(index: Tensor, size: int) -> Tensor:
    """Where each of `size` groups starts in the sorted index, [size + 1]."""
    starts = index.new_zeros(size + 1)
    torch.cumsum(torch.bincount(index, minlength=size), dim=0, out=starts[1:])
    return starts


def _csr(starts: Tensor, columns: Tensor, values: Tensor, size: tuple[int, int]) -> Tensor:
    return torch.sparse_csr_tensor(starts, columns, values, size)


with warnings.catch_warnings():  # torch warns once per process that CSR is in beta: trigger it here, suppressed
    warnings.simplefilter("ignore")
    Pattern(torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64), 1, 1).combine(
        torch.ones(1), torch.ones(1, 1)
    )
