"""WebDataset shards: tar archives in which files that share a name up to its first dot belong together.

Names inside an archive are only ever compared, never used as paths. A shard that is cut off or damaged gives what can
be read, and one record that says why the rest is missing.
"""

from __future__ import annotations

import glob
import gzip
import json
import logging
import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentdiff.errors import LatentDiffError
from latentdiff.images.records import ImageRecord, file_stamp, is_image_name, stamp_of, unreadable

SHARD_SUFFIXES = (".tar", ".tar.gz", ".tgz")

_DAMAGE = (tarfile.TarError, EOFError, zlib.error, OSError, ValueError)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShardSource:
    """The images of tar archives, in the order of the archives and of their members.

    Metadata are the fields of the sample's json, its txt as `caption` and its cls as `cls`. An image's id is its
    archive's name and its own, since keys often start again in every shard.
    """

    spec: str
    shards: tuple[Path, ...]

    @property
    def count(self) -> int | None:
        return None

    def stamp(self) -> str:
        return stamp_of(map(file_stamp, self.shards))

    def __iter__(self) -> Iterator[ImageRecord]:
        root = os.path.commonpath([shard.parent for shard in self.shards])
        for shard in self.shards:
            name = os.path.relpath(shard, root)
            try:
                for sample in _samples(shard):
                    yield from _records(sample, shard, name)
            except _DAMAGE as error:
                reason = f"the archive cannot be read from here on: {' '.join(str(error).split())}"
                yield unreadable(f"{name}#", str(shard), reason)


def find_shards(pattern: str) -> tuple[Path, ...]:
    """The archives that a path, a glob pattern or a brace pattern (`s-{000..009}.tar`) names, in its order.

    Raises:
        LatentDiffError: one that is named is missing, or none is an archive.
    """
    from webdataset.shardlists import expand_urls

    try:
        names = [pattern] if os.path.exists(pattern) else expand_urls(pattern)
    except ValueError as error:
        raise LatentDiffError(f"'{pattern}' is no brace pattern: {error} (as in shard-{{000..009}}.tar)") from error
    found: list[str] = []
    for name in names:
        here = [name] if os.path.exists(name) else sorted(glob.glob(name, recursive=True))
        if not here:
            raise LatentDiffError(f"no such shard: {name}" + ("" if name == pattern else f" (named by {pattern})"))
        found.extend(here)
    kept = (os.path.abspath(name) for name in found if name.lower().endswith(SHARD_SUFFIXES))  # one place has one stamp
    shards = tuple(map(Path, dict.fromkeys(kept)))
    if not shards:
        raise LatentDiffError(f"{pattern} names no .tar or .tar.gz, but {found[0]}; images as such go by their folder")
    return shards


def read_members(shard: Path, names: Iterable[str]) -> dict[str, bytes]:
    """The members of an archive that have these names; what is missing or damaged is left out."""
    wanted, found = set(names), {}
    try:
        with _open(shard) as archive:
            for member in archive:
                if member.name in wanted and (file := archive.extractfile(member)):
                    found[member.name] = file.read()
                    if len(found) == len(wanted):
                        break
    except _DAMAGE as error:
        log.warning("%s: %s", shard, error)
    return found


class _StrictTarInfo(tarfile.TarInfo):
    """`tarfile` ends quietly at a header that is damaged or missing; here nothing but the end mark ends an archive."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> tarfile.TarInfo:  # type: ignore[override]
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"{error}, without an end mark") from error


@contextmanager
def _open(shard: Path) -> Iterator[tarfile.TarFile]:
    with ExitStack() as closing:
        file = closing.enter_context(shard.open("rb"))
        zipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        stream = closing.enter_context(gzip.GzipFile(fileobj=file)) if zipped else file
        yield closing.enter_context(tarfile.open(fileobj=stream, mode="r:", tarinfo=_StrictTarInfo))


def _samples(shard: Path) -> Iterator[dict[str, bytes]]:
    """The files that belong together, as name -> content; what was read before a fault comes before its exception."""
    from webdataset.tariterators import base_plus_ext

    current, sample = None, dict[str, bytes]()
    try:
        with _open(shard) as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined]  # or it keeps a header for every file it has seen
                key, _ = base_plus_ext(member.name)
                if key is None or not member.isfile() or (file := archive.extractfile(member)) is None:
                    continue
                if key != current and sample:
                    yield sample
                    sample = {}
                current = key
                sample[member.name] = file.read()
    except _DAMAGE:
        yield sample
        raise
    yield sample


def _records(sample: dict[str, bytes], shard: Path, shard_name: str) -> Iterator[ImageRecord]:
    images = [name for name in sample if is_image_name(name)]
    metadata = _metadata(sample, shard) if images else {}
    for name in images:
        yield ImageRecord(f"{shard_name}#{name}", f"{shard}#{name}", _reader(sample[name]), metadata)


def _reader(data: bytes) -> Any:
    return lambda: data


def _metadata(sample: dict[str, bytes], shard: Path) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    for name, data in sample.items():
        suffix = name.rpartition(".")[2].lower()
        if suffix in ("txt", "cls"):
            metadata["caption" if suffix == "txt" else "cls"] = data.decode("utf-8", "replace").strip()
        elif suffix == "json":
            metadata.update(_json_fields(data, f"{shard}#{name}"))
    return metadata


def _json_fields(data: bytes, uri: str) -> dict[str, Any]:
    try:
        fields = json.loads(data)
    except ValueError as error:
        log.warning("%s: no metadata, since this is not JSON (%s)", uri, error)
        return {}
    return fields if isinstance(fields, dict) else {"json": fields}
