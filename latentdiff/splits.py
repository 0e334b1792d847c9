"""Splitting images by their content: equal images stay together, and one split says nothing about another."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from sae_training.splitmix import splitmix64


def position(hashes: npt.NDArray[np.uint64], purpose: str, seed: int = 0) -> npt.NDArray[np.float64]:
    """Where each content falls between 0 and 1: uniform, and the same wherever that content occurs.

    The hashes are mixed with the purpose and the seed (SplitMix64), so that the folds inside one half of a split are
    not what made the half.

    Args:
        hashes: [n] content hashes.
        purpose: what is split; other purposes give unrelated positions.
        seed: seed of the split.

    Returns:
        [n] numbers in [0, 1).
    """
    key = hashlib.blake2b(f"{purpose}:{seed}".encode(), digest_size=8).digest()
    mixed = splitmix64(np.asarray(hashes, np.uint64) ^ np.uint64(int.from_bytes(key, "little")))
    return (mixed >> np.uint64(11)).astype(np.float64) / 2.0**53
