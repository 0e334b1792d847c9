"""The baselines, each a plain function of two sets, from its own paper's description (docs/methods.md, 9).

A new one is a function `(a, b, context) -> Answer` and a line in `BASELINES`, which says all that is special about it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from latentdiff.embeddings import EmbeddingSet
from latentdiff.noisydiff.methods.answer import Answer, Context
from latentdiff.noisydiff.methods.chance import parent, random_latents, random_words
from latentdiff.noisydiff.methods.means import gsclip, mean_shift
from latentdiff.noisydiff.methods.tails import vocabulary
from latentdiff.noisydiff.methods.visdiff import visdiff

__all__ = ["BASELINES", "CHANCE", "Answer", "Baseline", "Context"]


@dataclass(frozen=True)
class Baseline:
    """A baseline, and what else the benchmark must know of it."""

    answer: Callable[[EmbeddingSet, EmbeddingSet, Context], Answer]
    needs_latents: bool = False  # whether it is given the names of the latents of the pool's SAE
    chance: bool = False  # whether it knows nothing of the difference


BASELINES: dict[str, Baseline] = {
    "visdiff": Baseline(visdiff),
    "gsclip": Baseline(gsclip),
    "mean-shift": Baseline(mean_shift),
    "vocabulary": Baseline(vocabulary),
    "random-latents": Baseline(random_latents, needs_latents=True, chance=True),
    "random-words": Baseline(random_words, chance=True),
    "parent": Baseline(parent, chance=True),
}
CHANCE = tuple(name for name, baseline in BASELINES.items() if baseline.chance)
