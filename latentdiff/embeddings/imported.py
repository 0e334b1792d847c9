"""Embeddings that other programs made: clip-retrieval's folders, one `.npy` with a table, arrays in memory."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from latentdiff.embeddings.columns import concatenate
from latentdiff.embeddings.parts import is_set, open_own
from latentdiff.embeddings.store import EmbeddingSet, check_rows
from latentdiff.errors import LatentDiffError
from latentdiff.images import matches, split_filter

if TYPE_CHECKING:
    from latentdiff.encoders import Encoder

URI_COLUMNS = ("uri", "image_path", "path", "file_name", "url")  # where a table says where its images are, best first
ID_COLUMNS = ("id", "key", *URI_COLUMNS)


def open_set(path: Path | str) -> EmbeddingSet:
    """Open embeddings on disk; the vectors are memory-mapped.

    Args:
        path: a folder that `embed` wrote, a folder of clip-retrieval (`img_emb/*.npy`, `metadata/*.parquet`), or an
            .npy file, with a .parquet or .csv of the same stem where there is one. May end in `#column=value`.

    Raises:
        LatentDiffError: nothing of the kind is there, it is unfinished or damaged, or it holds rows that are not
            finite or all zero.
    """
    name, column, value = split_filter(str(path))
    embeddings = _open(Path(name).expanduser().absolute(), name)
    return embeddings if column is None else _filtered(embeddings, column, value)


def from_arrays(
    embeddings: np.ndarray,
    ids: Sequence[str] | None = None,
    encoder: Encoder | str | None = None,
    table: pa.Table | Mapping[str, Sequence[Any]] | None = None,
    source: str = "array",
) -> EmbeddingSet:
    """An embedding set from an array in memory.

    Args:
        embeddings: [n, d] floats, of any length but zero.
        ids: of the rows; their positions where there are none.
        encoder: what made them, or its fingerprint; without it they are compared with sets of any encoder.
        table: further columns, n rows; `uri` where the images lie, `hash` (uint64) of their content.
        source: what to call it.

    Raises:
        LatentDiffError: not [n, d] floats, of another length than the table, or not finite, or zero.
    """
    columns = table if isinstance(table, pa.Table) else pa.table(dict(table or {}))
    if not columns.num_columns:
        columns = _numbers(len(embeddings))
    if ids is not None:
        columns = _with_column(columns, "id", pa.array(list(map(str, ids)), pa.string()))
    fingerprint = encoder if isinstance(encoder, str) else getattr(encoder, "fingerprint", None)
    name = fingerprint.partition("@")[0] if isinstance(encoder, str) and fingerprint else getattr(encoder, "name", None)
    parts = [_check_array(np.asarray(embeddings), source)]
    return check_rows(EmbeddingSet(parts, _named(columns), None, name, fingerprint, source))


def _open(path: Path, source: str) -> EmbeddingSet:
    if is_set(path):
        return open_own(path)
    if (path / "img_emb").is_dir():
        return _open_clip_retrieval(path, source)
    if path.suffix == ".npy" and path.is_file():
        parts = [_load(path)]
        table = next((_read_table(t) for s in (".parquet", ".csv") if (t := path.with_suffix(s)).is_file()), None)
        return check_rows(EmbeddingSet(parts, _named(table or _numbers(len(parts[0]))), source=source, path=path))
    what = "is no embedding set (no set.json, no img_emb/)" if path.exists() else "does not exist"
    raise LatentDiffError(
        f"{path} {what}; embed images into it first, or name a folder of clip-retrieval or an .npy file"
    )


def _open_clip_retrieval(folder: Path, source: str) -> EmbeddingSet:
    files = sorted((folder / "img_emb").glob("*.npy"), key=_number)
    if not files:
        raise LatentDiffError(f"{folder / 'img_emb'} holds no .npy file")
    parts = [_load(file) for file in files]
    tables = sorted((folder / "metadata").glob("*.parquet"), key=_number)
    if not tables:
        return check_rows(EmbeddingSet(parts, _numbers(sum(map(len, parts))), source=source, path=folder))
    if list(map(_number, files)) != list(map(_number, tables)):
        raise LatentDiffError(
            f"{folder}: {len(files)} files in img_emb and {len(tables)} in metadata do not belong together"
        )
    read = [_read_table(table) for table in tables]
    for file, part, table in zip(files, parts, read, strict=True):
        if len(part) != table.num_rows:
            raise LatentDiffError(f"{file} has {len(part)} embeddings, but its metadata {table.num_rows} rows")
    return check_rows(EmbeddingSet(parts, _named(concatenate(read)), source=source, path=folder))


def _number(file: Path) -> tuple[int, str]:
    found = re.findall(r"\d+", file.stem)
    return (int(found[-1]), "") if found else (-1, file.stem)


def _load(file: Path) -> np.ndarray:
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise LatentDiffError(f"{file} cannot be read as an array: {error}") from error
    return _check_array(array, str(file))


def _check_array(array: np.ndarray, source: str) -> np.ndarray:
    if array.ndim != 2 or not np.issubdtype(array.dtype, np.floating) or 0 in array.shape:
        raise LatentDiffError(
            f"{source} must be [n, d] floats, n and d at least 1; it is {list(array.shape)} of {array.dtype}"
        )
    return array


def _read_table(file: Path) -> pa.Table:
    from pyarrow import csv, parquet

    try:
        return parquet.read_table(file) if file.suffix == ".parquet" else csv.read_csv(file)
    except (OSError, pa.ArrowException) as error:
        raise LatentDiffError(f"cannot read the table {file}: {' '.join(str(error).split())}") from error


def _named(table: pa.Table) -> pa.Table:
    """The table with id and uri first, both text, taken from the columns that other programs have for them."""
    for name, candidates in (("uri", URI_COLUMNS), ("id", ID_COLUMNS)):
        found = next((c for c in candidates if c in table.column_names), None)
        values = [""] * table.num_rows if found is None else table.column(found).to_pylist()
        if found is None and name == "id":
            values = list(range(table.num_rows))
        table = _with_column(table, name, pa.array(["" if v is None else str(v) for v in values], pa.string()))
    return table


def _with_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    if len(values) != table.num_rows:
        raise LatentDiffError(f"{len(values)} {name}s for {table.num_rows} embeddings")
    rest = table.drop_columns([name]) if name in table.column_names else table
    return rest.add_column(0, name, values)


def _numbers(n: int) -> pa.Table:
    return pa.table({"id": pa.array(map(str, range(n)), pa.string())})


def _filtered(embeddings: EmbeddingSet, column: str, value: str) -> EmbeddingSet:
    names = embeddings.table.column_names
    if column not in names:
        raise LatentDiffError(f"{embeddings.source} has no column '{column}' (its columns are {', '.join(names)})")
    found = [matches(entry, value) for entry in embeddings.table.column(column).to_pylist()]
    if not any(found):
        raise LatentDiffError(f"no row of {embeddings.source} has {column}={value}")
    view = embeddings.select(np.array(found))
    view.source = f"{embeddings.source}#{column}={value}"
    return view
