"""Words along the difference of the two mean embeddings: no sparse code, no model of captions.

GSCLIP (Zhu, Liang and Zou 2022) ranks candidate texts by their cosine with that difference, in both directions; here
the candidates are the vocabulary. `mean_shift` is the same with centred text vectors, as our own names have them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from latentdiff.embeddings import EmbeddingSet, mean_of
from latentdiff.findings import Side
from latentdiff.naming import WordVectors
from latentdiff.noisydiff.methods.answer import Answer, Context, best_words, one_each
from latentdiff.noisydiff.methods.predictions import TOP


def gsclip(a: EmbeddingSet, b: EmbeddingSet, context: Context) -> Answer:
    """Words by the cosine of their text vectors, as they are, with the difference of the means."""
    return _along_shift(a, b, context.raw_words)


def mean_shift(a: EmbeddingSet, b: EmbeddingSet, context: Context) -> Answer:
    """Words by the cosine of their centred text vectors with the difference of the means."""
    return _along_shift(a, b, context.words)


def _along_shift(a: EmbeddingSet, b: EmbeddingSet, words: WordVectors) -> Answer:
    shift = mean_of(a) - mean_of(b)
    length = float(shift @ shift) ** 0.5
    direction = (shift / (length or 1.0)).astype(np.float32)
    cosines = words.vectors @ direction  # exchanging the sets negates them, to the bit
    scores: dict[Side, npt.NDArray[np.floating]] = {"a": cosines, "b": -cosines}
    chosen = {side: best_words(own, words.words) for side, own in scores.items()}
    return Answer(
        findings={side: one_each(words.words[i] for i in own) for side, own in chosen.items()},
        details={
            "distance of the means": length,
            "cosines": {side: [float(scores[side][i]) for i in own[:TOP]] for side, own in chosen.items()},
        },
    )
