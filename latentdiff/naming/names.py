"""Which words fit a direction among the images, and whether any word fits better than chance (docs/methods.md, 2)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from latentdiff.errors import LatentDiffError
from latentdiff.naming.fold import fold
from latentdiff.naming.vectors import WordVectors
from latentdiff.naming.vocabulary import NamingSettings
from latentdiff.vectors import unit_rows

RANDOM_DIRECTIONS = 1000
QUANTILE = 0.95
NEIGHBOURS = 10  # nearest cosines that make a hub, as in CSLS (Conneau et al. 2018)
_BLOCK = 1024


@dataclass(frozen=True)
class LatentName:
    """The words nearest to a direction, a latent's or that of a difference; nearest first."""

    words: tuple[str, ...]
    cosines: tuple[float, ...]
    found: bool  # the best word is nearer than words are to random directions; if not, no word fits


@dataclass(frozen=True, eq=False)
class Namer:
    """Names directions among the images of one comparison.

    Attributes:
        words: the vocabulary among the images.
        count: words a direction gets.
        hubness: [words] taken off the cosines by half, where hubs are damped.
        bar: score that a word must exceed to fit.
    """

    words: WordVectors
    count: int
    hubness: np.ndarray | None
    bar: float

    def name(self, directions: np.ndarray) -> list[LatentName]:
        """The nearest words of directions [k, d] of any length; a zero row has no name."""
        nearest = _nearest_words(unit_rows(directions), self.words, self.count, self.hubness)
        return _found(nearest, self.bar)


def name_latents(
    directions: np.ndarray,
    words: WordVectors,
    embeddings_sample: np.ndarray,
    settings: NamingSettings,
    seed: int = 0,
) -> tuple[list[LatentName], Namer]:
    """The nearest words of every latent, and what names further directions by the same measure.

    A name counts as found when its score exceeds the 95 % quantile of the best score of 1,000 random directions drawn
    from the embeddings' covariance (docs/methods.md, 2). Plurals and spellings of one word are listed once.

    Args:
        directions: [m, d], of any length; a zero row has no name.
        words: the vocabulary among the images.
        embeddings_sample: [s, d] embeddings of the images; their order does not matter.
        settings: how many words, and whether hubs are damped.
        seed: draws the random directions.

    Raises:
        LatentDiffError: the widths differ.
    """
    directions, sample = _of_one_width(directions, words, embeddings_sample)
    count = settings.words_per_latent
    hubness, nearest = _nearest(_Asked(unit_rows(directions), words, count, settings.csls))
    namer = Namer(words, count, hubness, float(_bar(sample, words, hubness, seed)))
    return _found(nearest, namer.bar), namer


def name_directions(
    directions: np.ndarray,
    words: WordVectors,
    embeddings_sample: np.ndarray,
    settings: NamingSettings,
    seed: int = 0,
) -> list[LatentName]:
    """The names alone; args and raises as for `name_latents`."""
    return name_latents(directions, words, embeddings_sample, settings, seed)[0]


def naming_margins(
    directions: np.ndarray,
    words: WordVectors,
    embeddings_sample: np.ndarray,
    settings: NamingSettings,
    seed: int = 0,
) -> np.ndarray:
    """How far the score of each direction's best word lies above what random directions reach (docs/methods.md, 2).

    Args and raises: as `name_directions`, which finds a name where this is above 0.

    Returns:
        [m] float32, best score minus the 95 % quantile; -inf for a zero row.
    """
    directions, sample = _of_one_width(directions, words, embeddings_sample)
    units = unit_rows(directions)
    hubness = _word_hubness(units, words.vectors) if settings.csls else None
    best = _best_scores(units, words, hubness)
    return np.where(units.any(axis=1), best - _bar(sample, words, hubness, seed), -np.inf).astype(np.float32)


def _of_one_width(
    directions: np.ndarray, words: WordVectors, embeddings_sample: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    directions, sample = np.atleast_2d(directions), np.atleast_2d(embeddings_sample)
    widths = {directions.shape[1], sample.shape[1], words.vectors.shape[1]}
    if len(widths) > 1:
        raise LatentDiffError(
            f"directions, embeddings and words have widths {directions.shape[1]}, {sample.shape[1]} and "
            f"{words.vectors.shape[1]}; all three must come from one encoder"
        )
    return directions, sample


def _bar(sample: np.ndarray, words: WordVectors, hubness: np.ndarray | None, seed: int) -> np.floating:
    """What the best score of a random direction among the images stays below, 95 times in 100."""
    return np.quantile(_best_scores(_random_directions(sample, seed), words, hubness), QUANTILE)


def _best_scores(units: np.ndarray, words: WordVectors, hubness: np.ndarray | None) -> np.ndarray:
    """The score of each direction's best word, [directions]."""
    return np.concatenate([scores.max(1) for _, scores in _scored(units, words.vectors, hubness)])


class _Nearest(NamedTuple):
    """A direction's words, and the score of the first."""

    words: tuple[str, ...]
    cosines: tuple[float, ...]
    score: float


class _Asked:
    """Directions and words whose neighbours are asked for; equal where the contents are."""

    def __init__(self, units: np.ndarray, words: WordVectors, count: int, csls: bool) -> None:
        self.units, self.words, self.count, self.csls = units, words, count, csls
        digest = hashlib.blake2b(digest_size=16)
        for part in (units.tobytes(), words.vectors.tobytes(), "\0".join(words.words).encode()):
            digest.update(part)
        self.key = (digest.hexdigest(), count, csls)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=8)  # a benchmark names the latents of one SAE for pair after pair
def _nearest(asked: _Asked) -> tuple[np.ndarray | None, list[_Nearest]]:
    """The words' hubness, where it counts, and the nearest words of each direction."""
    hubness = _word_hubness(asked.units, asked.words.vectors) if asked.csls else None
    return hubness, _nearest_words(asked.units, asked.words, asked.count, hubness)


def _nearest_words(units: np.ndarray, words: WordVectors, count: int, hubness: np.ndarray | None) -> list[_Nearest]:
    return [
        _name(row_cosines, row_scores, words.words, count)
        for cosines, scores in _scored(units, words.vectors, hubness)
        for row_cosines, row_scores in zip(cosines, scores, strict=True)
    ]


def _found(nearest: list[_Nearest], bar: float) -> list[LatentName]:
    return [LatentName(near.words, near.cosines, bool(near.score > bar)) for near in nearest]


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


def _name(cosines: np.ndarray, scores: np.ndarray, words: tuple[str, ...], count: int) -> _Nearest:
    if not cosines.any():
        return _Nearest((), (), -np.inf)
    candidates = min(4 * count, len(words))  # enough to fill the places of plurals
    near = np.argpartition(-scores, candidates - 1)[:candidates]
    best: dict[str, int] = {}
    for index in near[np.lexsort((near, -scores[near]))]:
        best.setdefault(fold(words[index]), int(index))
    chosen = list(best.values())[:count]
    return _Nearest(tuple(words[i] for i in chosen), tuple(float(cosines[i]) for i in chosen), float(scores[chosen[0]]))


def _random_directions(sample: np.ndarray, seed: int) -> np.ndarray:
    """Unit directions [1000, d] from a normal distribution with the sample's covariance.

    A random mixture of the centred rows has that covariance. The rows are first put in an order of their own, so that
    it does not matter which of two sets was named first.
    """
    ordered = sample[np.lexsort(sample.T[:8])]  # rows equal in eight numbers are equal
    weights = np.random.default_rng(seed).standard_normal((RANDOM_DIRECTIONS, len(ordered)), np.float32)
    return unit_rows(weights @ (ordered - ordered.mean(0)))


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
