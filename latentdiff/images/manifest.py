"""A table that lists images: csv, tsv or Parquet with a column `path`; VisDiff's `path,group_name` holds both sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from latentdiff.errors import LatentDiffError
from latentdiff.images.records import ImageRecord, file_stamp, stamp_of
from latentdiff.images.tables import Row, read_table


@dataclass(frozen=True)
class ManifestSource:
    """The images a table lists; paths are relative to the table, the other columns are metadata.

    An image that is listed twice comes twice; its id then carries the number of its row.
    """

    spec: str
    table: Path

    @cached_property
    def rows(self) -> list[Row]:
        return read_table(self.table, "path")

    @property
    def count(self) -> int:
        return len(self.rows)

    def stamp(self) -> str:
        return stamp_of([file_stamp(self.table), *(file_stamp(self._path(row)) for row in self.rows)])

    def __iter__(self) -> Iterator[ImageRecord]:
        seen: set[str] = set()
        for number, row in enumerate(self.rows):
            name, path = str(row["path"]), self._path(row)
            id = name if name not in seen else f"{name}:{number}"
            seen.add(name)
            metadata = {key: value for key, value in row.items() if key != "path"}
            yield ImageRecord(id, str(path), path.read_bytes, metadata)

    def _path(self, row: Row) -> Path:
        return self.table.parent / str(row["path"])


def split_groups(spec: str | Path, column: str = "group_name") -> dict[str, str]:
    """The groups of a manifest, each as a source of its own: {group: spec}, in order of appearance.

    Raises:
        LatentDiffError: no such table or column.
    """
    rows = read_table(Path(spec).expanduser().absolute(), "path")
    groups: dict[str, Any] = dict.fromkeys(str(row[column]) for row in rows if row.get(column) is not None)
    if not groups:
        columns = ", ".join(rows[0]) if rows else "no rows"
        raise LatentDiffError(f"{spec} has no groups in a column '{column}' (it has {columns})")
    return {group: f"{spec}#{column}={group}" for group in groups}
