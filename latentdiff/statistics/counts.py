"""Counts as 2 x 2 tables: the check that a share has images to be a share of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


def checked_size(n: int) -> int:
    """The size of a group.

    Raises:
        ValueError: it is empty.
    """
    if n < 1:
        raise ValueError(f"a share needs at least one image, got n = {n}")
    return n
