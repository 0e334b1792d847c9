"""Vectors of unit length, and the cosines between rows and directions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors scaled to length 1 along the last axis, in their own type; zero vectors stay zero.

    >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def unit_rows(vectors: np.ndarray) -> npt.NDArray[np.float32]:
    """Rows scaled to length 1, float32; zero rows stay zero."""
    return unit(vectors).astype(np.float32)


def cosines_around(rows: np.ndarray, centre: np.ndarray, directions: np.ndarray) -> npt.NDArray[np.float32]:
    """Cosines of rows with directions, both seen from a centre.

    Args:
        rows: [n, d].
        centre: [d] that is subtracted from the rows.
        directions: [k, d] of unit length, centred already.

    Returns:
        [n, k]; 0 where a row is the centre.
    """
    around = rows - centre
    lengths = np.linalg.norm(around, axis=1, keepdims=True)
    return ((around @ directions.T) / np.where(lengths > 0, lengths, 1)).astype(np.float32)
