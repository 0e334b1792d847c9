"""The report: one HTML file that opens from disk and asks nobody for anything.

Style and script lie in the page and are named in its content security policy by their hashes; images are `data:`
addresses; every word that comes from outside is escaped by the template engine, and stripped of what is not seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from latentdiff.presentation import numbers, standalone
from latentdiff.presentation.thumbnails import data_uri
from latentdiff.proposers.density_ratio import DensityRatio
from latentdiff.proposers.mean_shift import MeanShift
from latentdiff.proposers.sae_latents import LatentDifferences
from latentdiff.proposers.visdiff import VisDiffSample
from latentdiff.report import plots
from latentdiff.report.artefacts import artefact_of
from latentdiff.report.listing import Listing, advantage, arrange
from latentdiff.report.wording import describe_not_run, describe_proposer, describe_sae, sentence, titles
from latentdiff.result import ComparisonResult, SetSummary
from sae_training.files import replacing

HERE = Path(__file__).parent
MOST_PLOTTED = 40  # findings in the forest and volcano plots; all are in findings.parquet


@dataclass(frozen=True)
class ReportSettings:
    """How the report is written."""

    thumbnails: bool = True  # False: no image comes into the page


def image_uris(result: ComparisonResult) -> list[str]:
    """Where the images lie that the page may show, sorted: not those of findings that stand behind another."""
    refs = [ref for one in result.findings for ref in (*one.hypothesis.images, *one.hypothesis.near_misses)]
    density = artefact_of(result, DensityRatio)
    return sorted({ref.uri for ref in (*refs, *(density.extreme if density else ())) if ref.uri})


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
    style = standalone.style("page.css")
    script = (HERE / "page.js").read_text(encoding="utf-8")
    listing = arrange(result)
    rows = tuple(entry for entry in listing.shown if entry.finding.evidence is not None)
    latents, density = artefact_of(result, LatentDifferences), artefact_of(result, DensityRatio)
    settings = standalone.flatten(result.settings)
    template = _environment().get_template("page.html.jinja")
    return template.render(
        result=result,
        listing=listing,
        level=result.verdict.level,
        sets=(("a", result.a), ("b", result.b)),
        key_figures=list(_key_figures(result, listing)),
        forest=plots.forest(rows[:MOST_PLOTTED]),
        left_out=len(rows[MOST_PLOTTED:]),
        volcano=plots.volcano(rows[:MOST_PLOTTED], latents.volcano if latents else (), result.verdict.level),
        latents=latents,
        density=density,
        histogram=plots.histogram(density) if density else None,
        not_run=[(titles((name,)), one.not_run) for name, one in result.proposers.items() if one.not_run],
        shifts=shifts(result.a, result.b),
        facts=_run_facts(result.run),
        settings=settings,
        seeds=sorted({value for key, value in settings if key.rpartition(".")[2] == "seed"}),
        with_images=bool(images),
        thumbnail=cache(lambda uri: Markup(data_uri(images[uri])) if uri in images else ""),
        style=style,
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
            notes.append(f"{name} is brighter: median {numbers.unit(pair[0])} against {numbers.unit(pair[1])} of 1.")
    pixels = [(s.width_median or 0) * (s.height_median or 0) for s in (a, b)]
    if min(pixels) > 0 and max(pixels) / min(pixels) >= 1.25:
        name = "A" if pixels[0] > pixels[1] else "B"
        factor = numbers.times(max(pixels) / min(pixels))
        notes.append(f"Images of {name} are larger: {factor} the pixels at the median.")
    if a.duplicates_across or b.duplicates_across:
        notes.append("Some images occur in both sets; they pull every difference towards zero.")
    return notes


@cache
def _environment() -> Environment:
    environment = standalone.environment(HERE)
    names = ("percent", "points", "p_value", "unit", "number", "times", "duration", "memory")
    environment.filters.update({name: getattr(numbers, name) for name in names})
    environment.filters.update(
        {one.__name__: one for one in (describe_not_run, describe_proposer, describe_sae, sentence, titles)}
    )
    environment.globals.update(prevalence=plots.prevalence, advantage=advantage, infinite=math.isinf)
    return environment


def _key_figures(result: ComparisonResult, listing: Listing) -> Iterator[tuple[str, str, str]]:
    """The numbers under the verdict: (what, value, what stands small beside it)."""
    if listing.tested:
        yield "Evidence of any difference", f"p {numbers.p_value(result.verdict.p_value)}", ""
    if latents := artefact_of(result, LatentDifferences):
        yield "Concepts that differ", numbers.number(latents.significant), f"of {numbers.number(latents.tested)} tested"
    if listing.checked and result.different:
        yield "Confirmed on unseen images", str(listing.confirmed), f"of {listing.checked} checked"
    if (smallest := result.verdict.smallest_detectable) is not None:
        seen = (numbers.percent(smallest), "of one set alone") if smallest < 1 else ("none", "too few images")
        yield "Smallest difference visible", *seen
    if density := artefact_of(result, DensityRatio):
        yield "Density ratio, AUROC", numbers.unit(density.auroc), f"p {numbers.p_value(density.p_value)}"
    if shift := artefact_of(result, MeanShift):
        yield "Distance of the means", numbers.unit(shift.distance), "of unit vectors"
    if sample := artefact_of(result, VisDiffSample):
        yield "Images captioned", numbers.number(sample.captioned), ""


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
            yield key, numbers.memory(value)
        elif number and ("times" in about or "seconds" in about):
            yield key, numbers.duration(value)
        else:
            yield key, standalone.as_text(value)
