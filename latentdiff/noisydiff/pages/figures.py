"""Which figures a benchmark shows: joint coverage, scarcity, planted images, scale, or a setting that is a number."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from latentdiff.noisydiff.methods.registry import CHANCE
from latentdiff.noisydiff.scoring import curves
from latentdiff.noisydiff.scoring.aggregate import Run
from latentdiff.noisydiff.scoring.catalogue import form_of, in_words
from latentdiff.noisydiff.scoring.measures import SideScore
from latentdiff.presentation import figures
from latentdiff.presentation.figures import Figure

plot = partial(figures.plot, chance=CHANCE)


def standard_figures(scores: Sequence[SideScore], hits: str, near: str = "") -> list[Figure]:
    """Joint coverage (where similarity was measured), scarcity, planted images and scale, of all methods.

    Args:
        scores: of all methods.
        hits: the measure of the scarcity curves.
        near: the measure of similarity; "": none.
    """
    if not scores:  # nothing is planted anywhere
        return []
    coverage = [coverage_figure(scores, near)] if near else []
    plots = [*coverage, scarcity_figure(scores, hits), planted_figure(scores, hits), scale_figure(scores, near or hits)]
    return [plot for plot in plots if any("L" in line.path for line in plot.lines)]  # a point alone is no figure


def coverage_figure(scores: Sequence[SideScore], measure: str) -> Figure:
    """Joint coverage against the cosine threshold."""
    lines = curves.curves(scores, measure, curves.joint_coverage)
    note = f"share of pairs of which every side has {in_words(measure)} at or above the threshold"
    return plot(lines, "coverage", "Joint coverage", note, "cosine threshold", "pairs", ("unit", "percent"), dots=False)


def scarcity_figure(scores: Sequence[SideScore], measure: str) -> Figure:
    """Scores against the share of images that show the truth."""
    lines = curves.curves(scores, measure, curves.by_scarcity)
    x = "images of a side that show its truth"
    return plot(
        lines, "scarcity", "Scarcity", in_words(measure), x, "score", ("percent", form_of(measure)), logarithmic=True
    )


def planted_figure(scores: Sequence[SideScore], measure: str) -> Figure:
    """Scores against the number of images that show the truth."""
    lines = curves.curves(scores, measure, curves.by_planted)
    x = "number of images that show the truth"
    return plot(
        lines, "planted", "Images needed", in_words(measure), x, "score", ("number", form_of(measure)), logarithmic=True
    )


def scale_figure(scores: Sequence[SideScore], measure: str) -> Figure:
    """Scores against the size of the sets."""
    lines = curves.curves(scores, measure, curves.by_size)
    return plot(
        lines,
        "scale",
        "Scale",
        in_words(measure),
        "images of a side",
        "score",
        ("number", form_of(measure)),
        logarithmic=True,
    )


def setting_figure(
    runs: Sequence[Run], methods: Sequence[str], measure: str, setting: str, name: str, title: str
) -> Figure:
    """Scores against a setting that is a number: similarity against the number of retrieved images, say."""
    lines = [curves.by_setting(runs, method, measure, setting) for method in methods]
    return plot(lines, name, title, in_words(measure), setting, "score", ("number", form_of(measure)))
