"""Which words fit a direction among the images (docs/methods.md, 2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from latentdiff.errors import LatentDiffError
from latentdiff.naming.fold import fold
from latentdiff.naming.vectors import WordVectors
from latentdiff.naming.vocabulary import NamingSettings
from latentdiff.vectors import unit_rows

NEIGHBOURS = 10  # nearest cosines that make a hub, as in CSLS (Conneau et al. 2018)
_BLOCK = 1024


@dataclass(frozen=True)
class LatentName:
    """The words nearest to a direction, a latent's or that of its images; nearest first."""

    words: tuple[str, ...]
    cosines: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Namer:
    """Names directions among the images of one comparison.

    Attributes:
        words: the vocabulary among the images.
        count: words a direction gets.
        hubness: [words] taken off the cosines by half, where hubs are damped.
    """

    words: WordVectors
    count: int
    hubness: np.ndarray | None = None

    def name(self, directions: np.ndarray) -> list[LatentName]:
        """The nearest words of directions [k, d] of any length; a zero row has no name."""
        return _nearest_words(unit_rows(directions), self.words, self.count, self.hubness)

    def best_vectors(self, directions: np.ndarray) -> np.ndarray:
        """The unit text vector [k, d] of the nearest word of each direction [k, d]."""
        scored = _scored(unit_rows(directions), self.words.vectors, self.hubness)
        best = [scores.argmax(1) for _, scores in scored]
        return self.words.vectors[np.concatenate([*best, np.zeros(0, np.int64)]).astype(np.int64)]


def make_namer(directions: np.ndarray, words: WordVectors, settings: NamingSettings) -> Namer:
    """What names directions among the images.

    Args:
        directions: [m, d] decoder rows of latents; where hubs are damped, a word near to many of them is one.
        words: the vocabulary among the images.
        settings: how many words, and whether hubs are damped.

    Raises:
        LatentDiffError: the widths differ.
    """
    directions = np.atleast_2d(directions)
    if directions.shape[1] != words.vectors.shape[1]:
        raise LatentDiffError(
            f"directions and words have widths {directions.shape[1]} and {words.vectors.shape[1]}; both must come from "
            "one encoder"
        )
    hubness = _word_hubness(unit_rows(directions), words.vectors) if settings.csls else None
    return Namer(words, settings.words_per_latent, hubness)


def _nearest_words(units: np.ndarray, words: WordVectors, count: int, hubness: np.ndarray | None) -> list[LatentName]:
    return [
        _name(row_cosines, row_scores, words.words, count)
        for cosines, scores in _scored(units, words.vectors, hubness)
        for row_cosines, row_scores in zip(cosines, scores, strict=True)
    ]


def _scored(
    units: np.ndarray, vectors: np.ndarray, hubness: np.ndarray | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cosines and scores [block, words] of all directions, block by block; without hubness the two are the same."""
    for start in range(0, len(units), _BLOCK):
        cosines = units[start : start + _BLOCK] @ vectors.T
        if hubness is None:
            yield cosines, cosines
        else:
            yield cosines, cosines - (hubness + _mean_of_nearest(cosines)[:, None]) / 2


def _name(cosines: np.ndarray, scores: np.ndarray, words: tuple[str, ...], count: int) -> LatentName:
    if not cosines.any():
        return LatentName((), ())
    candidates = min(4 * count, len(words))  # enough to fill the places of plurals
    near = np.argpartition(-scores, candidates - 1)[:candidates]
    best: dict[str, int] = {}
    for index in near[np.lexsort((near, -scores[near]))]:
        best.setdefault(fold(words[index]), int(index))
    chosen = list(best.values())[:count]
    return LatentName(tuple(words[i] for i in chosen), tuple(float(cosines[i]) for i in chosen))


def _word_hubness(units: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Each word's mean cosine with the directions nearest to it, [words]."""
    nearest = np.empty((len(vectors), 0), np.float32)
    for start in range(0, len(units), _BLOCK):
        both = np.hstack([nearest, vectors @ units[start : start + _BLOCK].T])
        count = min(NEIGHBOURS, both.shape[1])
        nearest = np.partition(both, -count, axis=1)[:, -count:]
    return nearest.mean(1)


def _mean_of_nearest(cosines: np.ndarray) -> np.ndarray:
    count = min(NEIGHBOURS, cosines.shape[1])
    return np.partition(cosines, -count, axis=1)[:, -count:].mean(1)
