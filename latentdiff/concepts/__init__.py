"""The concept branch: which latents of a sparse autoencoder differ between two sets (docs/methods.md, 4)."""

from latentdiff.concepts.branch import concept_branch
from latentdiff.concepts.divergence import DIVERGENCES
from latentdiff.concepts.ranks import RANKS
from latentdiff.concepts.settings import PAPER, ConceptSettings
from latentdiff.concepts.sums import LatentStatistics, LatentSums, sum_latents

__all__ = [
    "DIVERGENCES",
    "PAPER",
    "RANKS",
    "ConceptSettings",
    "LatentStatistics",
    "LatentSums",
    "concept_branch",
    "sum_latents",
]
