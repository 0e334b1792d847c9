"""From the bytes of an image file to an upright RGB image."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageOps

from latentdiff.errors import LatentDiffError


class ImageError(LatentDiffError):
    """An image that cannot be decoded, with the reason."""


def decode(data: bytes) -> Image.Image:
    """Decode an image file.

    Args:
        data: the encoded file (jpg, png, webp, ...).

    Returns:
        RGB, turned as its EXIF orientation says; the first frame where there are several. Grey levels of more than
        8 bits (16-bit PNG or TIFF, floats) are scaled to 8, not clipped as Pillow would.

    Raises:
        ImageError: not an image, cut off, or damaged; the message is the reason.
    """
    if not data:
        raise ImageError("empty file")
    try:
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        return image if image.mode == "RGB" else _to_rgb(image)
    except Image.UnidentifiedImageError:
        raise ImageError(f"not an image that can be read (begins with {data[:8]!r})") from None
    except Exception as error:  # Pillow's readers raise whatever their format's parser stumbles over
        raise ImageError(f"damaged image: {_one_line(error)}") from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode[0] in "IF":
        image = _to_8_bits(image)
    elif image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert("RGB")


def _to_8_bits(image: Image.Image) -> Image.Image:
    levels = np.asarray(image).astype(np.float64)
    if image.mode == "F":
        low, high = float(np.nanmin(levels)), float(np.nanmax(levels))
    else:  # 10, 12, 14 and 16 bits of a scanner come in 16: the full range is the next power of two
        low, high = 0.0, float(2 ** max(8, int(levels.max()).bit_length()) - 1)
    scaled = (levels - low) * (255.0 / ((high - low) or 1.0))
    return Image.fromarray(np.nan_to_num(scaled).clip(0, 255).round().astype(np.uint8))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
