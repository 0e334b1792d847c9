"""How far apart the activations of a latent are in two sets: Jensen-Shannon divergence in bits (docs/methods.md, 4).

`hurdle` treats silence as a cell of its own and bins what fires, so that a latent silent on 99 % of the images still
shows its shape; `plain` bins all values as the paper does (Freedman-Diaconis), which puts such a latent in one bin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from latentdiff.proposers.pooled_activations import Floats, Integers, PooledActivations

BINS = 64
BINS_PLAIN = 1024  # a quartile just above zero would ask for millions


@dataclass(frozen=True, eq=False)
class Divergence:
    """Bits, between 0 and 1, per latent [latents]."""

    jsd: Floats
    corrected: Floats  # less what two samples of one distribution of these sizes show on average, at least 0
    presence: Floats | None = None  # the part of `jsd` from whether the latent fires
    strength: Floats | None = None  # the part of `jsd` from how strongly, where it does


def hurdle(pooled: PooledActivations) -> Divergence:
    """Divergence with silence as a cell of its own, in its two parts: JSD = presence + mean prevalence * strength."""
    share_a, share_b = pooled.count_a / pooled.n_a, pooled.count_b / pooled.n_b
    share = (share_a + share_b) / 2
    presence = _entropy_of_share(share) - (_entropy_of_share(share_a) + _entropy_of_share(share_b)) / 2

    cells = _histogram(pooled, among=pooled.count, most=BINS)
    fired = np.maximum(share_a + share_b, np.finfo(float).tiny)
    weight_a, weight_b = share_a / fired, share_b / fired
    shape_a = cells.a / np.maximum(pooled.count_a, 1)[cells.latent]
    shape_b = cells.b / np.maximum(pooled.count_b, 1)[cells.latent]
    mixture = weight_a[cells.latent] * shape_a + weight_b[cells.latent] * shape_b
    strength = cells.entropy(mixture) - (weight_a * cells.entropy(shape_a) + weight_b * cells.entropy(shape_b))

    presence, strength = np.clip(presence, 0, 1), share * np.clip(strength, 0, 1)
    jsd = np.minimum(presence + strength, 1.0)
    occupied = cells.occupied() + (pooled.count < pooled.n)
    # Twice the sum of the sizes times JSD is chi-squared with K - 1 degrees of freedom, as the sets are alike.
    inflation = (occupied - 1) / (8 * np.log(2)) * (1 / pooled.n_a + 1 / pooled.n_b)
    return Divergence(jsd, np.maximum(jsd - inflation, 0.0), presence, strength)


def plain(pooled: PooledActivations) -> Divergence:
    """Divergence over Freedman-Diaconis bins of all values, silent ones as zeros, uncorrected: the paper's."""
    cells = _histogram(pooled, among=np.full(pooled.latents, pooled.n), most=BINS_PLAIN)
    silent = cells.starts  # zero is the smallest value, so silence lies in a latent's first bin
    cells.a[silent] += pooled.n_a - pooled.count_a
    cells.b[silent] += pooled.n_b - pooled.count_b
    share_a, share_b = cells.a / pooled.n_a, cells.b / pooled.n_b
    jsd = cells.entropy((share_a + share_b) / 2) - (cells.entropy(share_a) + cells.entropy(share_b)) / 2
    jsd = np.clip(jsd, 0, 1)
    return Divergence(jsd, jsd)


DIVERGENCES: dict[str, Callable[[PooledActivations], Divergence]] = {"hurdle": hurdle, "plain": plain}


@dataclass(frozen=True, eq=False)
class _Cells:
    """The histograms of all latents, end to end."""

    starts: Integers  # [latents] the first cell of each latent; every latent has one or more
    latent: Integers  # [cells]
    a: Integers  # [cells] images of A
    b: Integers

    def entropy(self, share: Floats) -> Floats:
        """[latents] entropy in bits of shares [cells]."""
        return np.add.reduceat(special.entr(share), self.starts) / np.log(2)

    def occupied(self) -> Integers:
        """[latents] cells with at least one image."""
        return np.add.reduceat((self.a + self.b > 0).astype(np.int64), self.starts)


def _histogram(pooled: PooledActivations, among: Integers, most: int) -> _Cells:
    """Count the firings in equal bins of Freedman and Diaconis' width, 2 IQR / size^(1/3), at least one bin.

    Args:
        pooled: the firings.
        among: [latents] how many values the width is taken from: the firings, and zeros for what is more.
        most: most bins.
    """
    quarter, three_quarters = _quantile(pooled, among, 0.25), _quantile(pooled, among, 0.75)
    low = pooled.ranked_value(np.zeros_like(among), among)
    span = pooled.ranked_value(np.maximum(among - 1, 0), among) - low
    width = 2 * (three_quarters - quarter) / np.cbrt(np.maximum(among, 1))
    binned = (width > 0) & (span > 0)
    wanted = np.where(binned, span, 1.0) / np.where(binned, width, 1.0)
    bins = np.clip(np.ceil(np.minimum(wanted, most)), 1, most).astype(np.int64)

    starts = np.cumsum(bins) - bins
    within = (pooled.value - low[pooled.latent]) / np.where(binned, span, np.inf)[pooled.latent]
    cell = starts[pooled.latent] + np.minimum((within * bins[pooled.latent]).astype(np.int64), bins[pooled.latent] - 1)
    return _Cells(
        starts,
        np.repeat(np.arange(pooled.latents), bins),
        np.bincount(cell[pooled.in_a], minlength=int(bins.sum())),
        np.bincount(cell[~pooled.in_a], minlength=int(bins.sum())),
    )


def _quantile(pooled: PooledActivations, among: Integers, q: float) -> Floats:
    """[latents] quantile, linear between neighbours, as `numpy.quantile` has it."""
    position = q * np.maximum(among - 1, 0)
    below = np.floor(position).astype(np.int64)
    low = pooled.ranked_value(below, among)
    high = pooled.ranked_value(np.minimum(below + 1, np.maximum(among - 1, 0)), among)
    return low + (high - low) * (position - below)


def _entropy_of_share(share: Floats) -> Floats:
    return (special.entr(share) + special.entr(1 - share)) / np.log(2)
