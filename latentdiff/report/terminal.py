"""The result as a table on the terminal: the verdict first, then the findings of both sides."""

from __future__ import annotations

import math

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from latentdiff.findings import SIDES, ComparisonResult, Finding, SetSummary
from latentdiff.presentation.numbers import p_value, percent, times, unit, visible
from latentdiff.report.listing import Entry, Listing, advantage, arrange

_ASCII = str.maketrans({"\u202f": " ", "\u00a0": " ", "−": "-", "–": "-", "×": "x"})
_COLOURS = {"a": "bright_blue", "b": "yellow"}
_STATUS = {"confirmed": "green", "weak": "", "refuted": "red", "not checked": "dim"}
ROOMY = 96  # columns from which everything fits on one line


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
    lines = box.SIMPLE_HEAD if console.is_terminal else None
    table = Table(box=lines, pad_edge=False, show_edge=False, header_style="")
    table.add_column("more in", no_wrap=True)
    table.add_column("finding", overflow="fold", min_width=12)
    for name in ("A", "B", "ratio", "q") if roomy else ("A", "B", "q"):
        table.add_column(name, justify="right", no_wrap=True)
    if roomy:
        table.add_column("found by", no_wrap=True)
    table.add_column("checked", no_wrap=True)
    for side in SIDES:
        entries = listing.side(side)
        unnamed = [entry for entry in entries if not entry.finding.name_found]
        for entry in entries:
            if entry not in unnamed[1:]:  # one line for all that no word fits: without images they look alike
                table.add_row(*_cells(entry, len(unnamed), roomy, console))
        table.add_section()
    return table


def _cells(entry: Entry, unnamed: int, roomy: bool, console: Console) -> list[Text]:
    finding, evidence = entry.finding, entry.finding.judged
    status = finding.standing
    cells = [
        Text(finding.side.upper(), style=_COLOURS[finding.side]),
        _words(entry, unnamed, roomy, console),
        plain(percent(evidence.prevalence_a)),
        plain(percent(evidence.prevalence_b)),
    ]
    q = plain(p_value(evidence.q_value).removeprefix("= "))
    cells += [plain(_ratio(finding)), q, plain("+".join(finding.branches))] if roomy else [q]
    return [*cells, Text(status, style=_STATUS[status])]


def _ratio(finding: Finding) -> str:
    ratio = advantage(finding)
    if ratio is None:
        return "-"
    return "only here" if math.isinf(ratio) else "harder" if ratio <= 1 else times(ratio)


def _words(entry: Entry, unnamed: int, roomy: bool, console: Console) -> Text:
    first, *rest = entry.finding.words or ("",)
    if not entry.finding.name_found:
        first, rest = f"(no word fits{f', {unnamed} findings' if unnamed > 1 else ''})", []
    text = Text(_foreign(first, console), style="bold")
    if roomy and rest:
        text.append(_foreign("  " + ", ".join(rest), console), style="not bold dim")
    return text


def _notes(result: ComparisonResult, listing: Listing) -> list[str]:
    notes = []
    if result.different and not listing.shown:
        notes.append("No finding was confirmed on unseen images." if listing.checked else "No finding.")
    if listing.shown:
        notes.append(listing.shares)
    if listing.aside:
        notes.append(f"Set aside: {listing.why_aside} (see the report).")
    smallest = result.concepts.smallest_detectable
    if not result.different and smallest < 1:
        seen = f"a latent firing in {percent(smallest)} of one set, never in the other"
        notes.append(f"Would have been seen: {seen}; more, where a thing shares its latents with others.")
    if result.density:
        d = result.density
        found = "a difference" if d.different else "no difference"
        told = f"{found}, p {p_value(d.p_value)}, AUROC {unit(d.auroc)}"
        notes.append(f"Density branch: {f'did not run, fewer than {d.needed} images a side' if d.needed else told}.")
    if result.encoder.startswith("mini "):
        notes.append("Encoder mini is a demonstration; name a real one for results (encoder=ViT-L-14/openai).")
    notes += [note for note in (_health("A", result.a), _health("B", result.b)) if note]
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
    line = Text(_foreign(text, console), style=style)
    console.print(line, soft_wrap=not console.is_terminal, highlight=False)


def plain(text: str) -> Text:
    """Numbers of our own in what every terminal can print."""
    return Text(text.translate(_ASCII))


def _foreign(text: str, console: Console) -> str:
    """Text that may hold anything, without control codes and in what the terminal can print."""
    return visible(text).translate(_ASCII).encode(console.encoding, "replace").decode(console.encoding)
