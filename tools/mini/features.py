"""Images to the backbone's lower features, computed once; the upper stages are trained on them.

Two views an image: as `mini` will see it, and a mirrored random crop.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from itertools import islice
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

SIZE = 96
STAGES = 5  # of the backbone's seven that stay as they are; six by six cells of 112 channels come out of them


class Lower(nn.Module):
    """The stages that stay frozen."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.stages = nn.Sequential(trunk.conv_stem, trunk.bn1, trunk.blocks[:STAGES])

    def forward(self, pixels: Tensor) -> Tensor:
        """[n, 3, 96, 96] -> [n, 112, 6, 6]."""
        return self.stages(pixels)


class Upper(nn.Module):
    """The stages that are trained; batch norms keep their ImageNet statistics."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.stages = nn.Sequential(trunk.blocks[STAGES:], trunk.conv_head, trunk.bn2, trunk.global_pool)

    def forward(self, cells: Tensor) -> Tensor:
        """[n, 112, 6, 6] -> [n, 1280]."""
        return self.stages(cells)


def extract(
    trunk: nn.Module, records: Iterable[Any], batch: int = 64, seed: int = 0
) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Lower features [n, 2, 112, 6, 6] float16 and the records' metadata.

    Args:
        trunk: the timm backbone, in bfloat16 and channels_last.
        records: `ImageRecord`s; every one must be readable.
        batch: images at a time.
        seed: draws the crops.
    """
    lower, draw = Lower(trunk).eval(), np.random.default_rng(seed)
    out, metadata = [], []
    records = iter(records)
    while chunk := list(islice(records, batch)):
        images = [Image.open(io.BytesIO(r.read())).convert("RGB") for r in chunk]
        views = [[_whole(image) for image in images], [_crop(image, draw) for image in images]]
        with torch.inference_mode():
            cells = torch.stack([lower(_pixels(view)) for view in views], dim=1)
        out.append(cells.half().contiguous().numpy())
        metadata += [dict(r.metadata) for r in chunk]
    return np.concatenate(out), metadata


def _pixels(images: list[np.ndarray]) -> Tensor:
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return ((pixels.float() - 127) / 128).bfloat16().contiguous(memory_format=torch.channels_last)


def _whole(image: Image.Image) -> np.ndarray:
    """Shortest side to 96 px, bicubic, centre crop: `mini`'s own preprocessing."""
    scale = SIZE / min(image.size)
    width, height = (max(SIZE, round(side * scale)) for side in image.size)
    left, top = (width - SIZE) // 2, (height - SIZE) // 2
    return np.asarray(
        image.resize((width, height), Image.Resampling.BICUBIC).crop((left, top, left + SIZE, top + SIZE))
    )


def _crop(image: Image.Image, draw: np.random.Generator) -> np.ndarray:
    """A square of .8 to 1 of the shortest side, anywhere, mirrored."""
    side = round(min(image.size) * draw.uniform(0.8, 1))
    left, top = (int(draw.integers(0, extent - side + 1)) for extent in image.size)
    cropped = image.crop((left, top, left + side, top + side)).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    return np.asarray(cropped)[:, ::-1]
