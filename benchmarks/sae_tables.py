"""What `benchmarks.sae` prints: tables with a row for each tool, and bars with what was reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.sae_peers import PEERS


def show(title: str, rows: Mapping[str, Mapping[str, float | None]]) -> None:
    """A table, and which of the other tools are not in it.

    Args:
        title: above it.
        rows: by tool: figures by column, None where there is none.
    """
    columns = list(next(iter(rows.values())))
    print(f"  {title}\n  {'':<34}" + "".join(f"{column:>18}" for column in columns))
    for name, figures in rows.items():
        print(f"  {name:<34}" + "".join(f"{_number(figures[column]):>18}" for column in columns), flush=True)
    for name, peer in PEERS.items():
        if not peer.installed:
            print(f"  {name:<34}{'not installed':>18}")


def bar(text: str, value: float | None, limit: float, at_most: bool = True) -> dict[str, Any]:
    """Prints one bar and returns it for the record.

    Args:
        text: what is measured.
        value: what was reached; None: not measured.
        limit: what is asked for.
        at_most: whether less is better.
    """
    met = None if value is None else (value <= limit if at_most else value >= limit)
    outcome = "not measured" if met is None else "met" if met else "missed"
    print(f"  {text:<52}{_number(value):>10}  {'at most' if at_most else 'at least'} {limit:g}: {outcome}", flush=True)
    return {"bar": text, "value": value, "limit": limit, "at_most": at_most, "met": met}


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
