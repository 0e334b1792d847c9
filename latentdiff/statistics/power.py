"""What a test of presence would have shown: the smallest difference that sets of some sizes can tell."""

from __future__ import annotations

import numpy as np
from scipy import special

from latentdiff.statistics.enrichment import FEWEST
from latentdiff.statistics.tails import log_tail


def smallest_detectable(n_a: int, n_b: int, cut: float, power: float = 0.8) -> float:
    """Smallest prevalence in one set alone that an enrichment test would have shown, whichever set it is.

    The smallest number of images of one set that show a thing equally, and none of the other, whose p is at most
    `cut`; then the prevalence at which that many images of the set show it with probability `power` (Clopper and
    Pearson's inversion of the binomial).

    Args:
        n_a: images in A.
        n_b: images in B.
        cut: the largest p value that is significant.
        power: probability of showing it.

    Returns:
        A share; 1.0 where sets of these sizes could not show even something present in every image of one of them.
    """
    return max(_detectable_in(n, other, cut, power) for n, other in ((n_a, n_b), (n_b, n_a)))


def _detectable_in(n: int, other: int, cut: float, power: float) -> float:
    count, total, share = np.arange(FEWEST, n + 1), n + other, n / (n + other)
    squares = np.maximum(count * (1 - count / total), 1e-12)
    spread = np.sqrt(share * (1 - share) * squares * total / (total - 1))
    cubes = squares * (1 - 2 * count / total)
    skewness = share * (1 - share) * (1 - 2 * share) * cubes / spread**3
    enough = np.flatnonzero(log_tail(count * (1 - share) / spread, skewness) <= np.log(cut))
    if not len(enough):
        return 1.0
    least = int(count[enough[0]])
    return float(special.betaincinv(least, n - least + 1, power))
