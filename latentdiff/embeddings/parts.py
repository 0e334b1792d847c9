"""An embedding set on disk: `set.json`, `part-00000.npy` with `part-00000.parquet`, and `skipped.parquet`.

A part is there when its Parquet file is: it is the last to get its name. Its footer says how many records of the
source had been gone through by its end and which of them were skipped, so that work resumes after it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from latentdiff.embeddings.columns import concatenate
from latentdiff.embeddings.store import EmbeddingSet
from latentdiff.errors import LatentDiffError
from sae_training.files import replacing

FORMAT_VERSION = 1
SET, SKIPPED = "set.json", "skipped.parquet"

Skip = tuple[str, str]  # uri, reason


@dataclass(frozen=True)
class SetInfo:
    """What `set.json` says."""

    encoder: str | None
    fingerprint: str | None
    d: int
    dtype: str
    source: str  # as the user put it
    stamp: str  # of the source; the same stamp and fingerprint mean the same embeddings
    rows: int = 0
    skipped: int = 0
    complete: bool = False
    format_version: int = FORMAT_VERSION


@dataclass(frozen=True)
class Part:
    """A stretch of the source: embeddings with their table, and what was skipped on the way."""

    embeddings: np.ndarray  # [rows, d]
    table: pa.Table
    skipped: tuple[Skip, ...]
    consumed: int  # records of the source that were gone through by the end of this part, from the start


def is_set(path: Path | str) -> bool:
    """Whether a folder is an embedding set of our own, finished or not."""
    return (Path(path) / SET).is_file()


def read_info(folder: Path) -> SetInfo:
    """What a set says of itself.

    Raises:
        LatentDiffError: `set.json` is missing, damaged, or of a later version.
    """
    try:
        fields = json.loads((folder / SET).read_text())
        version = fields["format_version"]
        if version > FORMAT_VERSION:
            raise LatentDiffError(
                f"{folder} is an embedding set of format {version}; this program reads up to {FORMAT_VERSION}"
            )
        return SetInfo(**fields)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LatentDiffError(f"{folder / SET} cannot be read ({error}); embed again into another folder") from error


def write_info(folder: Path, info: SetInfo) -> None:
    """Write `set.json`."""
    with _writing(folder / SET) as temporary:
        temporary.write_text(json.dumps(asdict(info), indent=1) + "\n")


def write_part(folder: Path, number: int, part: Part) -> None:
    """Write one part: embeddings first, its table last."""
    footer = {"consumed": part.consumed, "skipped": part.skipped}
    table = part.table.replace_schema_metadata({"latentdiff": json.dumps(footer)})
    with _writing(_file(folder, number, "npy")) as temporary, temporary.open("wb") as file:
        np.save(file, part.embeddings)
    with _writing(_file(folder, number, "parquet")) as temporary:
        parquet.write_table(table, temporary)


def write_skipped(folder: Path, skipped: list[Skip]) -> None:
    """Write `skipped.parquet`."""
    with _writing(folder / SKIPPED) as temporary:
        parquet.write_table(skips_table(skipped), temporary)


def skips_table(skipped: list[Skip]) -> pa.Table:
    """uri and reason of every image that was skipped."""
    columns = list(zip(*skipped, strict=True)) or [(), ()]
    return pa.table({"uri": pa.array(columns[0], pa.string()), "reason": pa.array(columns[1], pa.string())})


def read_parts(folder: Path) -> list[Part]:
    """The finished parts, in order, their embeddings memory-mapped.

    Raises:
        LatentDiffError: a part is damaged.
    """
    parts: list[Part] = []
    while _file(folder, len(parts), "parquet").is_file():
        parts.append(_read_part(folder, len(parts)))
    return parts


def open_own(folder: Path) -> EmbeddingSet:
    """A finished set on disk.

    Raises:
        LatentDiffError: unfinished or damaged.
    """
    info = read_info(folder)
    if not info.complete:
        raise LatentDiffError(f"{folder} is unfinished; embed {info.source} into it again to go on where it stopped")
    parts = read_parts(folder)
    if sum(len(part.embeddings) for part in parts) != info.rows:
        raise LatentDiffError(f"{folder} lacks parts ({info.rows} rows expected); embed {info.source} again")
    return assemble(parts, info, folder)


def assemble(parts: list[Part], info: SetInfo, path: Path | None) -> EmbeddingSet:
    """The set that parts make."""
    return EmbeddingSet(
        [part.embeddings for part in parts],
        concatenate([part.table for part in parts]),
        skips_table([skip for part in parts for skip in part.skipped]),
        info.encoder,
        info.fingerprint,
        info.source,
        path,
    )


def sweep(folder: Path) -> None:
    """Remove what a killed process was in the middle of writing."""
    for pattern in (".part-*.tmp", f".{SET}.*.tmp", f".{SKIPPED}.*.tmp"):
        for file in folder.glob(pattern):
            file.unlink(missing_ok=True)


def clear(folder: Path) -> None:
    """Remove an earlier set, its description first: without it the rest counts for nothing."""
    for pattern in (SET, "part-?????.parquet", "part-?????.npy", SKIPPED):
        for file in folder.glob(pattern):
            file.unlink(missing_ok=True)


@contextmanager
def _writing(file: Path) -> Iterator[Path]:
    try:
        with replacing(file) as temporary:
            yield temporary
    except OSError as error:
        raise LatentDiffError(f"cannot write {file}: {error.strerror or error}") from error


def _read_part(folder: Path, number: int) -> Part:
    file = _file(folder, number, "npy")
    try:
        table = parquet.read_table(_file(folder, number, "parquet"))
        footer: dict[str, Any] = json.loads(table.schema.metadata[b"latentdiff"])
        embeddings = np.load(file, mmap_mode="r")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LatentDiffError(f"{file} or its table is damaged ({error}); delete both and embed again") from error
    if len(embeddings) != table.num_rows:
        raise LatentDiffError(
            f"{file} has {len(embeddings)} rows, its table {table.num_rows}; delete both and embed again"
        )
    skipped = tuple((uri, reason) for uri, reason in footer["skipped"])
    return Part(embeddings, table.replace_schema_metadata(None), skipped, footer["consumed"])


def _file(folder: Path, number: int, suffix: str) -> Path:
    return folder / f"part-{number:05d}.{suffix}"
