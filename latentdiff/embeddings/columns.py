"""Metadata of any kind as table columns: numbers, texts and lists as they are, everything else as JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

RESERVED = ("id", "uri", "hash", "width", "height", "brightness")


def metadata_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, pa.Array]:
    """Columns from the metadata of images, missing values as null.

    A name that the set itself uses gets `metadata_` in front.

    Args:
        rows: one mapping per image.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    return {
        f"metadata_{name}" if name in RESERVED else name: _column([row.get(name) for row in rows]) for name in names
    }


def concatenate(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables one after the other; a column whose kind differs between them becomes text."""
    kinds: dict[str, set[pa.DataType]] = {}
    for field in (field for table in tables for field in table.schema):
        kinds.setdefault(field.name, set()).add(field.type)
    clashing = {name for name, types in kinds.items() if not _go_together(types)}
    return pa.concat_tables([_as_text(table, clashing) for table in tables], promote_options="permissive")


def _go_together(kinds: set[pa.DataType]) -> bool:
    try:
        pa.unify_schemas([pa.schema([("column", kind)]) for kind in kinds], promote_options="permissive")
    except pa.ArrowException:
        return False
    return True


def _column(values: list[Any]) -> pa.Array:
    try:
        array = pa.array(values)
    except (pa.ArrowException, OverflowError, TypeError):
        return pa.array(_texts(values))
    return array if _is_plain(array.type) else pa.array(_texts(values))


def _is_plain(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind):
        return _is_plain(kind.value_type)
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_string, pa.types.is_null)
    return any(test(kind) for test in tests)


def _texts(values: Sequence[Any]) -> list[str | None]:
    return [None if value is None else _text(value) for value in values]


def _text(value: Any) -> str:
    if isinstance(value, (dict, list, tuple, bool, int, float)):
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value)  # text stays as it is, a date is written without quotes


def _as_text(table: pa.Table, names: set[str]) -> pa.Table:
    for name in names & set(table.column_names):
        column = pa.array(_texts(table.column(name).to_pylist()), pa.string())
        table = table.set_column(table.column_names.index(name), name, column)
    return table
