"""Where the lines of a benchmark's figures lie; `figure.svg.jinja` draws them, on the page and as files.

Marks lie in a box of 1000 x 1000, ticks in percent, as in `latentdiff.report.plots`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from jinja2 import Environment
from markupsafe import Markup

from latentdiff.noisydiff.methods.registry import CHANCE
from latentdiff.noisydiff.pages.tables import FORMS, shown
from latentdiff.noisydiff.scoring import curves
from latentdiff.noisydiff.scoring.aggregate import Estimate, Run
from latentdiff.noisydiff.scoring.curves import Curve
from latentdiff.noisydiff.scoring.measures import SideScore, in_words
from latentdiff.report import standalone
from latentdiff.report.plots import Tick, round_up
from sae_training.files import replacing

HERE = Path(__file__).parent
SERIES = 8  # colours; further lines repeat them with another dash
BANDS = 3  # lines whose intervals are shaded; more of them would hide each other

Axis = Literal["percent", "unit", "number", "seconds"]


@dataclass(frozen=True)
class Dot:
    """A point of a line, with what is said when it is pointed at."""

    x: float
    y: float
    title: str


@dataclass(frozen=True)
class Line:
    """One method."""

    label: str
    style: str  # CSS class: "s0" ... "s7", or "chance"
    dash: str  # SVG's stroke-dasharray; "" for a whole line
    path: str
    band: str  # outline of the 95 % intervals; "" where it would hide others
    dots: tuple[Dot, ...]


@dataclass(frozen=True)
class Figure:
    """Lines over two axes."""

    name: str  # of its file
    title: str
    note: str
    x_label: str
    y_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]


def standard_figures(scores: Sequence[SideScore], hits: str, near: str = "") -> list[Figure]:
    """Joint coverage (where similarity was measured), scarcity, planted images and scale, of all methods.

    Args:
        scores: of all methods.
        hits: the measure of the scarcity curves.
        near: the measure of similarity; "": none.
    """
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
        lines, "scarcity", "Scarcity", in_words(measure), x, "score", ("percent", _form(measure)), logarithmic=True
    )


def planted_figure(scores: Sequence[SideScore], measure: str) -> Figure:
    """Scores against the number of images that show the truth."""
    lines = curves.curves(scores, measure, curves.by_planted)
    x = "number of images that show the truth"
    return plot(
        lines, "planted", "Images needed", in_words(measure), x, "score", ("number", _form(measure)), logarithmic=True
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
        ("number", _form(measure)),
        logarithmic=True,
    )


def setting_figure(
    runs: Sequence[Run], methods: Sequence[str], measure: str, setting: str, name: str, title: str
) -> Figure:
    """Scores against a setting that is a number: similarity against the number of retrieved images, say."""
    lines = [curves.by_setting(runs, method, measure, setting) for method in methods]
    return plot(lines, name, title, in_words(measure), setting, "score", ("number", _form(measure)))


def plot(
    lines: Sequence[Curve],
    name: str,
    title: str,
    note: str,
    x_label: str,
    y_label: str,
    forms: tuple[Axis, Axis],
    logarithmic: bool = False,
    dots: bool = True,
    interval: str = "95 % interval",
) -> Figure:
    """Any curves as a figure; y runs from 0 to 1, or to the next round number if nothing is above .5 or some above 1.

    Args:
        lines: one a method; points that are not finite are left out.
        name: of the file.
        title: of the figure.
        note: what is drawn.
        x_label: what the horizontal axis is.
        y_label: what the vertical axis is.
        forms: how x and y are written.
        logarithmic: whether x is; points at 0 and below are then left out.
        dots: whether the points are marked.
        interval: what the points' intervals are.
    """
    kept = [_finite(line, logarithmic) for line in lines]
    x = [value for line in kept for value in line.x]
    highest = max((max(e.value, e.interval.high) for line in kept for e in line.y), default=1.0)
    top = 1.0 if 0.5 < highest <= 1 else round_up(highest) or 1.0
    low, high = (min(x), max(x)) if x else (0.0, 1.0)

    def across(value: float) -> float:
        if high <= low:
            return 500.0
        if logarithmic:
            return 1000 * math.log(value / low) / math.log(high / low)
        return 1000 * (value - low) / (high - low)

    def down(value: float) -> float:
        return 1000 * (1 - min(max(value / top, 0.0), 1.0))

    drawn: list[Line] = []
    styled = iter(range(len(kept)))
    for line in kept:
        style, dash = _style(line.label, styled)
        places = [(across(v), down(e.value)) for v, e in zip(line.x, line.y, strict=True)]
        marks = tuple(
            Dot(round(px / 10, 2), round(py / 10, 2), _said(line.label, v, e, forms, interval))
            for (px, py), v, e in zip(places, line.x, line.y, strict=True)
        )
        band = [(across(v), down(e.interval.high)) for v, e in zip(line.x, line.y, strict=True)]
        band += [(across(v), down(e.interval.low)) for v, e in reversed(list(zip(line.x, line.y, strict=True)))]
        shaded = _path(band) if len(drawn) < BANDS and style != "chance" else ""
        drawn.append(Line(line.label, style, dash, _path(places), shaded, marks if dots else ()))
    x_ticks = tuple(Tick(round(across(v) / 10, 2), FORMS[forms[0]](v)) for v in _x_values(low, high, x, logarithmic))
    y_ticks = tuple(Tick(100 - 25 * i, FORMS[forms[1]](top * i / 4)) for i in range(5))
    return Figure(name, title, note, x_label, y_label, x_ticks, y_ticks, tuple(drawn))


def svg(figure: Figure) -> str:
    """The figure as an SVG file of its own, light or dark as the reader's system is."""
    style = Markup((HERE / "figure.css").read_text(encoding="utf-8"))
    return environment().get_template("figure.svg.jinja").render(figure=figure, style=style)


def write_figures(figures: Sequence[Figure], folder: Path) -> None:
    """Writes `NAME.svg` for each figure, each whole or not at all."""
    for figure in figures:
        with replacing(folder / f"{figure.name}.svg") as temporary:
            temporary.write_text(svg(figure), encoding="utf-8")


@cache
def environment(*folders: Path) -> Environment:
    """The templates of some folders and of this one."""
    templates = standalone.environment(*folders, HERE)
    templates.globals["shown"] = shown
    return templates


def _form(measure: str) -> Axis:
    return "unit" if measure.startswith(("similarity", "joined", "reciprocal")) else "percent"


def _style(label: str, styled: Iterator[int]) -> tuple[str, str]:
    if label in CHANCE:
        return "chance", ("1 4", "4 3", "8 3")[CHANCE.index(label) % 3]
    number = next(styled)
    return f"s{number % SERIES}", ("", "6 3", "2 3")[number // SERIES % 3]


def _finite(line: Curve, logarithmic: bool) -> Curve:
    points = [
        (x, e)
        for x, e in zip(line.x, line.y, strict=True)
        if math.isfinite(x) and math.isfinite(e.value) and (x > 0 or not logarithmic)
    ]
    return Curve(line.label, tuple(x for x, _ in points), tuple(e for _, e in points))


def _x_values(low: float, high: float, x: Sequence[float], logarithmic: bool) -> list[float]:
    """Where ticks stand: at the points themselves where they are few and not crowded, else five."""
    if high <= low:
        return [low]
    if not logarithmic:
        return [low + (high - low) * i / 4 for i in range(5)]
    spread: list[float] = []
    for value in sorted(set(x)):
        far = not spread or math.log(value / spread[-1]) > 0.1 * math.log(high / low)
        if far and (value == high or math.log(high / value) > 0.1 * math.log(high / low)):
            spread.append(value)
    return [*spread, *([high] if high not in spread else [])]


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places) if places else ""


def _said(label: str, x: float, y: Estimate, forms: tuple[Axis, Axis], interval: str) -> str:
    ends = f"{FORMS[forms[1]](y.interval.low)} to {FORMS[forms[1]](y.interval.high)}"
    return f"{label} at {FORMS[forms[0]](x)}: {FORMS[forms[1]](y.value)}, {interval} {ends}"
