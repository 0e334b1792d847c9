"""The columns of metadata in which two groups of images can be compared (docs/methods.md, 10).

They are the source's own, the size and brightness that embedding notes, and what follows from these: `pixels`,
`aspect` and `format`. What identifies single images or is no plain value is left out, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from latentdiff.contrasts import Contrast
from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import SIDES, Side
from latentdiff.images import split_filter
from latentdiff.images.records import IMAGE_SUFFIXES
from latentdiff.registry import choose

MOST_CATEGORIES = 50  # distinct texts of a column, above which it is free text
MOST_DISTINCT_SHARE = 0.5  # of the images that have a text, the same

_IDENTIFIERS = frozenset(f"{prefix}{name}" for prefix in ("", "metadata_") for name in ("id", "uri", "hash"))
_SAME_FORMAT = {"jpeg": "jpg", "jpe": "jpg", "jfif": "jpg", "tiff": "tif"}
_SUFFIX = r"\.(?P<suffix>[A-Za-z0-9]+)(?:\?.*)?$"


class Kind(StrEnum):
    """How the values of a column are compared."""

    NUMBER = "number"
    CATEGORY = "category"


class LeftOut(StrEnum):
    """Why a column is not compared."""

    IDENTIFIER = "it identifies single images"
    CHOSEN_BY = "the sets were chosen by it"
    NO_PLAIN_VALUES = "its values are neither numbers nor texts nor true or false"
    ONE_SIDED = "one set has no value of it"
    ONE_VALUE = "it has one value"
    FREE_TEXT = "it is free text"


@dataclass(frozen=True, eq=False)
class Column:
    """One column of both groups of a contrast.

    Attributes:
        name: of the column.
        kind: numbers or categories.
        values: [n_a + n_b], rows of A before rows of B: numbers as float64, nan where there is none; categories as
            int64 positions in `labels`.
        n_a: rows of A.
        labels: of the categories, sorted; "" stands for no value.
    """

    name: str
    kind: Kind
    values: npt.NDArray[Any]
    n_a: int
    labels: tuple[str, ...] = ()

    def of(self, side: Side) -> npt.NDArray[Any]:
        """The values of one group."""
        return self.values[: self.n_a] if side == "a" else self.values[self.n_a :]

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """[n_a + n_b] whether there is a value."""
        if self.kind is Kind.NUMBER:
            return np.isfinite(self.values)
        return np.array([label != "" for label in self.labels])[self.values]


def read_columns(contrast: Contrast) -> Iterator[Column]:
    """The columns in which the groups can be compared, by name, one after the other."""
    found = (_read(contrast, name) for name in _names(contrast))
    return (column for column in found if isinstance(column, Column))


def left_out(contrast: Contrast) -> dict[str, LeftOut]:
    """The columns that are not compared, by name, each with the reason."""
    found = {name: _read(contrast, name) for name in _names(contrast)}
    return {name: reason for name, reason in found.items() if isinstance(reason, LeftOut)}


def read_column(contrast: Contrast, name: str) -> Column:
    """One column of both groups.

    Raises:
        LatentDiffError: there is no such column, or the groups cannot be compared in it; lists those that can be.
    """
    found = _read(contrast, name) if name in _names(contrast) else None
    if isinstance(found, Column):
        return found
    others = {column.name: column for column in read_columns(contrast)}
    if found is None:
        return choose("metadata column", name, others)
    raise LatentDiffError(
        f"the metadata column '{name}' cannot be taken into account: {found} (valid: {', '.join(others) or 'none'})"
    )


def _names(contrast: Contrast) -> list[str]:
    tables = [contrast.groups[side].table for side in SIDES]
    derived = {name for name, derive in _DERIVED.items() if all(derive(table) is not None for table in tables)}
    return sorted(derived.union(*(table.column_names for table in tables)))


def _read(contrast: Contrast, name: str) -> Column | LeftOut:
    if name in _IDENTIFIERS:
        return LeftOut.IDENTIFIER
    if any(name in _filtered_by(contrast.sets[side].source) for side in SIDES):
        return LeftOut.CHOSEN_BY
    a, b = _values(contrast, name)
    kinds = {_kind(array.type) for array in (a, b)}
    if "other" in kinds:
        return LeftOut.NO_PLAIN_VALUES
    column = _numbers(name, a, b) if "number" in kinds and "text" not in kinds else _categories(name, a, b)
    known_a, known_b = (bool(column.known[rows].any()) for rows in (slice(len(a)), slice(len(a), None)))
    if known_a != known_b:
        return LeftOut.ONE_SIDED
    if _has_one_value(column):
        return LeftOut.ONE_VALUE
    return LeftOut.FREE_TEXT if "text" in kinds and _is_free_text(column) else column


def _values(contrast: Contrast, name: str) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """The values of both groups; null throughout where a table has no such column."""
    tables = [contrast.groups[side].table for side in SIDES]
    if any(name in table.column_names for table in tables):
        a, b = (t.column(name) if name in t.column_names else pa.chunked_array([pa.nulls(len(t))]) for t in tables)
    else:
        a, b = (_DERIVED[name](table) for table in tables)
    return _decoded(a), _decoded(b)


def _decoded(array: pa.ChunkedArray) -> pa.ChunkedArray:
    return array.cast(array.type.value_type) if pa.types.is_dictionary(array.type) else array


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    return "flag" if pa.types.is_boolean(kind) else "nothing" if pa.types.is_null(kind) else "other"


def _numbers(name: str, a: pa.ChunkedArray, b: pa.ChunkedArray) -> Column:
    values = np.concatenate([array.cast(pa.float64(), safe=False).to_numpy() for array in (a, b)])
    return Column(name, Kind.NUMBER, np.where(np.isfinite(values), values, np.nan), len(a))


def _categories(name: str, a: pa.ChunkedArray, b: pa.ChunkedArray) -> Column:
    chunks = [chunk for array in (a, b) for chunk in array.cast(pa.large_string()).chunks]
    texts = pc.fill_null(pa.chunked_array(chunks, pa.large_string()), "")
    labels = pc.unique(texts)
    labels = labels.take(pc.array_sort_indices(labels))
    codes = pc.index_in(texts, value_set=labels).to_numpy().astype(np.int64)
    return Column(name, Kind.CATEGORY, codes, len(a), tuple(labels.to_pylist()))


def _has_one_value(column: Column) -> bool:
    if column.kind is Kind.CATEGORY:
        return len(column.labels) < 2
    known = column.values[column.known]
    return not len(known) or bool((known == known[0]).all())


def _is_free_text(column: Column) -> bool:
    distinct = sum(label != "" for label in column.labels)
    return distinct > MOST_CATEGORIES or distinct > max(2, MOST_DISTINCT_SHARE * int(column.known.sum()))


def _filtered_by(source: str) -> set[str]:
    """The columns of `#column=value` at the end of a source."""
    rest, column, _ = split_filter(source)
    return set() if column is None else {column, *_filtered_by(rest)}


def _pixels(table: pa.Table) -> pa.ChunkedArray | None:
    size = _size(table)
    return size and pc.multiply(*size)


def _aspect(table: pa.Table) -> pa.ChunkedArray | None:
    size = _size(table)
    return size and pc.divide(*size)


def _size(table: pa.Table) -> tuple[pa.ChunkedArray, pa.ChunkedArray] | None:
    """Width and height; None where the table does not have them as numbers."""
    names = ("width", "height")
    if not all(name in table.column_names and _kind(table.schema.field(name).type) == "number" for name in names):
        return None
    width, height = (table.column(name).cast(pa.float64(), safe=False) for name in names)
    return width, height


def _format(table: pa.Table) -> pa.ChunkedArray | None:
    """What the uris end in, where it is the suffix of images; None where no uri has one."""
    if "uri" not in table.column_names or _kind(table.schema.field("uri").type) != "text":
        return None
    found = pc.utf8_lower(pc.struct_field(pc.extract_regex(table.column("uri"), _SUFFIX), "suffix"))
    suffixes = pa.array(sorted(IMAGE_SUFFIXES))
    formats = pa.array([_SAME_FORMAT.get(suffix, suffix) for suffix in suffixes.to_pylist()])
    known = formats.take(pc.index_in(found, value_set=suffixes).combine_chunks())
    return pa.chunked_array([known]) if known.null_count < len(known) else None


_DERIVED: dict[str, Callable[[pa.Table], pa.ChunkedArray | None]] = {
    "pixels": _pixels,
    "aspect": _aspect,
    "format": _format,
}
