"""Two sets whose latents fire as dense activations say."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from latentdiff.contrasts import Contrast
from latentdiff.embeddings import EmbeddingSet, from_arrays
from latentdiff.naming import LatentName, WordVectors
from latentdiff.proposers.latent_statistics import LatentStatistics, LatentSums
from latentdiff.proposers.workspace import Latents, Workspace
from sae_training import SparseCodes


class NameByPosition:
    """Names the n-th unit direction "word n", the better the lower n; words among the images are their axes."""

    def __init__(self, latents: int) -> None:
        self.words = WordVectors.from_arrays(tuple("uvwxyz"), np.eye(6), centre=False)
        self.latents = latents

    def name(self, directions: np.ndarray) -> list[LatentName]:
        places = np.argmax(directions, axis=1).tolist()
        return [LatentName((f"word{j}", "thing"), (0.5 - j / (4 * self.latents), 0.1)) for j in places]

    def best_vectors(self, directions: np.ndarray) -> np.ndarray:
        return self.words.vectors[np.argmax(directions, axis=1) % len(self.words.vectors)]


def to_codes(dense: np.ndarray) -> SparseCodes:
    row, latent = np.nonzero(dense)
    value = dense[row, latent].astype(np.float32)
    return SparseCodes(torch.from_numpy(row), torch.from_numpy(latent), torch.from_numpy(value), *dense.shape)


def unit_rows(n: int, dimension: int = 6, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, dimension)) + 0.3
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def summed(dense: np.ndarray, embeddings: np.ndarray | None = None, cuts: Sequence[int] = ()) -> list[LatentSums]:
    """The sums of each block of rows between the cuts."""
    embeddings = unit_rows(len(dense)) if embeddings is None else embeddings
    edges = [0, *sorted(cuts), len(dense)]
    blocks = []
    for start, stop in pairwise(edges):
        sums = LatentSums(dense.shape[1], embeddings.shape[1])
        sums.update(to_codes(dense[start:stop]), embeddings[start:stop], start)
        blocks.append(sums)
    return blocks


def statistics(dense: np.ndarray, embeddings: np.ndarray | None = None) -> LatentStatistics:
    return summed(dense, embeddings)[0].compute()


def sparse_set(rng: np.random.Generator, n: int, prevalence: np.ndarray) -> np.ndarray:
    """[n, latents] activations: silent but for a share of the rows, then Gamma distributed."""
    fires = rng.random((n, len(prevalence)), dtype=np.float32) < prevalence
    dense = np.zeros(fires.shape, dtype=np.float32)
    dense[fires] = rng.gamma(2.0, 1.0, size=np.count_nonzero(fires))
    return dense


def image_set(side: str, dense: np.ndarray) -> EmbeddingSet:
    """Images that are called by their side and row; what they look like hangs on what fires."""
    content = zlib.crc32(np.ascontiguousarray(dense).tobytes())
    return from_arrays(unit_rows(len(dense), seed=content), [f"{side}{row}" for row in range(len(dense))])


def contrast(a: np.ndarray, b: np.ndarray) -> Contrast:
    return Contrast.between(image_set("a", a), image_set("b", b))


def latents(a: np.ndarray, b: np.ndarray, decoder: np.ndarray | None = None, namer: object = None) -> Latents:
    """The firings of two dense sets; decoder rows are orthogonal where none are given."""
    count = a.shape[1]
    return Latents(
        {"a": statistics(a), "b": statistics(b)},
        np.eye(count) if decoder is None else decoder,
        NameByPosition(count) if namer is None else namer,  # type: ignore[arg-type]
    )


def workspace(a: np.ndarray, b: np.ndarray, **options: Any) -> Workspace:
    """All that the proposer of latents needs to know of two dense sets."""
    return Workspace(contrast(a, b), None, None, latents(a, b), **options)  # type: ignore[arg-type]


class Make(NamedTuple):
    """The functions above, for tests that take them as a fixture."""

    statistics: Callable[..., LatentStatistics] = statistics
    summed: Callable[..., list[LatentSums]] = summed
    codes: Callable[..., SparseCodes] = to_codes
    unit_rows: Callable[..., np.ndarray] = unit_rows
    sparse_set: Callable[..., np.ndarray] = sparse_set
    contrast: Callable[..., Contrast] = contrast
    latents: Callable[..., Latents] = latents
    workspace: Callable[..., Workspace] = workspace
    namer: type[NameByPosition] = NameByPosition


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()
