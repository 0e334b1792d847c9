"""Images small enough to travel inside the page."""

from __future__ import annotations

import base64
import io
import logging

from PIL import Image

from latentdiff.images.decode import ImageError, decode

log = logging.getLogger(__name__)

LONGEST = 128  # pixels


def data_uri(data: bytes) -> str:
    """An encoded image as a JPEG of at most 128 pixels a side in a `data:` address; "" if it cannot be read."""
    try:
        image = decode(data)
    except ImageError as error:
        log.info("no thumbnail: %s", error)
        return ""
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode("ascii")
