"""The result on the terminal: the verdict, the overall shift, a table of the findings, and what to know beside them."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from latentdiff.hypotheses import SIDES, Finding, RankedFinding, Status
from latentdiff.presentation.numbers import NONE, p_value, percent, points
from latentdiff.presentation.terminal import ROOMY, foreign, plain
from latentdiff.proposers.density_ratio import DensityRatio
from latentdiff.report.artefacts import artefact_of
from latentdiff.report.listing import Entry, Listing, arrange, travelling_words
from latentdiff.report.plots import more
from latentdiff.report.wording import (
    MOST_METADATA,
    describe_controls,
    describe_density,
    describe_not_run,
    describe_shift,
    describe_vanishing,
    sentence,
    titles,
)
from latentdiff.result import ComparisonResult, SetSummary

_COLOURS = {"a": "bright_blue", "b": "yellow"}
_STATUS = {
    Status.SHIFT: "bold",
    Status.LEADS: "green",
    Status.TRAVELS: "",
    Status.DIFFERS: "",
    Status.TESTED: "",
    Status.WEAK: "",
    Status.REFUTED: "red",
    Status.NOT_CHECKED: "dim",
}
_TITLE = 15  # columns of a proposer's title with a plus behind it
_WITH_INTERVALS, _WITH_PROPOSERS = 72, 116  # columns from which these fit; from `ROOMY` all numbers and words do
_MOST_WORDS = 8  # in a note


def print_result(result: ComparisonResult, console: Console) -> None:
    """Prints the verdict, the overall shift, the shown findings as a table, and what a reader must know beside them.

    Args:
        result: the comparison.
        console: where to; a narrow one gets fewer columns, one that is no terminal neither colours nor lines.
    """
    listing = arrange(result)
    _line(console, listing.headline, "bold")
    if listing.lede:
        _line(console, listing.lede)
    for note in _metadata(listing):
        _line(console, note, "yellow")
    if listing.shift:
        console.print()
        _print_shift(result, listing, console)
    if listing.shown:
        console.print()
        console.print(_table(listing, console))
    console.print()
    for note in _notes(result, listing, console.width >= ROOMY):
        _line(console, note, "dim")


def _metadata(listing: Listing) -> list[str]:
    notes = [f"Metadata differs: {one}" for one in listing.metadata[:MOST_METADATA]]
    left = len(listing.metadata) - len(notes)
    return [*notes, f"{left} more columns of metadata differ (see the report)."] if left else notes


def _print_shift(result: ComparisonResult, listing: Listing, console: Console) -> None:
    if result.shift:
        _line(console, f"Overall shift: {describe_shift(result.shift)}")
    for entry in listing.shift:
        finding = entry.finding
        _line(console, f"  {finding.side.upper()}: {', '.join(finding.words)}", _COLOURS[finding.side])
        if entry.ranked.travelling and console.width >= ROOMY:
            _line(console, f"     {_describe_travelling(entry.ranked)}", "dim")


def _describe_travelling(ranked: RankedFinding) -> str:
    """ "5 travel with it: fender, strings"."""
    count, words = len(ranked.travelling), travelling_words(ranked, _MOST_WORDS)
    ending = f": {', '.join(words)}" if words else ""
    return f"{count} {'travels' if count == 1 else 'travel'} with it{ending}"


def _table(listing: Listing, console: Console) -> Table:
    numbers = _columns(console.width) if listing.counted else ()
    lines = box.SIMPLE_HEAD if console.is_terminal else None
    table = Table(box=lines, pad_edge=False, show_edge=False, header_style="")
    table.add_column("more in" if listing.tested else "for", no_wrap=True)
    table.add_column("finding" if listing.tested else "proposed", overflow="fold", min_width=12)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    if console.width >= _WITH_PROPOSERS:
        table.add_column("found by", min_width=_TITLE)
    table.add_column("status", no_wrap=True)
    for side in SIDES:
        entries = listing.side(side)
        unnamed = [entry for entry in entries if not entry.finding.name_found]
        for entry in entries:
            if entry not in unnamed[1:]:  # one line for all that no word fits: without images they look alike
                table.add_row(*_cells(entry, len(unnamed), numbers, console))
        table.add_section()
    return table


def _columns(width: int) -> tuple[str, ...]:
    """The columns of numbers that fit, the difference first."""
    if width >= ROOMY:
        return "points", "95 %", "A", "B", "q"
    return ("points", "95 %") if width >= _WITH_INTERVALS else ("points",)


def _cells(entry: Entry, unnamed: int, numbers: tuple[str, ...], console: Console) -> list[Text]:
    finding = entry.finding
    values = _numbers(finding)
    return [
        Text(finding.side.upper(), style=_COLOURS[finding.side]),
        _words(entry, unnamed, console),
        *(plain(values[name]) for name in numbers),
        *([plain(titles(entry.ranked.proposers))] if console.width >= _WITH_PROPOSERS else []),
        Text(finding.status, style=_STATUS[finding.status]),
    ]


def _numbers(finding: Finding) -> dict[str, str]:
    """What stands in each column of numbers; dashes where nobody counted."""
    evidence, ends = finding.evidence, more(finding)
    if evidence is None or ends is None:
        return dict.fromkeys(("points", "95 %", "A", "B", "q"), NONE)
    return {
        "points": points(evidence.difference if finding.side == "a" else -evidence.difference),
        "95 %": f"{points(ends.low)} to {points(ends.high)}",
        "A": percent(evidence.prevalence_a),
        "B": percent(evidence.prevalence_b),
        "q": p_value(evidence.q_value).removeprefix("= "),
    }


def _words(entry: Entry, unnamed: int, console: Console) -> Text:
    first, *rest = entry.finding.words or ("",)
    if not entry.finding.name_found:
        first, rest = f"(no word fits{f', {unnamed} findings' if unnamed > 1 else ''})", []
    text = Text(foreign(first, console.encoding), style="bold")
    if console.width >= ROOMY and rest:
        text.append(foreign("  " + ", ".join(rest), console.encoding), style="not bold dim")
    if entry.finding.given and (columns := entry.finding.given.vanishes_given):
        text.append("\n" + foreign(describe_vanishing(columns), console.encoding), style="not bold yellow")
    if console.width >= ROOMY and entry.ranked.travelling:
        text.append("\n" + foreign(_describe_travelling(entry.ranked), console.encoding), style="not bold dim")
    return text


def _notes(result: ComparisonResult, listing: Listing, roomy: bool) -> list[str]:
    notes = [f"{sentence(status)}: {means}." for status, means in listing.legend if listing.tested]
    if listing.shift and listing.verified and not (listing.shown or listing.beside):
        notes.append("Nothing leads beyond the overall shift.")
    if listing.travelling and not roomy:
        notes.append(f"Travelling with the shift or a lead: {listing.travelling} more (see the report).")
    if listing.counted and roomy:
        notes.append(listing.shares)
    if listing.beside:
        words = list(dict.fromkeys(one.finding.words[0] for one in listing.beside if one.finding.name_found))
        named = f" ({', '.join(words[:_MOST_WORDS])}{', ...' if words[_MOST_WORDS:] else ''})" if words else ""
        notes.append(f"Not told from the overall shift: {len(listing.beside)} more{named}.")
    if listing.aside:
        notes.append(f"Set aside: {listing.why_aside} (see the report).")
    smallest = result.verdict.smallest_detectable
    if not result.different and smallest is not None and smallest < 1:
        seen = f"a latent firing in {percent(smallest)} of one set, never in the other"
        notes.append(f"Would have been seen: {seen}; more, where a thing shares its latents with others.")
    if result.controls:
        notes.append(describe_controls(result.controls))
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
        notes.append(f"Density ratio: {describe_density(density, result.different)}")
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
