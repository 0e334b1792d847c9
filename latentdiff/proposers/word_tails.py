"""Every word of the vocabulary tested directly: do more images of one side lie in its tail? (docs/methods.md, 9)

What verification does for a few texts is done for all words at once, with one threshold for all: the images nearest to
a word, a fixed share of both groups together. A rare thing shows there, where a mean does not move.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentdiff.contrasts import Contrast
from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import SIDES, Hypothesis
from latentdiff.naming.ranked_words import best_words
from latentdiff.proposers.base import Proposal, ProposerSettings
from latentdiff.proposers.exemplars import nearest_images
from latentdiff.proposers.workspace import Workspace
from latentdiff.vectors import unit_rows
from latentdiff.verdict import NotRun, NotRunReason
from sae_training.progress import Progress

COSINES_AT_ONCE = 2**24
FEWEST_IN_TAIL = 2  # images: the last of them is the bar, and how far the others reach beyond it decides between ties

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class WordTailsSettings:
    """How words are tested.

    Attributes:
        share: of the images of both groups, that count as nearest to a word.
        words: hypotheses a side, one word each.
        exemplars: images a hypothesis that show it.
    """

    share: float = 0.02
    words: int = 10
    exemplars: int = 6

    def __post_init__(self) -> None:
        """Raises LatentDiffError with a number out of its range."""
        if not 0 < self.share < 1:
            raise LatentDiffError(f"word_tails.share must lie between 0 and 1; it is {self.share}")
        for key, least in (("words", 1), ("exemplars", 0)):
            if getattr(self, key) < least:
                raise LatentDiffError(f"word_tails.{key} must be at least {least}; it is {getattr(self, key)}")


def propose(
    contrast: Contrast, workspace: Workspace, settings: ProposerSettings, progress: Progress | None = None
) -> Proposal:
    """Words by the p value of their tail's shares, each on the side that has more of its tail (see `base.Propose`)."""
    from latentdiff.statistics import adjust, gather_evidence, presence_test  # scipy, slow to import

    chosen, words = settings.word_tails, workspace.words
    n_a, n_b = contrast.size("a"), contrast.size("b")
    if round(chosen.share * (n_a + n_b)) < FEWEST_IN_TAIL:
        needed = math.ceil(FEWEST_IN_TAIL / chosen.share / 2)
        return Proposal(not_run=NotRun(NotRunReason.TOO_FEW_IMAGES, needed, n_a, n_b))
    blocks = list(_tails(contrast, words.vectors, chosen.share, progress))
    count_a, count_b, gap = (np.concatenate(column) for column in zip(*blocks, strict=True))
    p = presence_test(count_a, n_a, count_b, n_b)
    q = adjust(p)
    more = count_a / n_a - count_b / n_b
    tied_last = np.lexsort((-np.abs(gap), p))  # counts are few and p values often equal: the further tail goes first
    place = np.empty(len(p))
    place[tied_last] = np.arange(len(p))
    hypotheses = []
    for side, ahead in zip(SIDES, (more > 0, more < 0), strict=True):
        best = best_words(np.where(ahead, -place, -np.inf), words.words, chosen.words)
        evidence = gather_evidence(count_a[best], n_a, count_b[best], n_b, p[best], q[best])
        images = nearest_images(contrast, side, words.vectors[best], chosen.exemplars)
        hypotheses += [
            Hypothesis(
                side=side,
                proposer="word_tails",
                words=(words.words[word],),
                name_found=True,
                score=-float(p[word]),
                part=contrast.part,
                rank=rank,
                evidence=of,
                images=shown,
            )
            for rank, (word, of, shown) in enumerate(zip(best, evidence, images, strict=True), 1)
        ]
    return Proposal(tuple(hypotheses), p_value=float(q.min()))


def _tails(
    contrast: Contrast, vectors: np.ndarray, share: float, progress: Progress | None
) -> Iterator[tuple[Integers, Integers, Floats]]:
    """Block of words by block: images of A and of B in each word's tail, and how much further A's reach into it."""
    rows_a, rows_b = (unit_rows(contrast.groups[side].rows(slice(None)) - contrast.centre) for side in SIDES)
    n = len(rows_a) + len(rows_b)
    places = round(share * n)
    step = max(1, COSINES_AT_ONCE // n)
    for start in range(0, len(vectors), step):
        if progress:
            progress("word tails", start, len(vectors))
        words = vectors[start : start + step]
        near_a, near_b = words @ rows_a.T, words @ rows_b.T  # [words, images]
        bar = np.partition(np.concatenate([near_a, near_b], axis=1), n - places, axis=1)[:, n - places, None]
        reach_a, reach_b = (np.maximum(near - bar, 0).mean(1, dtype=np.float64) for near in (near_a, near_b))
        yield (near_a >= bar).sum(1), (near_b >= bar).sum(1), reach_a - reach_b
    if progress:
        progress("word tails", len(vectors), len(vectors))
