"""The page of a sweep: what was best, the table, a plot of every measure; one HTML file that opens from disk.

It keeps the rules of the report (`latentdiff.report`): nothing is loaded, style lies in the page, words are escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from latentdiff.presentation import standalone
from latentdiff.presentation.tables import Table, shown
from latentdiff.sweep.tables import Outcome, best, figures, short
from sae_training.files import replacing

HERE = Path(__file__).parent


def write_page(outcome: Outcome, tables: Sequence[Table], run: Mapping[str, Any], folder: Path) -> None:
    """Writes `sweep.html`, whole or not at all."""
    page = render(outcome, tables, run)
    with replacing(folder / "sweep.html") as temporary:
        temporary.write_text(page, encoding="utf-8")


def render(outcome: Outcome, tables: Sequence[Table], run: Mapping[str, Any]) -> str:
    """The page as text.

    Args:
        outcome: the points that are finished.
        tables: of them.
        run: command, versions, settings.
    """
    style = standalone.style("page.css", "figure.css", "benchmark.css")
    return (
        standalone.environment(HERE)
        .get_template("sweep.html.jinja")
        .render(
            outcome=outcome,
            tables=tables,
            figures=figures(outcome),
            best=[(one, result, shown(one.of(result), one.form).value) for one, result in best(outcome)],
            short=short,
            command=run.get("command", ""),
            facts=standalone.flatten(run),
            style=style,
            policy=standalone.policy(style, ""),
        )
    )
