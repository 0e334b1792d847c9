"""Decoding image files."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from latentdiff.images import ImageError, decode


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    assert decode(encoded(Image.new(mode, (5, 3)), kind)).mode == "RGB"


def test_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    assert decode(encoded(Image.new("RGB", (8, 4)), "JPEG", exif=exif)).size == (4, 8)


@pytest.mark.parametrize("bits", [12, 16])
def test_grey_levels_beyond_eight_bits_are_scaled_not_clipped(bits: int) -> None:
    ramp = np.linspace(0, 2**bits - 1, 64).astype(np.uint16).reshape(8, 8)
    found = np.asarray(decode(encoded(Image.fromarray(ramp))))[..., 0].astype(int)
    assert np.abs(found - np.linspace(0, 255, 64).reshape(8, 8)).max() <= 1


def test_floats_span_the_whole_range() -> None:
    ramp = np.linspace(-3, 7, 64, dtype=np.float32).reshape(8, 8)
    found = np.asarray(decode(encoded(Image.fromarray(ramp), "TIFF")))[..., 0].astype(int)
    assert np.abs(found - np.linspace(0, 255, 64).reshape(8, 8)).max() <= 1


def test_only_the_first_frame_counts() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(data).getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_file_is_an_error_with_a_reason(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(ImageError, match=r"damaged image: .+|not an image"):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize(("data", "reason"), [(b"", "empty file"), (b"<html></html>", "begins with b'<html>")])
def test_what_is_no_image_says_so(data: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        decode(data)
