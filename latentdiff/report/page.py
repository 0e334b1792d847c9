"""The report: one HTML file that opens from disk and asks nobody for anything.

Style and script lie in the page and are named in its content security policy by their hashes; images are `data:`
addresses; every word that comes from outside is escaped by the template engine, and stripped of what is not seen.
"""

from __future__ import annotations

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
from latentdiff.report.listing import Listing, arrange, of_side, travelling_words
from latentdiff.report.wording import (
    MOST_METADATA,
    STATUS,
    describe_controls,
    describe_density,
    describe_not_run,
    describe_proposer,
    describe_sae,
    describe_shift,
    describe_vanishing,
    sentence,
    titles,
)
from latentdiff.result import ComparisonResult
from sae_training.files import replacing

HERE = Path(__file__).parent
MOST_PLOTTED = 40  # findings in the forest and volcano plots; all are in findings.parquet
MOST_TRAVELLING = 30  # rows under a lead; likewise
_FILTERS = (
    describe_controls,
    describe_density,
    describe_not_run,
    describe_proposer,
    describe_sae,
    describe_shift,
    describe_vanishing,
    of_side,
    sentence,
    titles,
    travelling_words,
)


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
        given=[*result.settings.get("given", ()), *result.settings.get("known", ())],
        warnings=warnings(result),
        facts=_run_facts(result.run),
        settings=settings,
        seeds=sorted({value for key, value in settings if key.rpartition(".")[2] == "seed"}),
        with_images=bool(images),
        thumbnail=cache(lambda uri: Markup(data_uri(images[uri])) if uri in images else ""),
        style=style,
        script=Markup(script),
        policy=standalone.policy(style, script),
    )


def warnings(result: ComparisonResult) -> list[str]:
    """What of the data hides differences, in sentences."""
    if result.a.duplicates_across or result.b.duplicates_across:
        return ["Some images occur in both sets; they pull every difference towards zero."]
    return []


@cache
def _environment() -> Environment:
    environment = standalone.environment(HERE)
    names = ("percent", "points", "p_value", "unit", "number", "duration", "memory")
    environment.filters.update({name: getattr(numbers, name) for name in names})
    environment.filters.update({one.__name__: one for one in _FILTERS})
    environment.globals.update(prevalence=plots.prevalence, more=plots.more, status_means=STATUS)
    environment.globals.update(most_metadata=MOST_METADATA, most_travelling=MOST_TRAVELLING)
    return environment


def _key_figures(result: ComparisonResult, listing: Listing) -> Iterator[tuple[str, str, str]]:
    """The numbers under the verdict: (what, value, what stands small beside it)."""
    if listing.tested:
        yield "Evidence of any difference", f"p {numbers.p_value(result.verdict.p_value)}", ""
    if result.different and (shift := result.shift):
        beside = "the sets lie apart as wholes" if shift.is_broad else "as wholes the sets overlap"
        yield "Overall shift, AUROC", numbers.unit(shift.auroc), beside
    if latents := artefact_of(result, LatentDifferences):
        tested = numbers.number(latents.tested)
        differ = "Latents that differ", numbers.number(latents.significant), f"of {tested} tested"
        yield differ if result.different else ("Latents tested", tested, "")
    if listing.beside:
        yield "Not told from the shift", str(len(listing.beside)), "more findings"
    elif listing.verified and result.different:
        travel = f"{listing.travelling} more travel with {'them' if listing.leads else 'the shift'}"
        yield "Findings that lead", str(listing.leads), travel if listing.travelling else ""
    if controls := result.controls:
        alone = f"of {controls.words}; {numbers.percent(controls.alone)} before anything is given"
        yield "Random words that pass", numbers.percent(controls.given), alone
    if (smallest := result.verdict.smallest_detectable) is not None:
        seen = (numbers.percent(smallest), "of one set alone") if smallest < 1 else ("none", "too few images")
        yield "Smallest difference visible", *seen
    if mean_shift := artefact_of(result, MeanShift):
        yield "Distance of the means", numbers.unit(mean_shift.distance), "of unit vectors"
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
