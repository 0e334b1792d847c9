"""Two groups as one table of distinct images, in an order that does not know the sides.

An image that occurs several times in a set counts once there; one that occurs in both counts once in each.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from latentdiff.embeddings import EmbeddingSet, blocks
from latentdiff.splits import position


@dataclass(frozen=True)
class DistinctImages:
    """The distinct images of A and B, sorted by the hash of their content."""

    embedding: npt.NDArray[np.float32]  # [images, d], unit length
    row_a: npt.NDArray[np.int64]  # [images] first row in A that has it, -1 for none
    row_b: npt.NDArray[np.int64]  # [images] the same for B
    fold: npt.NDArray[np.int64]  # [images]

    @property
    def in_a(self) -> npt.NDArray[np.bool_]:
        """[images] whether A has it."""
        return self.row_a >= 0

    @property
    def in_b(self) -> npt.NDArray[np.bool_]:
        """[images] whether B has it."""
        return self.row_b >= 0


def gather_distinct(a: EmbeddingSet, b: EmbeddingSet, folds: int, seed: int) -> DistinctImages:
    """Join two groups; exchanging them exchanges `row_a` and `row_b` and changes nothing else.

    Args:
        a: the images of A.
        b: those of B.
        folds: how many to deal them to, by content.
        seed: of the folds.
    """
    hashes, first, content = np.unique(np.concatenate([a.hashes, b.hashes]), return_index=True, return_inverse=True)
    return DistinctImages(
        embedding=_representatives(a, b, first, content),
        row_a=_first_rows(content[: a.n], len(hashes)),
        row_b=_first_rows(content[a.n :], len(hashes)),
        fold=(position(hashes, "fold", seed) * folds).astype(np.int64),
    )


def _representatives(
    a: EmbeddingSet, b: EmbeddingSet, first: npt.NDArray[np.int64], content: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """One embedding per distinct image: of those that equal images were given, the first in order of its bytes."""
    chosen = np.empty((len(first), a.d), np.float32)
    fresh = np.zeros(len(content), dtype=bool)
    fresh[first] = True
    end = 0
    for rows in chain(blocks(a), blocks(b)):
        here = slice(end, end := end + len(rows))
        new, which = fresh[here], content[here]
        chosen[which[new]] = rows[new]
        for again, row in zip(which[~new], rows[~new], strict=True):
            chosen[again] = min(chosen[again], row, key=lambda one: one.tobytes())
    return chosen


def _first_rows(content: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    rows = np.full(count, -1, np.int64)
    rows[content[::-1]] = np.arange(len(content) - 1, -1, -1)  # the last assignment stays: that of the first row
    return rows
