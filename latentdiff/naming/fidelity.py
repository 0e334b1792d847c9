"""Whether a name is true of what it names: fidelity on images that did not choose it (docs/methods.md, 2)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from latentdiff.naming.names import Namer

EXEMPLARS = 20  # images that choose a name
FEWEST = 4  # below that a half of them chooses nothing
RANDOM_WORDS = 500
QUANTILE = 0.95  # of random words, that a name must exceed


class Fidelity(NamedTuple):
    """How well the names of some things tell their images from others.

    Attributes:
        auroc: [things] of the word that half of the images choose: how often one of the other half's exemplars lies
            nearer to it than an image of any kind; mean of both halves. NaN below `FEWEST` images.
        bar: [things] what 95 % of random words stay below on the same images.
    """

    auroc: npt.NDArray[np.float64]
    bar: npt.NDArray[np.float64]

    @property
    def holds(self) -> npt.NDArray[np.bool_]:
        """[things] whether the name is true: better than random words, and better than none."""
        return (self.auroc > self.bar) & (self.auroc > 0.5)


def naming_fidelity(
    halves: tuple[np.ndarray, np.ndarray],
    exemplars: list[np.ndarray],
    background: np.ndarray,
    namer: Namer,
    seed: int = 0,
) -> Fidelity:
    """Names things by half of their images, and asks the other half whether the name is true of them.

    Args:
        halves: [things, d] each: what the things are named by, made from every second of their images from the first
            on, and from the second on.
        exemplars: [things] of [k, d] unit embeddings around the centre of the images that show each most, in order.
        background: [s, d] the same of images of all kinds.
        namer: that names them.
        seed: draws the random words.
    """
    auroc, bar = np.full((2, len(exemplars)), np.nan), np.full((2, len(exemplars)), np.nan)
    enough = [number for number, rows in enumerate(exemplars) if len(rows) >= FEWEST]
    if not enough:
        return Fidelity(auroc[0], bar[0])
    vectors = namer.words.vectors
    random = vectors[np.sort(np.random.default_rng(seed).permutation(len(vectors))[:RANDOM_WORDS])]
    by_random = np.sort(background @ random.T, axis=0)
    for half in (0, 1):
        chosen = namer.best_vectors(halves[half][enough])
        asked = [exemplars[number][1 - half :: 2] for number in enough]
        of_all = _ranks(np.concatenate(asked) @ random.T, by_random)
        starts = np.cumsum([0, *map(len, asked)])[:-1]
        of_random = np.add.reduceat(of_all, starts) / np.array([[len(rows)] for rows in asked])
        bar[half, enough] = np.quantile(of_random, QUANTILE, axis=1)
        for number, rows, vector in zip(enough, asked, chosen, strict=True):
            auroc[half, number] = _ranks((rows @ vector)[:, None], np.sort(background @ vector)[:, None]).mean()
    return Fidelity(auroc.mean(0), bar.mean(0))


def _ranks(scores: np.ndarray, others: np.ndarray) -> npt.NDArray[np.float64]:
    """Share of the others [s, words], sorted along the first axis, that each score [k, words] lies above; ties half."""
    found = np.empty(scores.shape)
    for column in range(scores.shape[1]):
        below, upto = (np.searchsorted(others[:, column], scores[:, column], side) for side in ("left", "right"))
        found[:, column] = (below + upto) / (2 * len(others))
    return found
