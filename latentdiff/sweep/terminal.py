"""The table of a sweep on a terminal; a narrow one gets the measures that decide, a wide one all."""

from __future__ import annotations

from rich import box
from rich.table import Table

from latentdiff.presentation.tables import shown
from latentdiff.presentation.terminal import ROOMY, plain
from latentdiff.sweep.tables import Outcome, short, sweep_table, taken


def terminal_table(outcome: Outcome, width: int, lines: bool) -> Table:
    """The finished points.

    Args:
        outcome: of the sweep.
        width: of the terminal, in columns.
        lines: whether to draw any.
    """
    found = sweep_table(outcome)
    narrow = {one.name for one in taken(outcome) if one.narrow}
    kept = [i for i, c in enumerate(found.columns) if c.form == "text" or width >= ROOMY or c.name in narrow]
    table = Table(box=box.SIMPLE_HEAD if lines else None, pad_edge=False, show_edge=False, header_style="")
    for i in kept:
        name = found.columns[i].name
        # settings go by their last name; headers may break, numbers may not
        table.add_column(short(name).replace("_", " ") if width < ROOMY else name, justify="right", overflow="fold")
    for row in found.rows:
        table.add_row(*(plain(shown(row[i], found.columns[i].form).value) for i in kept))
    return table
