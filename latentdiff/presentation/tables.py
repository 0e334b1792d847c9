"""Tables: for people in Markdown and on the page, for machines as JSON and Parquet.

A cell is text, a number, an `Estimate`, or a `Reading`, which shows its best chance beside it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from latentdiff.presentation import numbers
from latentdiff.statistics.estimates import Estimate, Reading
from sae_training.files import replacing

Cell = str | int | float | Estimate | Reading | None

FORMS: Mapping[str, Callable[[float | None], str]] = {
    "percent": numbers.percent,
    "points": numbers.points,
    "unit": numbers.unit,
    "p": lambda p: numbers.p_value(p).removeprefix("= "),
    "number": numbers.number,
    "seconds": lambda s: numbers.NONE if s is None else numbers.duration(s),
}


@dataclass(frozen=True)
class Column:
    """What stands in a column, and how it is written."""

    name: str
    form: str = "text"  # or one of FORMS


@dataclass(frozen=True)
class Table:
    """A table with the sentence that says how to read it."""

    name: str  # of its file
    title: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Shown:
    """A cell as text."""

    value: str
    interval: str = ""  # "55 to 69"
    chance: str = ""


def shown(cell: Cell, form: str) -> Shown:
    """A cell as people read it; what is missing or not finite is a dash."""
    if isinstance(cell, Reading):
        chance = "" if cell.best_chance is None else FORMS[form](cell.best_chance)
        about = shown(cell.estimate, form)
        return Shown(about.value, about.interval, chance)
    if isinstance(cell, Estimate):
        ends = [FORMS[form](end) for end in (cell.interval.low, cell.interval.high)]
        return Shown(FORMS[form](cell.value), "" if math.isnan(cell.value) else " to ".join(ends))
    if cell is None:
        return Shown(numbers.NONE)
    return Shown(cell if isinstance(cell, str) else FORMS[form](cell) if form in FORMS else str(cell))


def to_markdown(tables: Sequence[Table], title: str) -> str:
    """All tables as one Markdown text."""
    return "\n\n".join([f"# {_escaped(title)}", *map(_markdown, tables)]) + "\n"


def to_rows(table: Table) -> list[dict[str, Any]]:
    """The table flat: beside an estimate stand `... low`, `... high`, `... pairs`, beside a reading also its chance."""
    return [
        {
            key: value
            for column, cell in zip(table.columns, row, strict=True)
            for key, value in _flat(column.name, cell).items()
        }
        for row in table.rows
    ]


def write_tables(tables: Sequence[Table], folder: Path, title: str = "Tables", name: str = "tables") -> None:
    """Writes `tables.md`, `tables.json`, and `NAME.parquet` for each table, each whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with replacing(folder / f"{name}.md") as temporary:
        temporary.write_text(to_markdown(tables, title), encoding="utf-8")
    content = {t.name: {"title": t.title, "note": t.note, "rows": _plain(to_rows(t))} for t in tables}
    with replacing(folder / f"{name}.json") as temporary:
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        temporary.write_text(text, encoding="utf-8")
    for table in tables:
        rows = to_rows(table)
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns = {name: _one_type([row.get(name) for row in rows]) for name in names}
        with replacing(folder / f"{table.name}.parquet") as temporary:
            pq.write_table(pa.table(columns), temporary)


def write_rows(records: Sequence[Any], file: Path) -> None:
    """Dataclasses (the scores of every side, say) as Parquet, one row each; mappings become columns of their own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [_spread(asdict(record)) for record in records]
    names = list(dict.fromkeys(name for row in rows for name in row))
    with replacing(file) as temporary:
        pq.write_table(pa.table({name: _one_type([row.get(name) for row in rows]) for name in names}), temporary)


def _markdown(table: Table) -> str:
    head = "| " + " | ".join(_escaped(column.name) for column in table.columns) + " |"
    rule = "|" + "|".join("---" if column.form == "text" else "--:" for column in table.columns) + "|"
    rows = [
        "| " + " | ".join(_cell(cell, column.form) for column, cell in zip(table.columns, row, strict=True)) + " |"
        for row in table.rows
    ]
    return "\n".join([f"## {_escaped(table.title)}", "", _escaped(table.note), "", head, rule, *rows])


def _cell(cell: Cell, form: str) -> str:
    text = shown(cell, form)
    interval = f" ({text.interval})" if text.interval else ""
    chance = f"; chance {text.chance}" if text.chance else ""
    return _escaped(f"{text.value}{interval}{chance}")


def _escaped(text: str) -> str:
    """Words from data must not end a cell or begin markup."""
    text = numbers.visible(text).replace("\\", "\\\\").replace("|", "\\|")
    return "".join("\\" + c if c in "*_`[]#" else c for c in text).replace("&", "&amp;").replace("<", "&lt;")


def _flat(name: str, cell: Cell) -> dict[str, Any]:
    if isinstance(cell, Reading):
        chance = {f"{name} chance, {method}": e.value for method, e in cell.chance.items()}
        return _flat(name, cell.estimate) | chance
    if isinstance(cell, Estimate):
        low, high = cell.interval.low, cell.interval.high
        return {name: cell.value, f"{name} low": low, f"{name} high": high, f"{name} pairs": cell.pairs}
    return {name: cell}


def _spread(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, Mapping):
            flat.update(_spread(value, f"{prefix}{key}: "))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _one_type(values: Sequence[Any]) -> list[Any]:
    """A column of mixed values is written as text."""
    kinds = {type(value) for value in values if value is not None}
    return list(values) if len(kinds - {int, float}) == 0 or len(kinds) == 1 else [_text(value) for value in values]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _plain(value: Any) -> Any:
    """Numbers that are not finite are null in JSON."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
