"""The most extreme images, without showing the same thing ten times (docs/methods.md, 5).

Maximal marginal relevance (Carbonell and Goldstein 1998): the next image is extreme and unlike those chosen so far.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from latentdiff.vectors import unit

NEAR_DUPLICATE = 0.98  # cosine above which two images count as the same
_RELEVANCE = 0.7  # weight of being extreme against being unlike
_POOL = 5  # candidates per image to choose


def most_extreme(
    score: npt.NDArray[np.float64], embedding: npt.NDArray[np.float32], centre: npt.NDArray[np.floating], count: int
) -> npt.NDArray[np.int64]:
    """Which of the candidates to show, the highest score first.

    Args:
        score: [n] how extreme each candidate is.
        embedding: [n, d] unit rows.
        centre: [d] mean embedding; likeness is measured around it.
        count: how many to choose; fewer come back where the rest are near-duplicates.
    """
    pool = np.argsort(-score, kind="stable")[: _POOL * count]
    around = unit(embedding[pool] - centre)
    above_last = score[pool] - score[pool[-1:]]
    relevance = above_last / np.maximum(above_last[:1], 1e-12)
    likeness = np.zeros(len(pool))  # to the most alike of those chosen
    free = np.ones(len(pool), dtype=bool)
    chosen: list[int] = []
    while free.any() and len(chosen) < count:
        worth = np.where(free, _RELEVANCE * relevance - (1 - _RELEVANCE) * likeness, -np.inf)
        best = int(worth.argmax())
        chosen.append(best)
        free &= embedding[pool] @ embedding[pool[best]] <= NEAR_DUPLICATE
        free[best] = False
        likeness = np.maximum(likeness, around @ around[best])
    return pool[np.sort(np.array(chosen, dtype=np.int64))]
