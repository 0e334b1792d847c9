"""Negative controls: how often words pass that mean nothing here, alone and given the leads (docs/methods.md, 13)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from latentdiff.embeddings import mean_of
from latentdiff.hypotheses import Side
from latentdiff.proposers import Workspace
from latentdiff.result import NegativeControls
from latentdiff.statistics.conditional import NullModel, Shown
from latentdiff.verification.candidates import places_above
from latentdiff.verification.holdout import HoldoutSplit
from latentdiff.verification.text_tests import verify_texts

FEWEST = 50
AT_MOST = 100_000  # images of both sides, from which fewer words are drawn
QUANTILE = 0.05  # of random words: what more of them reach confirms nothing


class Controls(NamedTuple):
    """What random words come to."""

    summary: NegativeControls
    bar: float  # log p, given the leads, that one random word in twenty reaches


def test_random_words(
    workspace: Workspace, split: HoldoutSplit, model: NullModel, count: int, level: float, seed: int
) -> Controls | None:
    """Tests random words of the vocabulary as texts are tested; None where there are none, or no image is held back.

    Args:
        workspace: what is known of all images.
        split: which images set a text's threshold, and which test it.
        model: given the overall shift, what is known, and the leads.
        count: words, fewer where there are many images.
        level: p value at or below which one text passes.
        seed: draws them.
    """
    n = len(workspace.contrast.pooled)
    count = min(len(workspace.words.words), max(min(count, FEWEST), count * AT_MOST // max(n, AT_MOST)))
    if not count or split.validation is None:
        return None
    drawn = np.sort(np.random.default_rng(seed).permutation(len(workspace.words.words))[:count])
    vectors = workspace.words.vectors[drawn]
    discovery, validation = split.discovery.groups, split.validation.groups
    shift = vectors @ (mean_of(discovery["a"]) - mean_of(discovery["b"]))
    sides: list[Side] = ["a" if towards > 0 else "b" for towards in shift]
    tested = verify_texts(vectors, sides, (discovery["a"], discovery["b"]), (validation["a"], validation["b"]))
    thresholds = np.array([verification.threshold for _, verification in tested])
    shown = places_above(vectors, thresholds, split, split.validation, workspace.contrast)
    more, fewer = model.log_p([Shown.alike(images) for images in shown])
    log_p = np.where([side == workspace.contrast.pooled.first for side in sides], more, fewer)
    right_sign = [(v.evidence.difference > 0) == (side == "a") for side, (_, v) in zip(sides, tested, strict=True)]
    alone = np.array([v.evidence.p_value for _, v in tested]) <= level
    summary = NegativeControls(count, float((alone & right_sign).mean()), float((log_p <= math.log(level)).mean()))
    return Controls(summary, float(np.quantile(log_p, QUANTILE)))
