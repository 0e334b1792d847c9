"""What names a finding beside its latent's decoder row: how its images differ, or the strongest of them.

See docs/methods.md, 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

STRONGEST = 100  # images that stand for a latent
_BLOCK = 8192  # rows read at once


class RowsByNumber(Protocol):
    """What gives float32 rows [k, d] for an array of row numbers [k]."""

    def __getitem__(self, index: np.ndarray, /) -> np.ndarray: ...


class Firings(NamedTuple):
    """One latent in one set."""

    rows: np.ndarray  # [k] int, of the images that fire it
    values: np.ndarray  # [k] their activations
    images: int  # that are counted, whether they fire it or not
    embeddings: RowsByNumber


def difference_direction(own: Firings, other: Firings, centre: np.ndarray) -> npt.NDArray[np.float64]:
    """What the images that fire a latent show more of in one set: the difference between the sets of E[z (x - centre)].

    A latent may stand for several things at once. What both sets have of them cancels, and what is left is nearer to
    the words for what differs than the latent's own direction is.

    Args:
        own: the latent in the set that has more of it.
        other: the latent in the other set.
        centre: [d] the mean embedding of both sets.

    Returns:
        [d].
    """
    return _weighted_mean(own, centre) - _weighted_mean(other, centre)


def exemplar_direction(own: Firings, other: Firings, centre: np.ndarray) -> npt.NDArray[np.float64]:
    """What the images of both sets that fire a latent hardest have in common: their activation-weighted mean, centred.

    Args and returns: as for `difference_direction`.
    """
    values = np.concatenate([own.values, other.values]).astype(np.float64)
    strongest = np.argsort(-values, kind="stable")[:STRONGEST]
    total = np.zeros(len(centre))
    for firings, first in ((own, 0), (other, len(own.rows))):
        mine = np.sort(strongest[(strongest >= first) & (strongest < first + len(firings.rows))])
        total += values[mine] @ firings.embeddings[firings.rows[mine - first]]
    return total / (values[strongest].sum() or 1.0) - centre


DIRECTIONS: Mapping[str, Callable[[Firings, Firings, np.ndarray], npt.NDArray[np.float64]]] = {
    "difference": difference_direction,
    "exemplars": exemplar_direction,
}


def _weighted_mean(firings: Firings, centre: np.ndarray) -> npt.NDArray[np.float64]:
    """[d] the mean over all counted images of activation * (embedding - centre)."""
    total = np.zeros(len(centre))
    for start in range(0, len(firings.rows), _BLOCK):
        rows, values = (part[start : start + _BLOCK] for part in (firings.rows, firings.values))
        total += values.astype(np.float64) @ (firings.embeddings[rows] - centre)
    return total / firings.images
