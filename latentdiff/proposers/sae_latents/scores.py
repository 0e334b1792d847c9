"""What puts one latent's difference above another's: a registry of scores (docs/methods.md, 4).

A score is larger for a larger difference, says nothing of its direction (the sign of the mean gap does), and is the
same when the sets are exchanged.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from latentdiff.proposers.pooled_activations import Floats, PooledActivations
from latentdiff.proposers.sae_latents.divergence import Divergence
from latentdiff.statistics import log_odds_ratio

STRONGEST = 40


def jsd(pooled: PooledActivations, divergence: Divergence) -> Floats:
    """Jensen-Shannon divergence in bits, less its inflation by chance."""
    return divergence.corrected


def gap(pooled: PooledActivations, divergence: Divergence) -> Floats:
    """Absolute difference of the mean activations, in units of the activation."""
    return np.abs(pooled.gap)


def jsd_gap(pooled: PooledActivations, divergence: Divergence) -> Floats:
    """The two together: a divergence counts for as much as the activations move."""
    return divergence.corrected * np.abs(pooled.gap)


def strongest(pooled: PooledActivations, divergence: Divergence) -> Floats:
    """How unequally the 40 images that fire hardest are shared between the sets, 0 (as by chance) to about 1.

    Images of equal activation share the places that are left, the silent ones too where fewer than 40 fire.
    """
    places = min(STRONGEST, pooled.n)
    among = np.full(pooled.latents, pooled.n)
    bar = pooled.ranked_value(among - places, among)
    above, tied = pooled.value > bar[pooled.latent], pooled.value == bar[pooled.latent]
    silent = bar == 0
    above_a, above_b = pooled.total(above & pooled.in_a), pooled.total(above & ~pooled.in_a)
    tied_a = np.where(silent, pooled.n_a - pooled.count_a, pooled.total(tied & pooled.in_a))
    tied_b = np.where(silent, pooled.n_b - pooled.count_b, pooled.total(tied & ~pooled.in_a))
    left = (places - (above_a + above_b)) / (tied_a + tied_b)
    share_a, share_b = (above_a + left * tied_a) / places, (above_b + left * tied_b) / places
    chance_a, chance_b = pooled.n_a / pooled.n, pooled.n_b / pooled.n
    return np.abs(share_a * chance_b - share_b * chance_a) / max(chance_a, chance_b)


def effect(pooled: PooledActivations, divergence: Divergence) -> Floats:
    """The log odds ratio of firing that is sure at 95 %: its interval's bound nearer to "no difference".

    Taken in the direction of the mean gap, so below 0 where the interval does not exclude the opposite.
    """
    estimate, spread = log_odds_ratio(pooled.count_a, pooled.n_a, pooled.count_b, pooled.n_b)
    return np.sign(pooled.gap) * estimate - spread


SCORES: dict[str, Callable[[PooledActivations, Divergence], Floats]] = {
    "jsd": jsd,
    "gap": gap,
    "jsd_gap": jsd_gap,
    "strongest": strongest,
    "effect": effect,
}
