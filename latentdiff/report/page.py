"""The report: one HTML file that opens from disk and asks nobody for anything.

Style and script lie in the page and are named in its content security policy by their hashes; images are `data:`
addresses; every word that comes from outside is escaped by the template engine, and stripped of what is not seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from latentdiff.findings import ComparisonResult, SetSummary
from latentdiff.presentation import numbers as figures
from latentdiff.presentation import standalone
from latentdiff.presentation.thumbnails import data_uri
from latentdiff.report import plots
from latentdiff.report.listing import advantage, arrange, level_of
from sae_training.files import replacing

HERE = Path(__file__).parent
ROWS = 40  # in the forest plot; what is more stands in findings.parquet


@dataclass(frozen=True)
class ReportSettings:
    """How the report is written."""

    thumbnails: bool = True  # False: no image comes into the page


def write_report(result: ComparisonResult, path: Path, images: Mapping[str, bytes]) -> None:
    """Writes the page, whole or not at all.

    Args:
        result: the comparison.
        path: of the HTML file.
        images: uri -> encoded image; an image that is missing or unreadable becomes a neutral tile with its id.
            Empty: no image and no tile comes into the page.
    """
    page = render(result, images)
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def render(result: ComparisonResult, images: Mapping[str, bytes]) -> str:
    """The page as text."""
    style = (HERE / "page.css").read_text(encoding="utf-8")
    script = (HERE / "page.js").read_text(encoding="utf-8")
    listing = arrange(result)
    rows = (*listing.shown, *listing.unlisted)
    settings = standalone.flatten(result.settings)
    template = _environment().get_template("page.html.jinja")
    return template.render(
        result=result,
        listing=listing,
        level=level_of(result),
        sets=(("a", result.a), ("b", result.b)),
        forest=plots.forest(rows[:ROWS]),
        left_out=len(rows[ROWS:]),
        volcano=plots.volcano(rows[:ROWS], result.concepts.volcano, level_of(result)),
        histogram=plots.histogram(result.density) if result.density else None,
        shifts=shifts(result.a, result.b),
        facts=_run_facts(result.run),
        settings=settings,
        seeds=sorted({value for key, value in settings if key.rpartition(".")[2] == "seed"}),
        with_images=bool(images),
        thumbnail=cache(lambda uri: Markup(data_uri(images[uri])) if uri in images else ""),
        style=Markup(style),
        script=Markup(script),
        policy=standalone.policy(style, script),
    )


def shifts(a: SetSummary, b: SetSummary) -> list[str]:
    """What differs between the sets beside their content, in sentences: it could explain a finding."""
    notes = []
    if a.brightness_median is not None and b.brightness_median is not None:
        gap = a.brightness_median - b.brightness_median
        if abs(gap) >= 0.05:
            pair = sorted((a.brightness_median, b.brightness_median), reverse=True)
            name = "A" if gap > 0 else "B"
            notes.append(f"{name} is brighter: median {figures.unit(pair[0])} against {figures.unit(pair[1])} of 1.")
    pixels = [(s.width_median or 0) * (s.height_median or 0) for s in (a, b)]
    if min(pixels) > 0 and max(pixels) / min(pixels) >= 1.25:
        name = "A" if pixels[0] > pixels[1] else "B"
        factor = figures.times(max(pixels) / min(pixels))
        notes.append(f"Images of {name} are larger: {factor} the pixels at the median.")
    if a.duplicates_across or b.duplicates_across:
        notes.append("Some images occur in both sets; they pull every difference towards zero.")
    return notes


@cache
def _environment() -> Environment:
    environment = standalone.environment(HERE)
    names = ("percent", "points", "p_value", "unit", "number", "times", "duration", "memory")
    environment.filters.update({name: getattr(figures, name) for name in names})
    environment.globals.update(prevalence=plots.prevalence, advantage=advantage, infinite=math.isinf)
    return environment


def _run_facts(run: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Everything known about the run but its command, in groups: (title, [(what, value)])."""
    single = {key: value for key, value in run.items() if not isinstance(value, Mapping) and key != "command"}
    groups = {"run": single, **{key: value for key, value in run.items() if isinstance(value, Mapping)}}
    return [(title, list(_readable(title, group))) for title, group in groups.items() if group]


def _readable(title: str, group: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for key, value in group.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        about = f"{title} {key}"
        if number and ("memory" in about or "bytes" in about):
            yield key, figures.memory(value)
        elif number and ("times" in about or "seconds" in about):
            yield key, figures.duration(value)
        else:
            yield key, standalone.as_text(value)
