"""95 % intervals of shares, their differences and odds ratios, for many things at once (docs/methods.md, 4).

Wilson (1927), Newcombe (1998), Woolf's interval of the odds ratio with 0.5 added to each count (Haldane, Anscombe).
Exchanging the sides negates differences and log odds, to the last bit.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from latentdiff.statistics.counts import Counts, Floats, checked_size

Z = float(special.ndtri(0.975))  # all intervals are 95 % intervals


def wilson(count: Counts, n: int) -> tuple[Floats, Floats]:
    """Wilson's score interval of a share, (low, high), each shaped like `count`."""
    share = count / checked_size(n)
    centre = share + Z**2 / (2 * n)
    spread = Z * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    scale = 1 + Z**2 / n
    low = np.where(count == 0, 0.0, (centre - spread) / scale)
    high = np.where(count == n, 1.0, (centre + spread) / scale)
    return low, high


def newcombe(count_a: Counts, n_a: int, count_b: Counts, n_b: int) -> tuple[Floats, Floats]:
    """Newcombe's interval (his method 10, from two Wilson intervals) of share A minus share B, (low, high)."""
    share_a, share_b = count_a / checked_size(n_a), count_b / checked_size(n_b)
    low_a, high_a = wilson(count_a, n_a)
    low_b, high_b = wilson(count_b, n_b)
    difference = share_a - share_b
    low = difference - np.sqrt((share_a - low_a) ** 2 + (high_b - share_b) ** 2)
    high = difference + np.sqrt((high_a - share_a) ** 2 + (share_b - low_b) ** 2)
    return low, high


def log_odds_ratio(count_a: Counts, n_a: int, count_b: Counts, n_b: int) -> tuple[Floats, Floats]:
    """Log odds ratio of A over B with 0.5 added to each count, and the half-width of its 95 % interval (Woolf)."""
    present_a, absent_a = count_a + 0.5, checked_size(n_a) - count_a + 0.5
    present_b, absent_b = count_b + 0.5, checked_size(n_b) - count_b + 0.5
    estimate = np.log(present_a / absent_a) - np.log(present_b / absent_b)
    variance = (1 / present_a + 1 / present_b) + (1 / absent_a + 1 / absent_b)
    return estimate, Z * np.sqrt(variance)
