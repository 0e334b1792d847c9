"""Things, each with the images that show it, those that show it most first: made without a look at the sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentdiff.statistics.counts import Floats

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

DEPTHS = (5, 8, 12, 18, 27, 40, 60, 90, 135, 200)  # then doubled, to all images that show the thing


@dataclass(frozen=True, eq=False)
class RankedLists:
    """Things with the images that show them.

    Attributes:
        images: [entries] the image of each entry, from 0; list by list, those that show it most first.
        values: [entries] how much it shows it, above 0, falling inside a list.
        starts: [lists + 1] where each list starts.
        n: how many images there are, whether they show anything or not.
    """

    images: npt.NDArray[np.int32]
    values: npt.NDArray[np.floating]
    starts: Integers
    n: int

    @classmethod
    def of(
        cls, images: Sequence[npt.NDArray[np.integer]], values: Sequence[npt.NDArray[np.floating]], n: int
    ) -> RankedLists:
        """Lists from the images that show each thing and how much, in any order.

        Args:
            images: [things] of numbers of images.
            values: [things] of how much each shows it.
            n: how many images there are.

        >>> RankedLists.of([np.arange(5, 25)], [np.linspace(1, 2, 20)], 100).depths(0).tolist()
        [5, 8, 12, 18, 20]
        """
        starts = np.concatenate([[0], np.cumsum([len(one) for one in images])]).astype(np.int64)
        thing = np.repeat(np.arange(len(images)), np.diff(starts))
        image, value = np.concatenate([np.zeros(0, int), *images]), np.concatenate([np.zeros(0), *values])
        order = np.lexsort((image, -value, thing))
        return cls(image[order].astype(np.int32), value[order], starts, n)

    @classmethod
    def of_sorted(
        cls, images: npt.NDArray[np.integer], values: npt.NDArray[np.floating], starts: Integers, n: int
    ) -> RankedLists:
        """Lists that are sorted already, but for equal values, which are put in the order of their images.

        Args:
            images: [entries] numbers of images, from 0.
            values: [entries] how much each shows its thing, falling inside a list.
            starts: [lists + 1] where each list starts.
            n: how many images there are.
        """
        ordered = images.astype(np.int32)
        if len(values):
            new = np.append(True, values[1:] != values[:-1])  # the first of a run of equal values
            new[starts[:-1][np.diff(starts) > 0]] = True
            tied = np.flatnonzero(~new | ~np.append(new[1:], True))
            ordered[tied] = ordered[tied[np.lexsort((ordered[tied], np.cumsum(new)[tied]))]]
        return cls(ordered, values, starts, n)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Integers:
        """[lists] how many images show each thing."""
        return np.diff(self.starts)

    def first(self, number: int, count: int) -> npt.NDArray[np.int32]:
        """The first so many images of a list."""
        return self.images[self.starts[number] : min(self.starts[number] + count, self.starts[number + 1])]

    def weights(self, number: int, power: float) -> Floats:
        """[images of the list] a power of how much they show it, as a share of the most."""
        values = self.values[self.starts[number] : self.starts[number + 1]].astype(np.float64)
        return (values / values[:1]) ** power

    def depths(self, number: int) -> Integers:
        """Where a list may be cut, [depths], ascending: a grid that ends with the whole list.

        A depth inside a tie grows to its end, so that the order of equal values plays no part.
        """
        values = self.values[self.starts[number] : self.starts[number + 1]]
        depths = [*DEPTHS]
        while depths[-1] < len(values):
            depths.append(2 * depths[-1])
        grid = np.array([*(depth for depth in depths if depth < len(values)), len(values)])
        ends = np.append(np.flatnonzero(values[:-1] != values[1:]) + 1, len(values))
        return np.unique(ends[np.searchsorted(ends, grid)]).astype(np.int64) if len(values) else np.zeros(0, np.int64)

    def counts(self, number: int, depths: Integers, own: Flags) -> Integers:
        """[depths] how many of the first so many images of a list are of a side, whose images are True [n]."""
        total = np.cumsum(own[self.first(number, int(depths.max(initial=0)))], dtype=np.int64)
        return np.asarray(total[depths - 1])
