"""Labelled shards as embedding sets, kept between runs: a folder of each encoder, so that no two are mixed up."""

from __future__ import annotations

from pathlib import Path

import latentdiff
from latentdiff.embeddings import EmbeddingSet
from latentdiff.encoders import Encoder
from latentdiff.errors import LatentDiffError


def embedded(data: Path, name: str, encoder: Encoder, cache: Path) -> EmbeddingSet:
    """All images of one data set.

    Args:
        data: folder with one folder of shards a data set.
        name: of the data set.
        encoder: of the embeddings.
        cache: folder where embedding sets are kept.

    Raises:
        SystemExit: there is no shard.
    """
    try:
        return latentdiff.embed(str(data / name / "*.tar*"), encoder, folder(cache, encoder.fingerprint) / name)
    except LatentDiffError as error:
        raise SystemExit(f"error: {error}") from None


def folder(cache: Path, fingerprint: str) -> Path:
    """What was made with one encoder."""
    return cache / fingerprint.replace("@", "-").replace("/", "-").replace(":", "-")
