"""Images that show a text: those of its side that lie nearest to it."""

from __future__ import annotations

import numpy as np

from latentdiff.contrasts import Contrast
from latentdiff.embeddings import blocks
from latentdiff.hypotheses import ImageRef, Side
from latentdiff.vectors import cosines_around


def nearest_images(contrast: Contrast, side: Side, vectors: np.ndarray, count: int) -> list[tuple[ImageRef, ...]]:
    """For each text the images of a side with the largest cosine around the common mean, nearest first.

    Args:
        contrast: whose images.
        side: which group of it.
        vectors: [texts, d] unit text vectors.
        count: images a text; 0 reads nothing.
    """
    if not count or not len(vectors):
        return [()] * len(vectors)
    kept = np.zeros((0, len(vectors)), np.float32)
    rows = np.zeros((0, len(vectors)), np.int64)
    start = 0
    for block in blocks(contrast.groups[side]):
        here = np.arange(start, start := start + len(block))
        cosines = np.vstack([kept, cosines_around(block, contrast.centre, vectors)])
        numbers = np.vstack([rows, np.repeat(here[:, None], len(vectors), axis=1)])
        best = np.argsort(-cosines, axis=0, kind="stable")[:count]
        kept, rows = np.take_along_axis(cosines, best, 0), np.take_along_axis(numbers, best, 0)
    of_set = contrast.rows[side]
    return [contrast.references(side, of_set[rows[:, i]], kept[:, i]) for i in range(len(vectors))]
