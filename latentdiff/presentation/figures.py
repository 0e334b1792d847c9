"""Where the lines of a figure lie; `figure.svg.jinja` draws them as files, `figure.parts.jinja` on a page.

Marks lie in a box of 1000 x 1000, ticks in percent of the figure's width and height.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from latentdiff.presentation import standalone
from latentdiff.presentation.tables import FORMS
from latentdiff.statistics.estimates import Curve, Estimate
from sae_training.files import replacing

SERIES = 8  # colours; further lines repeat them with another dash
BANDS = 3  # lines whose intervals are shaded; more of them would hide each other

Axis = Literal["percent", "unit", "number", "seconds"]


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Dot:
    """A point of a line, with what is said when it is pointed at."""

    x: float
    y: float
    title: str


@dataclass(frozen=True)
class Line:
    """One curve."""

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
    chance: Sequence[str] = (),
) -> Figure:
    """Any curves as a figure; y runs from 0 to 1, or to the next round number if nothing is above .5 or some above 1.

    Args:
        lines: one a label; points that are not finite are left out.
        name: of the file.
        title: of the figure.
        note: what is drawn.
        x_label: what the horizontal axis is.
        y_label: what the vertical axis is.
        forms: how x and y are written.
        logarithmic: whether x is; points at 0 and below are then left out.
        dots: whether the points are marked.
        interval: what the points' intervals are.
        chance: labels of lines that show what chance gives: grey, dashed, never shaded.
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
        style, dash = _style(line.label, styled, chance)
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
    template = standalone.environment().get_template("figure.svg.jinja")
    return template.render(figure=figure, style=standalone.style("figure.css"))


def write_figures(figures: Sequence[Figure], folder: Path) -> None:
    """Writes `NAME.svg` for each figure, each whole or not at all."""
    for figure in figures:
        with replacing(folder / f"{figure.name}.svg") as temporary:
            temporary.write_text(svg(figure), encoding="utf-8")


def round_up(value: float) -> float:
    """The next of 1, 1.5, 2, 3, 4, 5, 6, 8, 10 times a power of ten."""
    if value <= 0 or not math.isfinite(value):
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((m * power for m in (1, 1.5, 2, 3, 4, 5, 6, 8) if m * power >= value * (1 - 1e-9)), 10 * power)


def _style(label: str, styled: Iterator[int], chance: Sequence[str]) -> tuple[str, str]:
    if label in chance:
        return "chance", ("1 4", "4 3", "8 3")[chance.index(label) % 3]
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
