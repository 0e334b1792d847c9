"""Cross-fitting: every image is scored by a classifier whose training, penalty and calibration never saw its fold.

For fold f, classifiers without the folds {f, g} score each other fold g: from those scores come f's weight decay and
the calibration of the classifier without f. The classifier without {f, g} serves g in the same way, so folds and pairs
of folds are all that is trained (docs/methods.md, 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from latentdiff.embeddings import blocks
from latentdiff.proposers.density_ratio.classifiers import fit_classifiers
from latentdiff.proposers.density_ratio.distinct_images import DistinctImages
from latentdiff.proposers.density_ratio.settings import DensitySettings
from latentdiff.proposers.density_ratio.tail_test import Flags, Floats, tail_p
from sae_training.progress import Progress

_LEAST_SLOPE = 0.01  # calibration may flatten a classifier's scores, not reverse or merge them


@dataclass(frozen=True)
class CrossFit:
    """Out-of-fold scores."""

    log_ratio: Floats  # [images] log of A's density over B's, corrected for the sets' sizes
    decay: tuple[float, ...]  # weight decay chosen for each fold


def cross_fit(images: DistinctImages, settings: DensitySettings, progress: Progress | None = None) -> CrossFit:
    """Log density ratio of every image from classifiers that never saw its fold.

    Exchanging the sides negates it, to the last bit on a CPU.

    Args:
        images: the distinct images of both sides.
        settings: folds, weight decays, kind of classifier.
        progress: told ("density ratio", done, total).
    """
    in_a, in_b, fold = images.in_a, images.in_b, images.fold
    folds = range(settings.folds)
    left_out = [(f,) for f in folds] + list(combinations(folds, 2))
    decays = np.array(settings.weight_decays)
    trains = np.stack([~np.isin(fold, out) for out in left_out for _ in decays], axis=1)
    rows, all_decays = standardise(images.embedding), np.tile(decays, len(left_out))
    logits = fit_classifiers(rows, in_a, in_b, trains, all_decays, settings, progress)
    prior = log_odds(np.count_nonzero(trains[in_a], axis=0), np.count_nonzero(trains[in_b], axis=0))
    ratios = (logits - prior).reshape(len(fold), len(left_out), len(decays))

    log_ratio = np.zeros(len(fold))
    chosen = []
    for f in folds:
        seen = fold != f
        # scores of the other folds by classifiers that saw neither them nor f
        inner = np.zeros((len(fold), len(decays)))
        for g in set(folds) - {f}:
            inner[fold == g] = ratios[fold == g, left_out.index((min(f, g), max(f, g)))]
        best = choose_decay(inner[seen], in_a[seen], in_b[seen], fold[seen], decays, settings.top)
        slope, offset = calibrate(inner[seen, best], in_a[seen], in_b[seen])
        log_ratio[~seen] = slope * ratios[~seen, f, best] + offset - log_odds(in_a[seen].sum(), in_b[seen].sum())
        chosen.append(float(decays[best]))
    return CrossFit(log_ratio, tuple(chosen))


def log_odds(of_a: npt.ArrayLike, of_b: npt.ArrayLike) -> Floats:
    """log(n_A / n_B), what a classifier adds to the log density ratio when its sides differ in size."""
    return np.log(np.asarray(of_a, float)) - np.log(np.asarray(of_b, float))


def standardise(embedding: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Centred rows [n, d], scaled by one number to a mean squared length of d: directions are kept."""
    mean = embedding.mean(0, dtype=np.float64)
    rows, squares = np.empty_like(embedding), 0.0
    for given, centred in zip(blocks(embedding), blocks(rows), strict=True):
        np.subtract(given, mean, out=centred)
        squares += float(np.square(centred, dtype=np.float64).sum())
    rows /= np.sqrt(squares / rows.size) or 1.0
    return rows


def choose_decay(
    scores: Floats, in_a: Flags, in_b: Flags, fold: npt.NDArray[np.int64], decays: Floats, top: float
) -> int:
    """The weight decay under which the ends of the out-of-fold scores are crowded most; the largest of equal ones.

    Args:
        scores: [n, decays] out-of-fold scores under each.
        in_a: [n] whether A has the image.
        in_b: [n] whether B has it.
        fold: [n] the fold of each image.
        decays: [decays] to choose among.
        top: as in `tail_test.tail_p`.

    Returns:
        Its place among them.
    """
    parts = [fold == f for f in np.unique(fold)]
    crowding = np.zeros(len(decays))
    for i in range(len(decays)):
        upper = sum(np.log(tail_p(scores[part, i], in_a[part], in_b[part], top)) for part in parts)
        lower = sum(np.log(tail_p(-scores[part, i], in_b[part], in_a[part], top)) for part in parts)
        crowding[i] = -(upper + lower)
    return max(range(len(decays)), key=lambda i: (crowding[i], decays[i]))


def calibrate(score: Floats, in_a: Flags, in_b: Flags) -> tuple[float, float]:
    """Slope and offset that make logits of scores: Platt's logistic fit, by Newton's method.

    Args:
        score: [n] scores, larger for A.
        in_a: [n] whether A has the image.
        in_b: [n] whether B has it.
    """
    weight = in_a.astype(float) + in_b.astype(float)
    share_a = (in_a + 0.0) / np.maximum(weight, 1)
    scale = score.std() or 1.0
    design = np.stack([score / scale, np.ones(len(score))], axis=1)
    coefficients = np.array([0.0, log_odds(in_a.sum(), in_b.sum())])
    for _ in range(25):
        p = expit(design @ coefficients)
        # a whiff of ridge keeps separable scores finite
        gradient = design.T @ (weight * (share_a - p)) - 1e-3 * coefficients * [1, 0]
        curvature = (design * (weight * p * (1 - p))[:, None]).T @ design + np.diag([1e-3, 1e-9])
        step = np.linalg.solve(curvature, gradient)
        coefficients = coefficients + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    slope, offset = coefficients[0] / scale, coefficients[1]
    return max(float(slope), _LEAST_SLOPE), float(offset)
