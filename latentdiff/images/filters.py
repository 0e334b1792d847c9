"""`#column=value` behind a source: only the records whose metadata says so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from latentdiff.errors import LatentDiffError
from latentdiff.images.records import ImageRecord, ImageSource, stamp_of

_LISTED = 8  # values of a column that a message names


def split_filter(spec: str) -> tuple[str, str | None, str]:
    """Take `#column=value` off the end of what a user typed.

    Returns:
        The rest, the column (None where there is no filter), the value.
    """
    rest, mark, clause = spec.rpartition("#")
    column, equals, value = clause.partition("=")
    if not mark or not equals or not column or os.path.exists(spec):
        return spec, None, ""
    return rest, column, value


def matches(value: Any, wanted: str) -> bool:
    """Whether a metadata value is what a filter asks for; a list matches when one of its entries does."""
    if isinstance(value, (list, tuple)):
        return any(matches(entry, wanted) for entry in value)
    if isinstance(value, bool):
        return str(value).lower() == wanted.lower()
    if isinstance(value, (int, float)):  # "007" in a table is read as 7
        try:
            return float(wanted) == value
        except ValueError:
            return False
    return value is not None and str(value) == wanted


@dataclass(frozen=True)
class FilteredSource:
    """The records of a source whose metadata column has a value; what cannot be read at all stays, to be counted."""

    source: ImageSource
    column: str
    value: str

    @property
    def spec(self) -> str:
        return f"{self.source.spec}#{self.column}={self.value}"

    @property
    def count(self) -> int | None:
        return None

    def stamp(self) -> str:
        return stamp_of([self.source.stamp(), self.column, self.value])

    def __iter__(self) -> Iterator[ImageRecord]:
        found = False
        columns: dict[str, None] = {}
        values: dict[str, None] = {}
        for record in self.source:
            if record.fault:
                yield record
            elif matches(record.metadata.get(self.column), self.value):
                found = True
                yield record
            elif not found:
                columns.update(dict.fromkeys(record.metadata))
                if len(values) < _LISTED and self.column in record.metadata:
                    values[str(record.metadata[self.column])] = None
        if not found:
            raise LatentDiffError(self._miss(list(columns), list(values)))

    def _miss(self, columns: list[str], values: list[str]) -> str:
        if self.column not in columns:
            known = f"its columns are {', '.join(columns)}" if columns else "its images have no metadata"
            return f"{self.source.spec} has no column '{self.column}' ({known})"
        more = ", ..." if len(values) == _LISTED else ""
        return f"no image of {self.source.spec} has {self.column}={self.value} (there is {', '.join(values)}{more})"
