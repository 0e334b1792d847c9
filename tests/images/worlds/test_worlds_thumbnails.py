"""No concept may be read off a thumbnail: a linear probe on 8 x 8 pixels, fitted and tried on different images."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from latentdiff.images.worlds import WORLDS, World, render

IMAGES, FITTED = 1300, 900


def thumbnail(pixels: np.ndarray) -> np.ndarray:
    return pixels.reshape(8, 12, 8, 12, 3).mean((1, 3)).ravel()


def held_out_auc(features: np.ndarray, present: np.ndarray) -> np.ndarray:
    """ROC AUC per column of `present`, of a ridge regression fitted on the first images, the best of four penalties."""
    scaled = (features - features[:FITTED].mean(0)) / features[:FITTED].std(0)
    fit, target = scaled[:FITTED], present[:FITTED] - present[:FITTED].mean(0)
    aucs = []
    for penalty in (10.0, 100.0, 1000.0, 10000.0):
        weights = np.linalg.solve(fit.T @ fit + penalty * np.eye(fit.shape[1]), fit.T @ target)
        aucs.append(
            [auc(score, seen) for score, seen in zip((scaled[FITTED:] @ weights).T, present[FITTED:].T, strict=True)]
        )
    return np.array(aucs)[np.mean(aucs, 1).argmax()]


def auc(score: np.ndarray, present: np.ndarray) -> float:
    seen = int(present.sum())
    below = rankdata(score)[present > 0].sum() - seen * (seen + 1) / 2
    return float(below / (seen * (len(present) - seen)))


@pytest.mark.parametrize("world", WORLDS.values(), ids=lambda world: world.name)
def test_no_concept_can_be_read_off_a_thumbnail(world: World) -> None:
    images = [render(world.name, 17, i) for i in range(IMAGES)]
    thumbnails = np.stack([thumbnail(image.pixels) for image in images])
    present = np.array([[c.name in image.labels for c in world.concepts] for image in images], dtype=float)
    brightness = thumbnails.mean(1)
    bright = (brightness > np.median(brightness)).astype(float)  # what a thumbnail does show: the probe works
    found = held_out_auc(thumbnails, np.column_stack([present, bright]))
    assert found[-1] > 0.97
    assert found[:-1].mean() < 0.8
