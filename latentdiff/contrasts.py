"""A contrast: two groups of images that are compared, each some rows of an embedding set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from latentdiff.embeddings import EmbeddingSet, pooled_mean
from latentdiff.hypotheses import SIDES, ImageRef, Part, Side

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Contrast:
    """Two groups of images. Whatever is said of the one is asked of the other in the same way.

    Attributes:
        sets: the embedding set of each side.
        rows: [n] which of its rows are in the group, ascending.
        part: which part of all images that is.
    """

    sets: Mapping[Side, EmbeddingSet]
    rows: Mapping[Side, Rows]
    part: Part = Part.ALL

    @classmethod
    def between(cls, a: EmbeddingSet, b: EmbeddingSet) -> Contrast:
        """Two whole sets."""
        sets: dict[Side, EmbeddingSet] = {"a": a, "b": b}
        return cls(sets, {side: np.arange(one.n) for side, one in sets.items()})

    def among(self, rows: Mapping[Side, Rows], part: Part) -> Contrast:
        """The same two sets with other rows in the groups."""
        return replace(self, rows=rows, part=part)

    def size(self, side: Side) -> int:
        """Images of a group."""
        return len(self.rows[side])

    @cached_property
    def groups(self) -> Mapping[Side, EmbeddingSet]:
        """The rows of each group as an embedding set of their own, which reads them when asked."""
        return {side: one if self._holds_all(side) else one.select(self.rows[side]) for side, one in self.sets.items()}

    @cached_property
    def centre(self) -> npt.NDArray[np.float64]:
        """[d] the mean embedding of all images of both groups."""
        return pooled_mean(self.groups["a"], self.groups["b"])

    @cached_property
    def inside(self) -> Mapping[Side, npt.NDArray[np.bool_]]:
        """[rows of the set] which of them are in the group of each side."""
        masks = {side: np.zeros(self.sets[side].n, dtype=bool) for side in SIDES}
        for side, mask in masks.items():
            mask[self.rows[side]] = True
        return masks

    @property
    def is_whole(self) -> bool:
        """Whether the groups are all rows of their sets."""
        return all(self._holds_all(side) for side in SIDES)

    def _holds_all(self, side: Side) -> bool:
        return self.size(side) == self.sets[side].n

    def references(self, side: Side, rows: npt.ArrayLike, values: npt.ArrayLike) -> tuple[ImageRef, ...]:
        """References to images of a side.

        Args:
            side: whose they are.
            rows: [k] of its embedding set.
            values: [k] how strongly each shows what it is shown for.
        """
        chosen = np.asarray(rows, dtype=np.int64)
        table = self.sets[side].table.select([c for c in ("id", "uri") if c in self.sets[side].table.column_names])
        return tuple(
            ImageRef(side, int(row), str(one.get("id", row)), one.get("uri") or "", float(value))
            for row, value, one in zip(chosen, np.asarray(values), table.take(chosen).to_pylist(), strict=True)
        )
