"""Which images differ most, by the ratio of two densities, and whether any differ (docs/methods.md, 5)."""

from latentdiff.proposers.density_ratio.proposer import DensityRatio, propose
from latentdiff.proposers.density_ratio.settings import DensitySettings

__all__ = ["DensityRatio", "DensitySettings", "propose"]
