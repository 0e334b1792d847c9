"""The overall shift: do the sets differ as wholes, beyond what a few of their images show? (docs/methods.md, 13)

The difference of the means is estimated on four folds and scores the fifth, so the score of no image knows its side.
What some images of each set show moves these to the ends of the score and leaves the middle as it is; a shift of the
sets as wholes separates the middle, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentdiff.contrasts import Contrast
from latentdiff.embeddings.store import BLOCK
from latentdiff.hypotheses import SIDES, Hypothesis, Part, Side
from latentdiff.naming import WordVectors
from latentdiff.naming.ranked_words import best_words
from latentdiff.naming.vocabulary import without_things
from latentdiff.result import OverallShift
from latentdiff.splits import position
from latentdiff.statistics.conditional import Covariate

FOLDS = 5
ENDS = (0.2, 0.8)  # quantiles of the score that bound its middle
WORDS, IMAGES = 5, 6
PROPOSER = "overall_shift"


@dataclass(frozen=True, eq=False)
class MeasuredShift:
    """The overall shift of a contrast, and how it is taken into account.

    Attributes:
        summary: how far it separates the sets.
        score: [n] float32 how far each image lies on the first side's end, out of fold, in the order of
            `contrast.pooled`.
        direction: [d] the difference of the means of all images, the first side's less the other's.
    """

    summary: OverallShift
    score: npt.NDArray[np.float32]
    direction: npt.NDArray[np.float64]

    def covariate(self) -> Covariate:
        """What is given, where the shift is."""
        return Covariate(self.score, np.zeros((len(self.score), 0)))


def measure_shift(contrast: Contrast) -> MeasuredShift:
    """How well a score along the difference of the means separates the sets, out of fold.

    Args:
        contrast: all images of both groups.
    """
    from latentdiff.statistics import auroc

    pooled = contrast.pooled
    fold = np.minimum((position(pooled.hashes, "overall shift") * FOLDS).astype(int), FOLDS - 1)
    folds = {side: fold[pooled.place[side]] for side in SIDES}
    sums = {side: _sums(contrast, side, folds[side]) for side in SIDES}
    counts = {side: np.bincount(folds[side], minlength=FOLDS) for side in SIDES}
    first, other = pooled.first, pooled.side(False)
    means = [
        {side: (sums[side].sum(0) - sums[side][f]) / max(counts[side].sum() - counts[side][f], 1) for side in SIDES}
        for f in range(FOLDS)
    ]
    directions = np.stack([one[first] - one[other] for one in means])
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    directions /= np.where(lengths > 0, lengths, 1)
    middles = np.array([(one[first] + one[other]) @ along / 2 for one, along in zip(means, directions, strict=True)])
    score = pooled.gather({side: _scores(contrast, side, folds[side], directions, middles) for side in SIDES})
    area, interval = auroc(score.astype(np.float64), pooled.own, ~pooled.own, fold)
    low, high = np.quantile(score, ENDS)
    middle = (score >= low) & (score <= high)
    of_middle, _ = auroc(score[middle].astype(np.float64), pooled.own[middle], ~pooled.own[middle], fold[middle])
    whole = {side: sums[side].sum(0) / contrast.size(side) for side in SIDES}
    return MeasuredShift(OverallShift(area, interval, of_middle), score, whole[first] - whole[other])


def describe_shift(shift: MeasuredShift, contrast: Contrast, words: WordVectors) -> list[Hypothesis]:
    """The shift in words along the difference of the means, with the images farthest along it; one for each side.

    Names of things are left out: a shift of the sets as wholes is one of style, light or device first of all.
    """
    pooled, hypotheses = contrast.pooled, []
    chosen = without_things(words.words) or list(range(len(words.words)))
    told = [words.words[place] for place in chosen]
    cosines = words.vectors[chosen] @ (shift.direction / (np.linalg.norm(shift.direction) or 1.0)).astype(np.float32)
    for side in SIDES:
        sign = 1 if side == pooled.first else -1
        best = best_words(sign * cosines, told, WORDS)
        along = sign * shift.score[pooled.place[side]]
        farthest = np.argsort(-along, kind="stable")[:IMAGES]
        hypotheses.append(
            Hypothesis(
                side=side,
                proposer=PROPOSER,
                words=tuple(told[word] for word in best),
                name_found=True,
                score=shift.summary.auroc,
                part=Part.ALL,
                images=contrast.references(side, contrast.rows[side][farthest], along[farthest]),
            )
        )
    return hypotheses


def _sums(contrast: Contrast, side: Side, fold: np.ndarray) -> npt.NDArray[np.float64]:
    """[folds, d] sums of a side's embeddings."""
    rows, total = contrast.groups[side], np.zeros((FOLDS, contrast.sets[side].d))
    for start in range(0, len(rows), BLOCK):
        member = fold[start : start + BLOCK, None] == np.arange(FOLDS)
        total += member.T.astype(np.float64) @ rows[start : start + BLOCK]
    return total


def _scores(
    contrast: Contrast, side: Side, fold: np.ndarray, directions: np.ndarray, middles: np.ndarray
) -> npt.NDArray[np.float32]:
    """[n_side] how far each image lies along the direction of the other folds."""
    rows, scores = contrast.groups[side], np.empty(contrast.size(side), np.float32)
    for start in range(0, len(rows), BLOCK):
        part = fold[start : start + BLOCK]
        scores[start : start + BLOCK] = (rows[start : start + BLOCK] @ directions.T - middles)[
            np.arange(len(part)), part
        ]
    return scores
