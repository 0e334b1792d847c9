"""What a source of images is: records that know where an image lies and how to read it, and a stamp that tells
whether the content may have changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

IMAGE_SUFFIXES = frozenset(  # what Pillow reads as it comes
    [
        "avif",
        "bmp",
        "gif",
        "jfif",
        "jp2",
        "jpe",
        "jpeg",
        "jpg",
        "pbm",
        "pgm",
        "png",
        "pnm",
        "ppm",
        "tga",
        "tif",
        "tiff",
        "webp",
    ]
)


@dataclass(frozen=True)
class ImageRecord:
    """One image of a source, not yet read."""

    id: str  # unique in the source and stable: relative path, shard and member, world index
    uri: str  # where it lies: "/path/x.jpg", "/path/s.tar#key.jpg", "world:everyday?images=10&seed=1#7"
    read: Callable[[], bytes]  # the encoded file (png, jpg, webp, ...); may raise OSError
    metadata: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""  # not empty: there is nothing to read here, and this is why


class ImageSource(Protocol):
    """Images one after the other, in an order that does not change."""

    @property
    def spec(self) -> str:
        """What the user typed."""

    @property
    def count(self) -> int | None:
        """How many records there are, where that is known without reading everything."""

    def __iter__(self) -> Iterator[ImageRecord]: ...

    def stamp(self) -> str:
        """A digest that changes when the content would: of names, sizes and times of change, or of a world's recipe."""


def unreadable(id: str, uri: str, reason: str) -> ImageRecord:
    """A record that stands for something that cannot be read, so that it is counted and listed."""

    def fail() -> bytes:
        raise OSError(reason)

    return ImageRecord(id, uri, fail, {}, fault=reason)


def is_image_name(name: str) -> bool:
    """Whether a file or archive member is taken for an image: by its suffix, hidden ones never."""
    base = name.rpartition("/")[2]
    return not base.startswith(".") and base.rpartition(".")[2].lower() in IMAGE_SUFFIXES


def stamp_of(parts: Iterable[str]) -> str:
    """A digest of texts in their order."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
    return digest.hexdigest()


def file_stamp(path: Path) -> str:
    """Name, size and time of change of a file, or that it is missing."""
    try:
        stat = path.stat()
    except OSError:
        return f"{path} missing"
    return f"{path} {stat.st_size} {stat.st_mtime_ns}"
