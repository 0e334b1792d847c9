"""What a latent is called by: a direction among the images, made from those that fire it (docs/methods.md, 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from latentdiff.naming.fidelity import EXEMPLARS

Floats = npt.NDArray[np.floating]


class Firing(NamedTuple):
    """Images of both sides that fire a latent, hardest first.

    Attributes:
        rows: [k, d] unit embeddings around the common mean.
        amounts: [k] how hard each fires it, as a share of the hardest.
        own: [k] which are of the side that has more of it.
        n_own: images of that side, whether they fire it or not.
        n_other: of the other side.
    """

    rows: Floats
    amounts: Floats
    own: npt.NDArray[np.bool_]
    n_own: int
    n_other: int

    def half(self, number: int) -> Firing:
        """Every second of them, from the first (0) or the second (1) on."""
        kept = slice(number, None, 2)
        return self._replace(rows=self.rows[kept], amounts=self.amounts[kept], own=self.own[kept])


def difference(firing: Firing) -> Floats:
    """[d] what its images show more of on its side: E_own[a x] - E_other[a x].

    A latent may fire for several things at once; what both sides have of them cancels.
    """
    own, other = firing.own, ~firing.own
    more = firing.amounts[own] @ firing.rows[own] / firing.n_own
    return np.asarray(more - firing.amounts[other] @ firing.rows[other] / firing.n_other)


def exemplars(firing: Firing) -> Floats:
    """[d] what the images that fire it hardest have in common, whatever their side."""
    return np.asarray(firing.rows[:EXEMPLARS].mean(0))


DIRECTIONS: Mapping[str, Callable[[Firing], Floats]] = {"difference": difference, "exemplars": exemplars}
