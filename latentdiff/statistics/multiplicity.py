"""Corrections for the number of tests: false discovery rates (docs/methods.md, 4)."""

from __future__ import annotations

from latentdiff.statistics.counts import Floats


def adjust(p: Floats) -> Floats:
    """q values: p corrected so that rejecting q <= level keeps the false discovery rate at the level.

    Args:
        p: [k] p values of everything that was tested together (Benjamini-Hochberg).
    """
    from scipy.stats import false_discovery_control

    return false_discovery_control(p)
