"""Hypotheses as vectors: one direction among the images for some words or phrases that say one thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from latentdiff.naming.vectors import WordVectors
from latentdiff.vectors import unit

if TYPE_CHECKING:
    from latentdiff.encoders import Encoder

SAME_TOPIC = 0.3  # text cosine with the first word below which a word says something else


def text_vectors(texts: Sequence[tuple[str, ...]], words: WordVectors, encoder: Encoder) -> np.ndarray:
    """One unit vector per hypothesis [h, d]: the mean of its first word's vector and of those near to it.

    The first word is what stands beside the verdict; one that says something else must not confirm it.

    Args:
        texts: one or more words or phrases each.
        words: the vocabulary among the images.
        encoder: of the texts that are not in it.
    """
    if not texts:
        return np.zeros((0, words.vectors.shape[1]), np.float32)
    known = {word: row for row, word in enumerate(words.words)}
    fresh = sorted({word for text in texts for word in text if word not in known})
    extra = dict(zip(fresh, words.text(encoder, fresh), strict=True)) if fresh else {}
    vectors = [[words.vectors[known[w]] if w in known else extra[w] for w in text] for text in texts]
    means = np.stack([np.mean([own[0], *(v for v in own[1:] if v @ own[0] >= SAME_TOPIC)], axis=0) for own in vectors])
    return unit(means)
