"""Every word of the vocabulary tested directly: do more images of one set lie in its tail?

What verification does for a few hypotheses (verify.py) is done for all words at once, with one threshold for all: the
images nearest to a word, a fixed share of both sets together. A rare thing shows there, where a mean does not move.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from latentdiff.embeddings import EmbeddingSet, pooled_mean
from latentdiff.evidence import adjust, presence_test
from latentdiff.findings import Side
from latentdiff.naming.vectors import unit_rows
from latentdiff.noisydiff.methods.answer import Answer, Context, best_words, one_each
from latentdiff.noisydiff.methods.predictions import TOP

TAIL = 0.02  # share of the images of both sets that count as nearest to a word
LEVEL = 0.05  # q at or below which a word counts as confirmed
_ELEMENTS = 2**24  # cosines held at once

Floats = npt.NDArray[np.float64]


def vocabulary(a: EmbeddingSet, b: EmbeddingSet, context: Context) -> Answer:
    """Words by the p value of their tail's shares in A and in B, each on the side that has more of its tail."""
    rows = _centred(a, b)
    blocks = list(_tails(*rows, context.words.vectors))
    count_a, count_b, gap = (np.concatenate(column) for column in zip(*blocks, strict=True))
    p = presence_test(count_a, a.n, count_b, b.n)
    q = adjust(p)
    more = count_a / a.n - count_b / b.n
    tied_last = np.lexsort((-np.abs(gap), p))  # counts are few and p values often equal: the further tail goes first
    rank = np.empty(len(p))
    rank[tied_last] = np.arange(len(p))
    sides: tuple[tuple[Side, npt.NDArray[np.bool_]], ...] = (("a", more > 0), ("b", more < 0))
    chosen = {side: best_words(np.where(sided, -rank, -np.inf), context.words.words) for side, sided in sides}
    return Answer(
        findings={side: one_each(context.words.words[i] for i in own) for side, own in chosen.items()},
        confirmed={side: tuple((q[own] <= LEVEL).tolist()) for side, own in chosen.items()},
        details={
            "tail": TAIL,
            "evidence": {
                side: [
                    {"word": context.words.words[i], "difference": float(more[i]), "q": float(q[i])} for i in own[:TOP]
                ]
                for side, own in chosen.items()
            },
        },
    )


def _centred(a: EmbeddingSet, b: EmbeddingSet) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows [n, d] of both sets around their common mean."""
    centre = pooled_mean(a, b)
    return unit_rows(a.rows(slice(None)) - centre), unit_rows(b.rows(slice(None)) - centre)


def _tails(
    rows_a: np.ndarray, rows_b: np.ndarray, vectors: np.ndarray
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]]:
    """Block of words by block: images of A and of B in each word's tail, and how much further A's reach into it."""
    n = len(rows_a) + len(rows_b)
    places = max(1, round(TAIL * n))
    step = max(1, _ELEMENTS // n)
    for start in range(0, len(vectors), step):
        words = vectors[start : start + step]
        near_a, near_b = words @ rows_a.T, words @ rows_b.T  # [words, images]
        bar = np.partition(np.concatenate([near_a, near_b], axis=1), n - places, axis=1)[:, n - places, None]
        reach_a, reach_b = (np.maximum(near - bar, 0).mean(1, dtype=np.float64) for near in (near_a, near_b))
        yield (near_a >= bar).sum(1), (near_b >= bar).sum(1), reach_a - reach_b
