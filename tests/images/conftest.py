from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture
def png() -> Callable[[int], bytes]:
    """A small image for a number; different numbers, different content."""

    def make(number: int) -> bytes:
        buffer = io.BytesIO()
        Image.new("RGB", (6, 4), (number % 256, 80, 200)).save(buffer, "PNG")
        return buffer.getvalue()

    return make


@pytest.fixture
def write_tar() -> Callable[[Path, Mapping[str, bytes]], Path]:
    """Write an archive of named members."""

    def write(path: Path, members: Mapping[str, bytes]) -> Path:
        with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
            for name, data in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return path

    return write
