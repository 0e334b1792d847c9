"""What a test of presence would have shown: the smallest difference that sets of some sizes can tell."""

from __future__ import annotations

import numpy as np
from scipy import special

from latentdiff.statistics.tests import presence_test


def smallest_detectable(n_a: int, n_b: int, tests: int, level: float = 0.05, power: float = 0.8) -> float:
    """Smallest prevalence in one set alone that a test of presence would have shown, whichever set it is.

    The smallest count in one set, none in the other, whose p survives Bonferroni's correction; then the prevalence
    at which that count is reached with probability `power` (Clopper and Pearson's inversion of the binomial).

    Args:
        n_a: images in A.
        n_b: images in B.
        tests: how many tests are corrected for.
        level: level after correction.
        power: probability of showing it.

    Returns:
        A share; 1.0 where sets of these sizes could not show even something present in every image of one of them.
    """
    return max(_detectable_in(n, other, level / max(tests, 1), power) for n, other in ((n_a, n_b), (n_b, n_a)))


def _detectable_in(n: int, other: int, level: float, power: float) -> float:
    low, high = 1, n + 1  # the smallest sufficient count lies in low..high; n + 1 stands for "none"
    while low < high:
        middle = (low + high) // 2
        if presence_test(np.array([middle]), n, np.array([0]), other)[0] <= level:
            high = middle
        else:
            low = middle + 1
    return float(special.betaincinv(low, n - low + 1, power)) if low <= n else 1.0
