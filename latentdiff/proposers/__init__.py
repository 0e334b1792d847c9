"""Who proposes what may differ: one file or folder each, and one line here (docs/methods.md, 4, 5 and 9)."""

from __future__ import annotations

from collections.abc import Sequence

from latentdiff.errors import LatentDiffError
from latentdiff.proposers import density_ratio, mean_shift, sae_latents, visdiff, word_tails
from latentdiff.proposers.base import Proposal, Proposer, ProposerSettings
from latentdiff.proposers.workspace import Latents, Workspace
from latentdiff.registry import choose

__all__ = [
    "PROPOSERS",
    "Latents",
    "Proposal",
    "Proposer",
    "ProposerSettings",
    "Workspace",
    "choose_proposers",
]

PROPOSERS: dict[str, Proposer] = {
    "sae_latents": Proposer(
        "SAE latents",
        "latents of a sparse autoencoder that fire more often on one side",
        sae_latents.propose,
        section="concepts",
        needs_latents=True,
    ),
    "density_ratio": Proposer(
        "density ratio",
        "images where one side is dense and the other is not, captioned",
        density_ratio.propose,
        section="density",
    ),
    "mean_shift": Proposer(
        "mean shift", "words along the difference of the mean embeddings", mean_shift.propose, section="mean_shift"
    ),
    "word_tails": Proposer(
        "word tails", "words whose nearest images are mostly of one side", word_tails.propose, section="word_tails"
    ),
    "visdiff": Proposer(
        "VisDiff",
        "phrases from captions of sampled images, ranked on all images",
        visdiff.propose,
        section="visdiff",
    ),
}


def choose_proposers(names: Sequence[str]) -> dict[str, Proposer]:
    """Some proposers by name, in that order.

    Raises:
        LatentDiffError: an unknown name, one that is given twice, or none.
    """
    names = (names,) if isinstance(names, str) else tuple(names)
    if not names:
        raise LatentDiffError(f"proposers is empty; name at least one of {', '.join(PROPOSERS)}")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise LatentDiffError(f"proposers names '{twice}' twice; name each once")
    return {name: choose("proposer", name, PROPOSERS) for name in names}
