"""Which latents of a sparse autoencoder differ between two groups (docs/methods.md, 4)."""

from latentdiff.proposers.sae_latents.divergence import DIVERGENCES
from latentdiff.proposers.sae_latents.proposer import LatentDifferences, propose
from latentdiff.proposers.sae_latents.scores import SCORES
from latentdiff.proposers.sae_latents.settings import PAPER, ConceptSettings

__all__ = ["DIVERGENCES", "PAPER", "SCORES", "ConceptSettings", "LatentDifferences", "propose"]
