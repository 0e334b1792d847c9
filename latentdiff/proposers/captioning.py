"""Captions of some images of a set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from latentdiff.images import decode, read_images
from latentdiff.language import Captioner

if TYPE_CHECKING:
    from latentdiff.embeddings import EmbeddingSet


def caption_rows(images: EmbeddingSet, rows: np.ndarray, captioner: Captioner) -> list[str]:
    """A caption of each image; "" where there is nothing to go by.

    Args:
        images: a set.
        rows: [k] of it.
        captioner: says what images show; where it looks at them, they are opened again.

    Returns:
        [k].
    """
    if not captioner.looks_at_images:
        return captioner.caption([None] * len(rows), images.rows(rows))
    has_uri = "uri" in images.table.column_names
    uris = images.table.column("uri").take(rows).to_pylist() if has_uri else [""] * len(rows)
    found = read_images([uri for uri in uris if uri])
    return captioner.caption([decode(found[uri]) if uri in found else None for uri in uris], images.rows(rows))
