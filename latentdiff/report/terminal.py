"""The result as a table on the terminal: the verdict first, then the findings of both sides."""

from __future__ import annotations

import math

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from latentdiff.hypotheses import SIDES, Finding, Status
from latentdiff.presentation.numbers import p_value, percent, times, unit
from latentdiff.presentation.terminal import ROOMY, foreign, plain
from latentdiff.proposers.density_ratio import DensityRatio
from latentdiff.report.artefacts import artefact_of
from latentdiff.report.listing import Entry, Listing, advantage, arrange
from latentdiff.report.wording import describe_not_run, sentence, titles
from latentdiff.result import ComparisonResult, SetSummary

_COLOURS = {"a": "bright_blue", "b": "yellow"}
_STATUS = {
    Status.CONFIRMED: "green",
    Status.TESTED: "",
    Status.WEAK: "",
    Status.REFUTED: "red",
    Status.NOT_CHECKED: "dim",
}
_TITLE = 15  # columns of a proposer's title with a plus behind it


def print_result(result: ComparisonResult, console: Console) -> None:
    """Prints the verdict, the shown findings as a table, and what a reader must know beside them.

    Args:
        result: the comparison.
        console: where to; a narrow one gets fewer columns, one that is no terminal neither colours nor lines.
    """
    listing = arrange(result)
    _line(console, listing.headline, "bold")
    if listing.lede:
        _line(console, listing.lede)
    if listing.shown:
        console.print()
        console.print(_table(listing, console))
    console.print()
    for note in _notes(result, listing):
        _line(console, note, "dim")


def _table(listing: Listing, console: Console) -> Table:
    roomy = console.width >= ROOMY
    numbers = (("A", "B", "ratio", "q") if roomy else ("A", "B", "q")) if listing.counted else ()
    lines = box.SIMPLE_HEAD if console.is_terminal else None
    table = Table(box=lines, pad_edge=False, show_edge=False, header_style="")
    table.add_column("more in" if listing.tested else "for", no_wrap=True)
    table.add_column("finding" if listing.tested else "proposed", overflow="fold", min_width=12)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    if roomy:
        table.add_column("found by", min_width=_TITLE)
    table.add_column("checked", no_wrap=True)
    for side in SIDES:
        entries = listing.side(side)
        unnamed = [entry for entry in entries if not entry.finding.name_found]
        for entry in entries:
            if entry not in unnamed[1:]:  # one line for all that no word fits: without images they look alike
                table.add_row(*_cells(entry, len(unnamed), numbers, console))
        table.add_section()
    return table


def _cells(entry: Entry, unnamed: int, numbers: tuple[str, ...], console: Console) -> list[Text]:
    finding, roomy = entry.finding, console.width >= ROOMY
    values = _numbers(finding)
    return [
        Text(finding.side.upper(), style=_COLOURS[finding.side]),
        _words(entry, unnamed, roomy, console),
        *(plain(values[name]) for name in numbers),
        *([plain(titles(entry.ranked.proposers))] if roomy else []),
        Text(finding.status, style=_STATUS[finding.status]),
    ]


def _numbers(finding: Finding) -> dict[str, str]:
    """What stands in each column of numbers; dashes where nobody counted."""
    evidence = finding.evidence
    return {
        "A": percent(evidence.prevalence_a if evidence else None),
        "B": percent(evidence.prevalence_b if evidence else None),
        "ratio": _ratio(finding),
        "q": p_value(evidence.q_value if evidence else None).removeprefix("= "),
    }


def _ratio(finding: Finding) -> str:
    ratio = advantage(finding)
    if ratio is None or (ratio <= 1 and finding.hypothesis.latent is None):
        return "-"
    return "only here" if math.isinf(ratio) else "harder" if ratio <= 1 else times(ratio)


def _words(entry: Entry, unnamed: int, roomy: bool, console: Console) -> Text:
    first, *rest = entry.finding.words or ("",)
    if not entry.finding.name_found:
        first, rest = f"(no word fits{f', {unnamed} findings' if unnamed > 1 else ''})", []
    text = Text(foreign(first, console.encoding), style="bold")
    if roomy and rest:
        text.append(foreign("  " + ", ".join(rest), console.encoding), style="not bold dim")
    return text


def _notes(result: ComparisonResult, listing: Listing) -> list[str]:
    notes = []
    if result.different and not listing.shown:
        notes.append("No finding was confirmed on unseen images." if listing.checked else "No finding.")
    if listing.counted:
        notes.append(listing.shares)
    if listing.aside:
        notes.append(f"Set aside: {listing.why_aside} (see the report).")
    smallest = result.verdict.smallest_detectable
    if not result.different and smallest is not None and smallest < 1:
        seen = f"a latent firing in {percent(smallest)} of one set, never in the other"
        notes.append(f"Would have been seen: {seen}; more, where a thing shares its latents with others.")
    notes += _proposer_notes(result)
    if result.encoder.name == "mini":
        notes.append("Encoder mini is a demonstration; name a real one for results (encoder=ViT-L-14/openai).")
    notes += [note for note in (_health("A", result.a), _health("B", result.b)) if note]
    return notes


def _proposer_notes(result: ComparisonResult) -> list[str]:
    """Who did not run, and what the density ratio says of the sets as wholes, a line each."""
    notes = [
        f"{sentence(titles((name,)))}: did not run; {describe_not_run(outcome.not_run)}."
        for name, outcome in result.proposers.items()
        if outcome.not_run
    ]
    if density := artefact_of(result, DensityRatio):
        found = "a difference" if density.different else "no difference"
        notes.append(f"Density ratio: {found}, p {p_value(density.p_value)}, AUROC {unit(density.auroc)}.")
    return notes


def _health(letter: str, summary: SetSummary) -> str:
    shared = summary.duplicates_across
    also = f", {shared:,} of them in both sets, which hides differences" if shared else ""
    note = f"{letter}: {summary.embedded:,} images of {summary.source}{also}"
    if not summary.skipped:
        return note
    uri, reason = next(iter(summary.skipped_examples), ("", ""))
    example = f": {uri}: {reason}" if uri else ""
    return f"{note}, {summary.skipped:,} skipped{example}"


def _line(console: Console, text: str, style: str = "") -> None:
    """One line; only a terminal breaks it, so that a log or a pipe can be searched."""
    line = Text(foreign(text, console.encoding), style=style)
    console.print(line, soft_wrap=not console.is_terminal, highlight=False)
