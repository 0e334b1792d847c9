"""A folder of images, with the metadata tables of Hugging Face's imagefolder where there are some."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from latentdiff.errors import LatentDiffError
from latentdiff.images.records import ImageRecord, file_stamp, is_image_name, stamp_of, unreadable
from latentdiff.images.tables import read_table

METADATA_NAMES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")


@dataclass(frozen=True)
class FolderSource:
    """All images below a folder, by relative path; hidden files and folders are left out.

    Each has the metadata `folder` (the folder it lies in, relative, "" at the top) and the columns of its row in
    `metadata.csv`, `.jsonl` or `.parquet`, whose `file_name` is relative to the table. A row whose file is missing
    is a record that cannot be read.
    """

    spec: str
    root: Path

    @cached_property
    def count(self) -> int:
        return sum(is_image_name(path.name) for path in _walk(self.root))

    def stamp(self) -> str:
        return stamp_of(file_stamp(p) for p in _walk(self.root) if is_image_name(p.name) or p.name in METADATA_NAMES)

    def __iter__(self) -> Iterator[ImageRecord]:
        tables = [path for path in _walk(self.root) if path.name in METADATA_NAMES]
        rows = {path: row for table in tables for path, row in _rows(table)}
        for path in _walk(self.root):
            if is_image_name(path.name):
                yield self._record(path, rows.pop(path, {}))
        for path in rows:
            if not path.exists():  # a file that is no image by its suffix is none of ours
                yield unreadable(str(path), str(path), "listed in the folder's metadata, but there is no such file")

    def _record(self, path: Path, row: dict[str, Any]) -> ImageRecord:
        relative = path.relative_to(self.root)
        folder = "" if relative.parent == Path() else relative.parent.as_posix()
        return ImageRecord(relative.as_posix(), str(path), path.read_bytes, {"folder": folder, **row})


def _rows(table: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for row in read_table(table, "file_name"):
        yield table.parent / str(row["file_name"]), {key: row[key] for key in row if key != "file_name"}


def _walk(folder: Path, above: tuple[tuple[int, int], ...] = ()) -> Iterator[Path]:
    """Files below a folder, sorted; links to folders are followed, but not in circles."""
    stat = folder.stat()
    here = (stat.st_dev, stat.st_ino)
    if here in above:
        return
    try:
        with os.scandir(folder) as entries:
            names = sorted((entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith("."))
    except OSError as error:
        raise LatentDiffError(f"cannot look into the folder {folder}: {error.strerror}") from error
    for name, is_folder in names:
        if is_folder:
            yield from _walk(folder / name, (*above, here))
        else:
            yield folder / name
