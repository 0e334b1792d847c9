"""Rows of a csv, tsv, jsonl or Parquet file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from latentdiff.errors import LatentDiffError

Row = dict[str, Any]


def read_table(path: Path, path_column: str) -> list[Row]:
    """The rows of a table of images.

    Args:
        path: a .csv, .tsv, .jsonl or .parquet file.
        path_column: the column that names the image file; read as text whatever it looks like.

    Raises:
        LatentDiffError: the file cannot be read, or lacks that column.
    """
    try:
        rows = _read_json_lines(path) if path.suffix.lower() == ".jsonl" else _read_arrow(path, path_column)
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
        raise LatentDiffError(f"cannot read the table {path}: {' '.join(str(error).split())}") from error
    if rows and path_column not in rows[0]:
        raise LatentDiffError(f"{path} has no column '{path_column}' (it has {', '.join(rows[0])})")
    return rows


def _read_json_lines(path: Path) -> list[Row]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("a line is not a JSON object")
    return rows


def _read_arrow(path: Path, path_column: str) -> list[Row]:
    import pyarrow as pa
    from pyarrow import csv, parquet

    if path.suffix.lower() == ".parquet":
        return parquet.read_table(path).to_pylist()
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    table = csv.read_csv(
        path,
        parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=csv.ConvertOptions(column_types={path_column: pa.string()}),
    )
    return table.to_pylist()
