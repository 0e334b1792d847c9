from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))  # for stub_encoder, which a test also gives to another process


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[int], Path]:
    """A folder of n different images of different sizes."""

    def make(n: int, name: str = "images") -> Path:
        (tmp_path / name).mkdir(exist_ok=True)
        for number in range(n):
            pixels = np.random.default_rng(number).integers(0, 255, (5 + number % 3, 7, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number:04d}.png")
        return tmp_path / name

    return make
