"""Atomic writes: a file is written beside the target, flushed and renamed, so that it is whole or absent."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(target: Path | str) -> Iterator[Path]:
    """A temporary path (for a file or a folder) beside `target` that takes its place when the block ends well.

    The block creates the file or folder at the path it is given. If the block raises, the temporary is removed and
    what was at `target` stays as it was.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        yield temporary
        _flush(temporary)
        if target.is_dir():
            _replace_folder(temporary, target)
        else:
            os.replace(temporary, target)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    files = [f for f in path.rglob("*") if f.is_file()] if path.is_dir() else [path]
    for file in files:
        with file.open("rb") as handle:
            os.fsync(handle.fileno())


def _replace_folder(temporary: Path, target: Path) -> None:
    """Folders cannot be renamed over each other: the old one steps aside first and goes when the new one is in."""
    aside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.old")
    os.rename(target, aside)
    try:
        os.rename(temporary, target)
    except OSError:
        os.rename(aside, target)
        raise
    shutil.rmtree(aside, ignore_errors=True)
