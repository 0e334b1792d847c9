"""Tails of sums that are nearly normal: Pearson's type III has their skewness, too."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc, gammaincc, log_ndtr

from latentdiff.statistics.counts import Floats

_STRAIGHT = 0.02  # skewness below which the normal tail stands
_LEAST = 1e-300


def log_tail(z: npt.ArrayLike, skewness: npt.ArrayLike) -> Floats:
    """log P(Z >= z) of a standardised sum, by the gamma distribution of its skewness.

    Where few images of a rarer side show a thing, the normal tail promises far too small a p.

    Args:
        z: standardised values, any shape.
        skewness: third standardised moments, of a shape that goes with it.

    >>> np.exp(log_tail([1.96], [0.0])).round(4).tolist()
    [0.025]
    """
    z, skewness = np.broadcast_arrays(np.asarray(z, np.float64), np.asarray(skewness, np.float64))
    log_p = np.array(log_ndtr(-z))
    skewed = np.abs(skewness) >= _STRAIGHT
    if skewed.any():
        s, at = skewness[skewed], z[skewed]
        shape = 4 / s**2
        gamma = np.maximum(shape + np.sign(s) * at * np.sqrt(shape), 0.0)
        tail = np.where(s > 0, gammaincc(shape, gamma), gammainc(shape, gamma))
        log_p[skewed] = np.log(np.maximum(tail, _LEAST))
    return log_p
