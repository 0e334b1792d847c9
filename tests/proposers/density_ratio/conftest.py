"""Sets in a cloud of twenty clusters, as photographs of twenty subjects lie in an encoder's space."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from latentdiff.embeddings import EmbeddingSet, from_arrays


def cloud(generator: np.random.Generator, n: int, d: int) -> np.ndarray:
    centres = np.random.default_rng(99).normal(size=(20, d)) * 0.6
    spread = 1 / np.sqrt(1 + np.arange(d) / 20)
    return centres[generator.integers(20, size=n)] + generator.normal(size=(n, d)) * spread


def plant(generator: np.random.Generator, rows: np.ndarray, count: int) -> None:
    """The first `count` rows become a cluster of their own, as wide as the others."""
    d = rows.shape[1]
    rows[:count] = generator.normal(size=d) * 0.6 + generator.normal(size=(count, d)) / np.sqrt(1 + np.arange(d) / 20)


def as_set(rows: np.ndarray, hashes: np.ndarray) -> EmbeddingSet:
    return from_arrays(rows / np.linalg.norm(rows, axis=1, keepdims=True), table={"hash": hashes})


def some_hashes(generator: np.random.Generator, n: int) -> np.ndarray:
    return generator.integers(0, 2**64, size=n, dtype=np.uint64)


@pytest.fixture
def two_sets() -> Callable[..., tuple[EmbeddingSet, EmbeddingSet]]:
    def make(seed: int = 0, n: int = 300, d: int = 32, planted: float = 0.0) -> tuple[EmbeddingSet, EmbeddingSet]:
        generator = np.random.default_rng(seed)
        a, b = cloud(generator, n, d), cloud(generator, n, d)
        plant(generator, a, round(planted * n))
        return as_set(a, some_hashes(generator, n)), as_set(b, some_hashes(generator, n))

    return make


@pytest.fixture
def halves() -> Callable[..., tuple[EmbeddingSet, EmbeddingSet]]:
    """Random halves of one set; `copies` of its images occur twice in it."""

    def make(seed: int, n: int = 250, d: int = 32, copies: int = 0) -> tuple[EmbeddingSet, EmbeddingSet]:
        generator = np.random.default_rng(0)
        rows, hashes = cloud(generator, 2 * n, d), some_hashes(generator, 2 * n)
        rows[n : n + copies], hashes[n : n + copies] = rows[:copies], hashes[:copies]
        order = np.random.default_rng(seed).permutation(2 * n)
        return as_set(rows[order[:n]], hashes[order[:n]]), as_set(rows[order[n:]], hashes[order[n:]])

    return make
