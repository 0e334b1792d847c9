"""Embedding sets: made from images, opened from disk, taken from arrays."""

from __future__ import annotations

from latentdiff.embeddings.embed import EmbedSettings, embed
from latentdiff.embeddings.imported import from_arrays, open_set
from latentdiff.embeddings.parts import is_set
from latentdiff.embeddings.store import (
    EmbeddingSet,
    RowsBySlice,
    blocks,
    check_encoder,
    check_same_space,
    mean_of,
    pooled_mean,
)

__all__ = [
    "EmbedSettings",
    "EmbeddingSet",
    "RowsBySlice",
    "blocks",
    "check_encoder",
    "check_same_space",
    "embed",
    "from_arrays",
    "is_set",
    "mean_of",
    "open_set",
    "pooled_mean",
]
