"""Two embedding sets as one table of distinct contents, in an order that does not know the sides.

An image that occurs several times in a set counts once there; one that occurs in both counts once in each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from latentdiff.splits import position

if TYPE_CHECKING:
    from latentdiff.embeddings import EmbeddingSet


@dataclass(frozen=True)
class Contents:
    """The distinct contents of A and B, sorted by hash."""

    embedding: npt.NDArray[np.float32]  # [contents, d], unit length
    row_a: npt.NDArray[np.int64]  # [contents] first row in A that has it, -1 for none
    row_b: npt.NDArray[np.int64]  # [contents] the same for B
    fold: npt.NDArray[np.int64]  # [contents]

    @property
    def in_a(self) -> npt.NDArray[np.bool_]:
        """[contents] whether A has it."""
        return self.row_a >= 0

    @property
    def in_b(self) -> npt.NDArray[np.bool_]:
        """[contents] whether B has it."""
        return self.row_b >= 0


def gather_contents(a: EmbeddingSet, b: EmbeddingSet, folds: int, seed: int) -> Contents:
    """Join two sets; exchanging them exchanges `row_a` and `row_b` and changes nothing else."""
    rows = np.concatenate([a.rows(slice(None)), b.rows(slice(None))])
    hashes, content = np.unique(np.concatenate([a.hashes, b.hashes]), return_inverse=True)
    return Contents(
        embedding=_representatives(rows, content, len(hashes)),
        row_a=_first_rows(content[: a.n], len(hashes)),
        row_b=_first_rows(content[a.n :], len(hashes)),
        fold=(position(hashes, "fold", seed) * folds).astype(np.int64),
    )


def _representatives(
    rows: npt.NDArray[np.float32], content: npt.NDArray[np.int64], count: int
) -> npt.NDArray[np.float32]:
    """One embedding per content: where equal images were embedded differently, the first in order of its bytes."""
    chosen = np.zeros((count, rows.shape[1]), np.float32)
    chosen[content] = rows
    repeated = np.flatnonzero(np.bincount(content, minlength=count) > 1)
    if len(repeated):
        order = np.argsort(content, kind="stable")
        starts = np.searchsorted(content[order], repeated)
        ends = np.searchsorted(content[order], repeated, side="right")
        for which, start, end in zip(repeated, starts, ends, strict=True):
            chosen[which] = min((rows[i] for i in order[start:end]), key=lambda row: row.tobytes())
    return chosen


def _first_rows(content: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    rows = np.full(count, -1, np.int64)
    rows[content[::-1]] = np.arange(len(content) - 1, -1, -1)  # the last assignment stays: that of the first row
    return rows
