"""The rivals, each a plain function of two sets, from its own paper's description (docs/methods.md, 9).

A new one is a function `(a, b, context) -> Answer` and a line in `RIVALS`.
"""

from __future__ import annotations

from collections.abc import Callable

from latentdiff.embeddings import EmbeddingSet
from latentdiff.noisydiff.rivals.answer import Answer, Context
from latentdiff.noisydiff.rivals.chance import parent, random_latents, random_words
from latentdiff.noisydiff.rivals.means import gsclip, mean_shift
from latentdiff.noisydiff.rivals.tails import vocabulary
from latentdiff.noisydiff.rivals.visdiff import visdiff

__all__ = ["RIVALS", "Answer", "Context", "Rival"]

Rival = Callable[[EmbeddingSet, EmbeddingSet, Context], Answer]

RIVALS: dict[str, Rival] = {
    "visdiff": visdiff,
    "gsclip": gsclip,
    "mean-shift": mean_shift,
    "vocabulary": vocabulary,
    "random-latents": random_latents,
    "random-words": random_words,
    "parent": parent,
}
