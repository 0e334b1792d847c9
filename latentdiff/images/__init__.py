"""Sources of images: folders, WebDataset shards, manifests, rendered worlds."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from latentdiff.errors import LatentDiffError
from latentdiff.images.decode import ImageError, decode
from latentdiff.images.filters import FilteredSource, matches, split_filter
from latentdiff.images.folder import FolderSource
from latentdiff.images.manifest import ManifestSource, split_groups
from latentdiff.images.records import ImageRecord, ImageSource
from latentdiff.images.shards import SHARD_SUFFIXES, ShardSource, find_shards, read_members

__all__ = [
    "ImageError",
    "ImageRecord",
    "ImageSource",
    "decode",
    "matches",
    "open_source",
    "read_images",
    "split_filter",
    "split_groups",
]

_MEMBER = re.compile(r"(.+?\.(?:tar|tar\.gz|tgz))#(.+)", re.DOTALL)


def open_source(spec: str | Path | ImageSource) -> ImageSource:
    """The images that a specification names; none of them is read yet.

    Args:
        spec: a folder; shards (path, glob or brace pattern to .tar or .tar.gz); a manifest (.csv, .tsv, .parquet);
            `world:NAME?images=N&seed=S&CONCEPT=P`. Each may end in `#column=value`. A source is returned as it is.

    Raises:
        LatentDiffError: there is no such thing, or no source is made of it.
    """
    if not isinstance(spec, (str, Path)):
        return spec
    name, column, value = split_filter(str(spec))
    source = _open(name)
    return source if column is None else FilteredSource(source, column, value)


def _open(spec: str) -> ImageSource:
    if spec.startswith("world:"):
        from latentdiff.images.worlds import WorldSource

        return WorldSource(spec)
    path = Path(os.path.abspath(Path(spec).expanduser()))  # `..` is resolved: one place has one stamp
    if path.is_dir():
        return _open_folder(spec, path)
    if spec.lower().endswith(SHARD_SUFFIXES) or (not path.exists() and set(spec) & set("*?[{")):
        return ShardSource(spec, find_shards(os.path.expanduser(spec)))
    if not path.exists():
        raise LatentDiffError(f"no such file or folder: {path}")
    if path.suffix.lower() in (".csv", ".tsv", ".parquet"):
        return ManifestSource(spec, path)
    raise LatentDiffError(f"{path} is no source of images (a folder, .tar shards, or a .csv, .tsv or .parquet table)")


def _open_folder(spec: str, path: Path) -> ImageSource:
    source = FolderSource(spec, path)
    if next(iter(source), None) is None:
        shards = tuple(sorted(p for p in path.iterdir() if p.name.lower().endswith(SHARD_SUFFIXES)))
        if not shards:
            card = next(path.rglob("set.json"), None)
            hint = f"; there is an embedding set in {card.parent}: name that" if card else ""
            raise LatentDiffError(
                f"no image in the folder {path} (looked for .jpg, .png, .webp, ... and .tar shards){hint}"
            )
        return ShardSource(spec, shards)
    return source


def read_images(uris: Sequence[str]) -> dict[str, bytes]:
    """The encoded files of images, for thumbnails; those that are missing or damaged are left out.

    Args:
        uris: as the records of a source gave them. Each archive is gone through once.
    """
    found: dict[str, bytes] = {}
    members: dict[str, list[str]] = defaultdict(list)
    for uri in dict.fromkeys(uris):
        if uri.startswith("world:"):
            from latentdiff.images.worlds import read_world

            found[uri] = read_world(uri)
        elif Path(uri).is_file():
            found[uri] = Path(uri).read_bytes()
        elif match := _MEMBER.fullmatch(uri):
            members[match[1]].append(match[2])
    for shard, names in members.items():
        found |= {f"{shard}#{name}": data for name, data in read_members(Path(shard), names).items()}
    return {uri: found[uri] for uri in uris if uri in found}
