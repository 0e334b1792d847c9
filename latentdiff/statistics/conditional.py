"""Conditional tests: does a thing still differ between the sides, given others? (docs/methods.md, 13)

The null model is a logistic regression of the side on covariates of what is given; a thing is then tested by its score
(Rao), all of them in one pass, as conditional analysis in genetics does it. Rows are gone through in blocks, and
nothing of the size rows x things is held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtri_exp

from latentdiff.statistics.counts import Floats
from latentdiff.statistics.tails import log_tail

Flags = npt.NDArray[np.bool_]

KNOTS = (0.2, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99)
FURTHER_KNOTS = (0.995, 0.998, 0.999, 0.9995)  # where there are many images
MANY = 50_000
RIDGE = 1e-3  # on all coefficients: a covariate that separates the sides keeps a finite one
_LEAST_LEFT = 0.05  # of the variance of a thing of which nothing is known, or of 1 image's: with less nothing is left
_ROWS = 8192
_STEPS = 30
_COARSE = 16  # of many images one in so many says about where the coefficients are
_ENTRIES = 2**22


@dataclass(frozen=True, eq=False)
class Shown:
    """A thing that is tested: how much some images show it; the others do not.

    Attributes:
        images: [k] numbers of images, each once.
        amounts: [k] how much each shows it.
    """

    images: npt.NDArray[np.integer]
    amounts: npt.NDArray[np.floating]

    @classmethod
    def alike(cls, images: npt.NDArray[np.integer]) -> Shown:
        """Images that all show it as much."""
        return cls(images, np.ones(len(images)))


@dataclass(frozen=True, eq=False)
class Covariate:
    """Something given, as columns of the null model.

    Attributes:
        score: [n] float32, how much each image shows it: linear, with hinges at quantiles; None: no score.
        columns: [n, c] further columns, as the indicator of the images that show it.
    """

    score: npt.NDArray[np.float32] | None
    columns: npt.NDArray[np.floating] | npt.NDArray[np.bool_]

    def design(self) -> _Design:
        """How its columns are made, block by block."""
        if self.score is None:
            return _Design(None, self.columns, 0.0, 1.0, np.zeros(0))
        knots = KNOTS if len(self.score) < MANY else (*KNOTS, *FURTHER_KNOTS)
        centre, spread = float(self.score.mean(dtype=np.float64)), float(self.score.std(dtype=np.float64)) or 1.0
        at = np.unique((np.quantile(self.score, knots) - centre) / spread)
        return _Design(self.score, self.columns, centre, spread, at)


@dataclass(frozen=True, eq=False)
class _Design:
    score: npt.NDArray[np.float32] | None
    columns: npt.NDArray[np.floating] | npt.NDArray[np.bool_]
    centre: float
    spread: float
    knots: Floats

    def block(self, rows: slice) -> Floats:
        parts = [np.asarray(self.columns[rows], np.float64)]
        if self.score is not None:
            z = (self.score[rows].astype(np.float64) - self.centre) / self.spread
            parts = [z[:, None], np.maximum(z[:, None] - self.knots, 0.0), *parts]
        return np.concatenate(parts, axis=1)


class NullModel:
    """The sides as far as what is given tells them.

    Args:
        own: [n] which images are of the first side.
        given: covariates; none: only the sizes of the sides.
        near: a model of the first of these covariates: the fit starts from its coefficients.
    """

    def __init__(self, own: Flags, given: Sequence[Covariate] = (), near: NullModel | None = None) -> None:
        self.own = own
        self._designs = [one.design() for one in given]
        self._beta = np.zeros(self._block(slice(0, 1)).shape[1])
        self._hessian = np.eye(len(self._beta))
        if near is not None:
            self._beta[: len(near._beta)] = near._beta
        elif self.n >= MANY:  # a part of the images saves most of the passes over all of them
            self._converge(_COARSE, 1e-2)
        self._converge(1, 1e-6)

    @property
    def n(self) -> int:
        """Images."""
        return len(self.own)

    def log_p(self, shown: Sequence[Shown]) -> tuple[Floats, Floats]:
        """Score tests of things, each by how much some images show it.

        Args:
            shown: [things] the images that show each, once each, and how much.

        Returns:
            log p that the first side has more of each, and that the other has, [things] each; 0 where what is given
            says all that the thing says.
        """
        p = self._probabilities()
        parts = [(np.zeros(0),) * 4, *(self._scores(part, p) for part in _in_chunks(shown))]
        u, variance, plain, third = (np.concatenate(column) for column in zip(*parts, strict=True))
        share = float(self.own.mean())
        untold = share * (1 - share) * np.array([float((one.amounts**2).sum()) for one in shown])
        left = variance > _LEAST_LEFT * np.minimum(untold, 1.0)
        z = np.divide(u, np.sqrt(np.where(left, variance, 1.0)), out=np.zeros(len(u)), where=left)
        skewness = np.divide(third, plain**1.5, out=np.zeros(len(u)), where=left)
        more, fewer = log_tail(z, skewness), log_tail(-z, -skewness)
        return np.where(left, more, 0.0), np.where(left, fewer, 0.0)

    def _slices(self, stride: int = 1) -> list[slice]:
        size = _ROWS * stride
        return [slice(start, min(start + size, self.n), stride) for start in range(0, self.n, size)]

    def _block(self, rows: slice) -> Floats:
        ones = np.ones((len(self.own[rows]), 1))
        return np.concatenate([ones, *(design.block(rows) for design in self._designs)], axis=1)

    def _converge(self, stride: int, tolerance: float) -> None:
        """Iterated least squares on one image in so many, until no coefficient moves further; sums over blocks."""
        for _ in range(_STEPS):
            gradient, hessian = -RIDGE * self._beta, RIDGE * np.eye(len(self._beta))
            for rows in self._slices(stride):
                block = self._block(rows)
                p = expit(block @ self._beta)
                gradient += block.T @ (self.own[rows] - p)
                hessian += block.T @ (block * (p * (1 - p) + 1e-6)[:, None])
            step = np.clip(np.linalg.solve(hessian, gradient), -3, 3)
            self._beta += step
            self._hessian = hessian
            if np.abs(step).max() < tolerance:
                break

    def _probabilities(self) -> Floats:
        """[n] of the first side, given everything that is given."""
        return np.concatenate([expit(self._block(rows) @ self._beta) for rows in self._slices()])

    def _scores(self, shown: Sequence[Shown], p: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """U, its variance given the covariates, the variance and the third moment of the bare sum, [things] each."""
        from scipy.sparse import csr_array

        thing = np.repeat(np.arange(len(shown)), [len(one.images) for one in shown])
        image = np.concatenate([one.images for one in shown]).astype(np.int64)
        amount = np.concatenate([one.amounts for one in shown]).astype(np.float64)
        of_image = csr_array((amount, (image, thing)), shape=(self.n, len(shown)))
        u, plain, third = np.zeros((3, len(shown)))
        cross = np.zeros((len(shown), len(self._beta)))
        for rows in self._slices():
            part, weight = of_image[rows].T, p[rows] * (1 - p[rows])
            u += part @ (self.own[rows] - p[rows])
            plain += part.power(2) @ weight
            third += part.power(3) @ (weight * (1 - 2 * p[rows]))
            cross += part @ (self._block(rows) * weight[:, None])
        explained = np.einsum("ij,ij->i", cross, np.linalg.solve(self._hessian, cross.T).T)
        return u, plain - explained, plain, third


class NullModels:
    """Null models of the same sides, each fitted once, and from the one with a covariate less where there is that.

    Args:
        own: [n] which images are of the first side.
    """

    def __init__(self, own: Flags) -> None:
        self.own = own
        self._made: dict[tuple[Covariate, ...], NullModel] = {}

    def given(self, covariates: Sequence[Covariate]) -> NullModel:
        """The model of some covariates."""
        key = tuple(covariates)
        if key not in self._made:
            self._made[key] = NullModel(self.own, key, self._made.get(key[:-1]))
        return self._made[key]


def _in_chunks(shown: Sequence[Shown]) -> list[Sequence[Shown]]:
    """Things, so many at once that their images fit into memory."""
    chunks: list[list[Shown]] = []
    size = 0
    for one in shown:
        if not chunks or size + len(one.images) > _ENTRIES:
            chunks.append([])
            size = 0
        chunks[-1].append(one)
        size += len(one.images)
    return list(chunks)


def z_of(log_p: Floats) -> Floats:
    """One-sided z of log p values."""
    return -ndtri_exp(np.minimum(log_p, -1e-300))
