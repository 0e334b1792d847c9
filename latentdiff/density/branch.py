"""The density branch: two embedding sets in, whether they differ and the images that differ most out.

A cross-fitted head estimates log r(h), the log of A's density over B's. If A crowds the upper end of the out-of-fold
scores or B the lower one, the sets differ, and the most extreme images of both are retrieved; if not, nothing is
proposed (docs/methods.md, 5).
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np

from latentdiff.density.contents import Contents, gather_contents
from latentdiff.density.settings import DensitySettings
from latentdiff.embeddings import EmbeddingSet, check_same_space
from latentdiff.findings import DensityResult, ImageRef, Interval, Side

log = logging.getLogger(__name__)
RefsOf = Callable[[Side, np.ndarray, np.ndarray], tuple[ImageRef, ...]]
Progress = Callable[[str, int, int | None], None]

_BINS = 41  # odd: a ratio of 1 lies inside a bin, so that exchanging the sides mirrors the counts
_LEAST = 4  # images per fold and side below which nothing could be told apart


def density_branch(
    a: EmbeddingSet,
    b: EmbeddingSet,
    settings: DensitySettings,
    refs: RefsOf,
    progress: Progress | None = None,
) -> DensityResult:
    """Whether two sets differ in density anywhere, and the images that differ most.

    Exchanging the sets negates the log ratios, exchanges the ends, and changes nothing else.

    Args:
        a: the first set.
        b: the second set, of the same encoder.
        settings: how to estimate, test and show.
        refs: makes image references of a side, rows of its set and log ratios.
        progress: told ("density ratio", done, total).

    Raises:
        LatentDiffError: the sets are of different encoders.
    """
    check_same_space(a, b)
    contents = gather_contents(a, b, settings.folds, settings.seed)
    if min(contents.in_a.sum(), contents.in_b.sum()) < _LEAST * settings.folds:
        return _too_few(contents, settings)

    from latentdiff.density.auroc import auroc
    from latentdiff.density.crossfit import cross_fit
    from latentdiff.density.tails import end_p_values

    log_ratio = cross_fit(contents, settings, progress).log_ratio
    sides = (contents.in_a, contents.in_b, contents.fold)
    p_a, p_b = end_p_values(log_ratio, *sides, settings.top)
    p_value = min(1.0, 2 * min(p_a, p_b))
    different = p_value <= settings.level
    area, interval = auroc(log_ratio, *sides)
    edges = np.linspace(-1, 1, _BINS + 1) * (np.abs(log_ratio).max() or 1.0)
    return DensityResult(
        different=different,
        p_value=p_value,
        p_value_a=p_a,
        p_value_b=p_b,
        auroc=area,
        auroc_interval=interval,
        histogram_edges=tuple(edges.tolist()),
        histogram_a=tuple(np.histogram(log_ratio[contents.in_a], edges)[0].tolist()),
        histogram_b=tuple(np.histogram(log_ratio[contents.in_b], edges)[0].tolist()),
        extreme=_retrieve(contents, log_ratio, settings.retrieve, refs) if different else (),
        n_a=int(contents.in_a.sum()),
        n_b=int(contents.in_b.sum()),
    )


def _retrieve(contents: Contents, log_ratio: np.ndarray, count: int, refs: RefsOf) -> tuple[ImageRef, ...]:
    """The most extreme images that only one side has; A's with the highest ratios, then B's with the lowest."""
    from latentdiff.density.retrieve import most_extreme

    centre = contents.embedding.mean(0, dtype=np.float64)
    found: tuple[ImageRef, ...] = ()
    for side, rows, others, sign in (("a", contents.row_a, contents.in_b, 1), ("b", contents.row_b, contents.in_a, -1)):
        own = np.flatnonzero((rows >= 0) & ~others)
        best = own[most_extreme(sign * log_ratio[own], contents.embedding[own], centre, count)]
        found += refs(side, rows[best], log_ratio[best])  # type: ignore[arg-type]
    return found


def _too_few(contents: Contents, settings: DensitySettings) -> DensityResult:
    n_a, n_b = int(contents.in_a.sum()), int(contents.in_b.sum())
    needed = _LEAST * settings.folds
    log.warning(
        "the density branch did not run: it needs %d different images a side and has %d and %d, "
        "without those held back to check findings (verify.share)", needed, n_a, n_b,
    )  # fmt: skip
    return DensityResult(
        different=False,
        p_value=1.0,
        p_value_a=1.0,
        p_value_b=1.0,
        auroc=0.5,
        auroc_interval=Interval(0.0, 1.0),
        histogram_edges=(),
        histogram_a=(),
        histogram_b=(),
        extreme=(),
        n_a=n_a,
        n_b=n_b,
        needed=needed,
    )
