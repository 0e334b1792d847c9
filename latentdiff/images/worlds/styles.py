"""How a finished image may look besides in colour: grey, by night, or as a line drawing. What it shows stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from PIL import Image, ImageFilter

IN_COLOUR = "colour"
MOONLIGHT = (0.34, 0.4, 0.56)  # of red, green and blue by day: dark, and bluish
PENCIL = (0.7, 1.5)  # blur in pixels that takes the grain away, and how black lines are


def grey(pixels: np.ndarray) -> np.ndarray:
    """Without colour, [height, width, 3] uint8 to the same."""
    return _of_three(Image.fromarray(pixels).convert("L"))


def night(pixels: np.ndarray) -> np.ndarray:
    """In little light, [height, width, 3] uint8 to the same."""
    return (pixels * np.asarray(MOONLIGHT, dtype=np.float32)).astype(np.uint8)


def sketch(pixels: np.ndarray) -> np.ndarray:
    """The edges as lines on white paper, [height, width, 3] uint8 to the same."""
    blur, black = PENCIL
    smooth = Image.fromarray(pixels).convert("L").filter(ImageFilter.GaussianBlur(blur))
    edges = np.asarray(smooth.filter(ImageFilter.FIND_EDGES), dtype=np.float32)
    edges[[0, -1]] = edges[:, [0, -1]] = 0  # the filter leaves the border as it was
    return _of_three(Image.fromarray((255 - black * edges).clip(0, 255).astype(np.uint8)))


STYLES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = MappingProxyType(
    {"grey": grey, "night": night, "sketch": sketch}
)


def drawn_style(uniform: float, shares: Mapping[str, float]) -> str:
    """The style of an image, from a number in [0, 1) and the shares of the styles; what they leave is in colour."""
    for name, share in shares.items():
        if uniform < share:
            return name
        uniform -= share
    return IN_COLOUR


def _of_three(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB")).copy()
