"""The tables about pairs of styles: what the shift is called, what is found behind it, and what each pair got."""

from __future__ import annotations

from collections.abc import Sequence

from latentdiff.noisydiff.scoring.catalogue import INTERVALS
from latentdiff.noisydiff.scoring.shifts import ShiftScore, shift_summaries
from latentdiff.presentation import numbers
from latentdiff.presentation.tables import Cell, Column, Table

READABLE = 40  # pairs up to which each has a row of its own for each method


def shifts_table(scores: Sequence[ShiftScore]) -> Table:
    """Each method on each kind of pair."""
    rows: list[tuple[Cell, ...]] = [
        (
            of.method, "yes" if of.shift else "no", numbers.percent(of.share) if of.share else "nothing", of.different,
            of.told, of.named, of.found, of.found_by_word, of.false_leads, of.pairs,
        )
        for of in shift_summaries(scores)
    ]  # fmt: skip
    columns = (
        Column("method"), Column("shift"), Column("planted"), Column("different", "percent"),
        Column("tells an overall shift", "percent"), Column("names the side's style", "percent"),
        Column("a lead shows what is planted", "percent"), Column("a lead's first word names it", "percent"),
        Column("false leads a pair", "number"), Column("pairs", "number"),
    )  # fmt: skip
    note = (
        "Two styles with the same classes on both sides, or one style twice, and behind that more images of one class "
        "on one side, by their share of the side. Styles are named by the first word of the overall shift, exactly or "
        f"by a synonym; false are leads that neither show nor name the class. {INTERVALS}"
    )
    return Table("shifts", "Broad shifts", note, columns, tuple(rows))


def shift_pairs_table(scores: Sequence[ShiftScore]) -> Table:
    """What each method said of each pair, where the pairs are few enough to be read; empty where they are not."""
    few = len({one.pair for one in scores}) <= READABLE
    rows: list[tuple[Cell, ...]] = [
        (
            one.pair, one.method, one.shift or "none", " | ".join(word or numbers.NONE for word in one.called),
            one.planted or "nothing", _found(one), one.leads, one.false_leads,
        )
        for one in (sorted(scores, key=lambda one: one.pair) if few else ())
    ]  # fmt: skip
    columns = (
        Column("pair"), Column("method"), Column("shift"), Column("called, A | B"), Column("planted"),
        Column("found by a lead's"), Column("leads", "number"), Column("false leads", "number"),
    )  # fmt: skip
    note = "The first word of the overall shift on each side, and whether a lead shows or names what is planted."
    return Table("shift-pairs", "Broad shifts, pair by pair", note, columns, tuple(rows))


def _found(one: ShiftScore) -> str:
    by = [name for name, there in (("images", one.found), ("first word", one.found_by_word)) if there]
    return " and ".join(by) or ("nothing" if one.planted else numbers.NONE)
