"""What stands for a latent beside its decoder row: its strongest images, or how they differ (docs/methods.md, 2)."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

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


def exemplar_directions(
    starts: np.ndarray,
    rows: np.ndarray,
    values: np.ndarray,
    embeddings: RowsByNumber,
    mean: np.ndarray,
    strongest: int = 100,
) -> np.ndarray:
    """What the images that fire a latent most have in common: their activation-weighted mean, minus the overall mean.

    Args:
        starts: [m + 1] int, where each latent's firings begin in `rows` and `values`.
        rows: [nnz] int, the row of each firing.
        values: [nnz] float, its activation (> 0).
        embeddings: [n, d], an array or an embedding set.
        mean: [d], the SAE's training mean.
        strongest: firings used per latent.

    Returns:
        [m, d] float32; zero for a latent that never fires.
    """
    out = np.zeros((len(starts) - 1, len(mean)), np.float32)
    for latent, (start, end) in enumerate(pairwise(starts)):
        if start == end:
            continue
        top = np.lexsort((rows[start:end], -values[start:end]))[:strongest]
        weights = values[start:end][top].astype(np.float64)
        out[latent] = weights @ embeddings[rows[start:end][top]] / weights.sum() - mean
    return out


def _weighted_mean(firings: Firings, centre: np.ndarray) -> npt.NDArray[np.float64]:
    """[d] the mean over all counted images of activation * (embedding - centre)."""
    total = np.zeros(len(centre))
    for start in range(0, len(firings.rows), _BLOCK):
        rows, values = (part[start : start + _BLOCK] for part in (firings.rows, firings.values))
        total += values.astype(np.float64) @ (firings.embeddings[rows] - centre)
    return total / firings.images
