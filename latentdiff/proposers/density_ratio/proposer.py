"""Density ratio: the images where one side is dense and the other is not, captioned, and what the captions say.

A cross-fitted classifier estimates log r(h), the log of A's density over B's. If A crowds the upper end of the
out-of-fold scores or B the lower one, the groups differ, and the most extreme images of both are retrieved; if not,
nothing is proposed (docs/methods.md, 5).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from latentdiff.contrasts import Contrast
from latentdiff.embeddings import check_same_space, mean_of
from latentdiff.hypotheses import SIDES, ImageRef, Interval, Side
from latentdiff.proposers.base import Proposal, ProposerSettings
from latentdiff.proposers.captioning import caption_rows
from latentdiff.proposers.density_ratio.distinct_images import DistinctImages, gather_distinct
from latentdiff.proposers.density_ratio.settings import DensitySettings
from latentdiff.proposers.workspace import Workspace
from latentdiff.verdict import NotRun, NotRunReason
from sae_training.progress import Progress

if TYPE_CHECKING:
    from latentdiff.language import LanguageSettings

log = logging.getLogger(__name__)

HISTOGRAM_BINS = 41  # odd: a ratio of 1 lies inside a bin, so that exchanging the sides mirrors the counts
FEWEST_PER_FOLD = 4  # images of a side, below which nothing could be told apart


@dataclass(frozen=True)
class DensityRatio:
    """Whether there is a difference at all, and which images differ most."""

    different: bool
    p_value: float  # both ends tested, corrected for the two
    p_value_a: float  # the end where A is dense
    p_value_b: float
    auroc: float  # out of fold
    auroc_interval: Interval
    histogram_edges: tuple[float, ...]  # of the out-of-fold log density ratio
    histogram_a: tuple[int, ...]
    histogram_b: tuple[int, ...]
    extreme: tuple[ImageRef, ...]  # retrieved images of both sides with captions; value = log density ratio
    n_a: int
    n_b: int


def propose(
    contrast: Contrast, workspace: Workspace, settings: ProposerSettings, progress: Progress | None = None
) -> Proposal:
    """What the captions of the most extreme images say (arguments: `base.Propose`)."""
    from latentdiff.language import summarise
    from latentdiff.proposers.density_ratio.phrases import write_phrases

    found = estimate_density_ratio(contrast, settings.density, progress)
    if isinstance(found, NotRun):
        return Proposal(not_run=found)
    if not found.extreme:
        return Proposal(p_value=found.p_value, artefact=found)
    extreme = _captioned(found.extreme, contrast, workspace, settings.language)
    captions = {side: [ref.caption for ref in extreme if ref.side == side] for side in SIDES}
    differences = summarise(captions["a"], captions["b"], settings.language)
    return Proposal(
        write_phrases(extreme, differences, contrast.part), found.p_value, artefact=replace(found, extreme=extreme)
    )


def estimate_density_ratio(
    contrast: Contrast, settings: DensitySettings, progress: Progress | None = None
) -> DensityRatio | NotRun:
    """Whether two groups differ in density anywhere, and the images that differ most.

    Exchanging the groups negates the log ratios, exchanges the ends, and changes nothing else.

    Args:
        contrast: the two groups.
        settings: how to estimate, test and show.
        progress: told ("density ratio", done, total).

    Raises:
        LatentDiffError: the sets are of different encoders.
    """
    a, b = contrast.groups["a"], contrast.groups["b"]
    check_same_space(a, b)
    images = gather_distinct(a, b, settings.folds, settings.seed)
    n_a, n_b = int(images.in_a.sum()), int(images.in_b.sum())
    needed = FEWEST_PER_FOLD * settings.folds
    if min(n_a, n_b) < needed:
        log.warning(
            "the density ratio did not run: it needs %d different images a side and has %d and %d, "
            "without those held back to check findings (verify.share)", needed, n_a, n_b,
        )  # fmt: skip
        return NotRun(NotRunReason.TOO_FEW_IMAGES, needed, n_a, n_b)

    from latentdiff.proposers.density_ratio.crossfit import cross_fit
    from latentdiff.proposers.density_ratio.tail_test import end_p_values
    from latentdiff.statistics import auroc

    log_ratio = cross_fit(images, settings, progress).log_ratio
    sides = (images.in_a, images.in_b, images.fold)
    p_a, p_b = end_p_values(log_ratio, *sides, settings.top)
    p_value = min(1.0, 2 * min(p_a, p_b))
    different = p_value <= settings.level
    area, interval = auroc(log_ratio, *sides)
    edges = np.linspace(-1, 1, HISTOGRAM_BINS + 1) * (np.abs(log_ratio).max() or 1.0)
    return DensityRatio(
        different=different,
        p_value=p_value,
        p_value_a=p_a,
        p_value_b=p_b,
        auroc=area,
        auroc_interval=interval,
        histogram_edges=tuple(edges.tolist()),
        histogram_a=tuple(np.histogram(log_ratio[images.in_a], edges)[0].tolist()),
        histogram_b=tuple(np.histogram(log_ratio[images.in_b], edges)[0].tolist()),
        extreme=_retrieve(contrast, images, log_ratio, settings.retrieve) if different else (),
        n_a=n_a,
        n_b=n_b,
    )


def _retrieve(contrast: Contrast, images: DistinctImages, log_ratio: np.ndarray, count: int) -> tuple[ImageRef, ...]:
    """The most extreme images that only one side has; A's with the highest ratios, then B's with the lowest."""
    from latentdiff.proposers.density_ratio.retrieve import most_extreme

    centre = images.embedding.mean(0, dtype=np.float64)
    ends: tuple[tuple[Side, np.ndarray, np.ndarray, int], ...] = (
        ("a", images.row_a, images.in_b, 1),
        ("b", images.row_b, images.in_a, -1),
    )
    found: tuple[ImageRef, ...] = ()
    for side, rows, others, sign in ends:
        own = np.flatnonzero((rows >= 0) & ~others)
        best = own[most_extreme(sign * log_ratio[own], images.embedding[own], centre, count)]
        found += contrast.references(side, contrast.rows[side][rows[best]], log_ratio[best])
    return found


def _captioned(
    refs: Sequence[ImageRef], contrast: Contrast, workspace: Workspace, settings: LanguageSettings
) -> tuple[ImageRef, ...]:
    """The images with their captions, A's before B's."""
    from latentdiff.language import load_captioner

    mean = (mean_of(contrast.groups["a"]) + mean_of(contrast.groups["b"])) / 2
    captioner = load_captioner(settings, workspace.words, mean, workspace.device)
    captioned: tuple[ImageRef, ...] = ()
    for side in SIDES:
        own = [ref for ref in refs if ref.side == side]
        captions = caption_rows(contrast.sets[side], np.array([ref.row for ref in own], int), captioner)
        captioned += tuple(replace(ref, caption=text) for ref, text in zip(own, captions, strict=True))
    return captioned
