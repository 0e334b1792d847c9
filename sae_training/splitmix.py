"""SplitMix64 (Steele, Lea and Flood 2014): turns hashes, even ones that count up, into uniform bits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def splitmix64(states: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The output that follows each generator state, elementwise.

    Args:
        states: uint64 [n].
    """
    mixed = states + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
