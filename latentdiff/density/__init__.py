"""Which images differ most: a density ratio between two embedding sets, and whether there is one at all."""

from __future__ import annotations

from latentdiff.density.branch import density_branch
from latentdiff.density.hypotheses import hypotheses
from latentdiff.density.settings import DensitySettings

__all__ = ["DensitySettings", "density_branch", "hypotheses"]
