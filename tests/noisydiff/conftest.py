"""The small space of images and words (`word_space`), as the benchmark's methods take it."""

from __future__ import annotations

from pathlib import Path

import pytest
import word_space

from latentdiff.embeddings import EmbeddingSet
from latentdiff.naming import NamingSettings
from latentdiff.noisydiff.methods.baseline import BaselineContext


@pytest.fixture
def planted() -> tuple[EmbeddingSet, EmbeddingSet]:
    """A kite in a third of A's images, a tie in a third of B's."""
    return word_space.planted()


@pytest.fixture
def context(planted: tuple[EmbeddingSet, EmbeddingSet]) -> BaselineContext:
    known = word_space.workspace(*planted)
    return BaselineContext(known.encoder, known.words, parent="person")


@pytest.fixture
def own_words(tmp_path: Path) -> NamingSettings:
    """The vocabulary of the small space, as settings."""
    return word_space.vocabulary(tmp_path)


@pytest.fixture
def word_encoder() -> word_space.WordEncoder:
    return word_space.WordEncoder()
