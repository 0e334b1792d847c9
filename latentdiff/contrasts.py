"""A contrast: two groups of images that are compared, each some rows of an embedding set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from latentdiff.embeddings import EmbeddingSet, blocks, pooled_mean
from latentdiff.hypotheses import SIDES, ImageRef, Part, Side, opposite
from latentdiff.vectors import cosines_around, unit_rows

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class PooledOrder:
    """Both groups as one sequence of images, in the order of their content.

    Statistics that go through it are the same to the last bit when the groups are exchanged or their rows are stored in
    another order; of equal images it does not matter which comes first.

    Attributes:
        first: the side that is called the first here, whichever group is "a".
        own: [n] which images are of that side.
        place: of each image of each group, [size], where it stands.
        origin: [n] of each image its number among the rows of A, then those of B.
        hashes: [n] of the content of each image.
    """

    first: Side
    own: npt.NDArray[np.bool_]
    place: Mapping[Side, Rows]
    origin: Rows
    hashes: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.own)

    def side(self, is_first: bool) -> Side:
        """A side as the contrast calls it."""
        return self.first if is_first else opposite(self.first)

    def reorder(self, joined: np.ndarray) -> np.ndarray:
        """Values of the images of A, then of B [n, ...], in this order."""
        return joined[self.origin]

    def gather(self, values: Mapping[Side, np.ndarray]) -> np.ndarray:
        """Values of the images of each group [size, ...] in this order [n, ...]."""
        joined = np.empty((len(self), *values["a"].shape[1:]), values["a"].dtype)
        for side, place in self.place.items():
            joined[place] = values[side]
        return joined


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

    @cached_property
    def pooled(self) -> PooledOrder:
        """All images of both groups in one order that knows neither sides nor storage."""
        hashes = {side: self.sets[side].hashes[self.rows[side]] for side in SIDES}
        joined = np.concatenate([hashes[side] for side in SIDES])
        order = np.argsort(joined, kind="stable")
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        first: Side = "a" if self.groups["a"].digest <= self.groups["b"].digest else "b"
        in_a = order < self.size("a")
        cut = self.size("a")
        return PooledOrder(first, in_a == (first == "a"), {"a": place[:cut], "b": place[cut:]}, order, joined[order])

    def size(self, side: Side) -> int:
        """Images of a group."""
        return len(self.rows[side])

    @cached_property
    def groups(self) -> Mapping[Side, EmbeddingSet]:
        """The rows of each group as an embedding set of their own, which reads them when asked."""
        return {side: one if self._holds_all(side) else one.select(self.rows[side]) for side, one in self.sets.items()}

    def cosines(self, directions: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Cosines around the common mean of all images, in the order of `pooled`.

        Args:
            directions: [k, d] of unit length.

        Returns:
            [n, k].
        """
        values = {
            side: np.concatenate([cosines_around(block, self.centre, directions) for block in blocks(group)])
            for side, group in self.groups.items()
        }
        return self.pooled.gather(values)

    def around_centre(self, places: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
        """Unit embeddings around the common mean of some images, by their places in `pooled`.

        Args:
            places: [k].

        Returns:
            [k, d].
        """
        origin, cut = self.pooled.origin[places], self.size("a")
        rows = np.empty((len(origin), self.sets["a"].d), np.float32)
        rows[origin < cut] = self.groups["a"].rows(origin[origin < cut])
        rows[origin >= cut] = self.groups["b"].rows(origin[origin >= cut] - cut)
        return unit_rows(rows - self.centre)

    @cached_property
    def centre(self) -> npt.NDArray[np.float64]:
        """[d] the mean embedding of all images of both groups."""
        return pooled_mean(self.groups["a"], self.groups["b"])

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
