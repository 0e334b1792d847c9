"""A small space of images and words: each word a direction, images a sum of a few, all away from the texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from latentdiff.contrasts import Contrast
from latentdiff.embeddings import EmbeddingSet, from_arrays
from latentdiff.hypotheses import SIDES
from latentdiff.metadata import strata
from latentdiff.naming import NamingSettings, WordVectors, make_namer
from latentdiff.proposers import Latents, Workspace
from latentdiff.proposers.latent_statistics import LatentStatistics, LatentSums
from sae_training import SparseCodes

WIDTH = 48
WORDS = ("kite", "tie", *(f"word{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(60)))


def directions() -> np.ndarray:
    """[words, d] unit."""
    found = np.random.default_rng(7).normal(size=(len(WORDS), WIDTH))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


class WordEncoder:
    """Text vectors of the known words and of phrases made of them."""

    name = "word-space"
    fingerprint = "word-space@1"
    dimension = WIDTH

    def encode_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """[texts, d] unit."""
        known = dict(zip(WORDS, directions(), strict=True))
        away = np.ones(WIDTH, np.float32) / WIDTH**0.5
        rows = [away + sum((known[w] for w in text.split() if w in known), 0 * away) for text in texts]
        return torch.nn.functional.normalize(torch.from_numpy(np.stack(rows)), dim=1)


def images(count: int, planted: str = "", share: float = 0.0, seed: int = 0) -> EmbeddingSet:
    """`count` images of three random words each; a planted word is in a share of them."""
    draw = np.random.default_rng(seed)
    known = directions()
    rows = np.full((count, WIDTH), -1.0) / WIDTH**0.5 + draw.normal(scale=0.05, size=(count, WIDTH))
    for row in rows:
        row += known[draw.integers(2, len(WORDS), 3)].sum(0)
    if planted:
        rows[: round(share * count)] += 2 * known[WORDS.index(planted)]
    return from_arrays(rows.astype(np.float32), [f"{seed}-{i}" for i in range(count)], WordEncoder.fingerprint)


def planted(share: float = 0.33) -> tuple[EmbeddingSet, EmbeddingSet]:
    """A kite in a share of A's images, a tie in one of B's; in a third of both they are an overall shift."""
    return images(400, "kite", share, seed=1), images(300, "tie", share, seed=2)


def showing(
    words: Sequence[Sequence[str]], seed: int, moved: str = "", by: float = 0.0, **columns: Sequence[Any]
) -> EmbeddingSet:
    """Images that show given words and two random ones each; all of them may be moved towards a word.

    Args:
        words: of each image.
        seed: of all else.
        moved: a word, or "".
        by: how far.
        columns: of metadata.
    """
    draw, known = np.random.default_rng(seed), directions()
    rows = np.full((len(words), WIDTH), -1.0) / WIDTH**0.5 + draw.normal(scale=0.05, size=(len(words), WIDTH))
    for row, own in zip(rows, words, strict=True):
        row += known[draw.integers(20, len(WORDS), 2)].sum(0) + 1.5 * sum(known[WORDS.index(word)] for word in own)
    rows += by * known[WORDS.index(moved)] if moved else 0.0
    ids = [f"{seed}-{i}" for i in range(len(words))]
    return from_arrays(rows.astype(np.float32), ids, WordEncoder.fingerprint, columns or None)


def workspace(a: EmbeddingSet, b: EmbeddingSet) -> Workspace:
    """All that a proposer without latents needs to know of two sets."""
    encoder = WordEncoder()
    words = WordVectors.from_arrays(WORDS, encoder.encode_texts(WORDS).numpy(), templates=("{}",))
    return Workspace(Contrast.between(a, b), encoder, words)  # type: ignore[arg-type]


def workspace_with_latents(a: EmbeddingSet, b: EmbeddingSet, given: Sequence[str] = ()) -> Workspace:
    """All that any proposer needs to know: a latent fires where an image shows its word, nearly.

    Args:
        a: the first set.
        b: the second.
        given: columns of metadata whose strata differences are asked for in.
    """
    found = workspace(a, b)
    statistics = {side: _firings(found.contrast.sets[side], found.contrast.centre) for side in SIDES}
    latents = Latents(statistics, directions(), make_namer(directions(), found.words, NamingSettings()))
    inside = found.contrast.pooled.reorder(strata(found.contrast, given)) if given else None
    return replace(found, latents=latents, strata=inside)


def _firings(of: EmbeddingSet, centre: np.ndarray) -> LatentStatistics:
    rows = of.rows(slice(None))
    activations = np.maximum((rows - centre) @ directions().T - 0.25, 0)
    row, latent = np.nonzero(activations)
    value = torch.from_numpy(activations[row, latent].astype(np.float32))
    sums = LatentSums(len(WORDS), WIDTH)
    sums.update(SparseCodes(torch.from_numpy(row), torch.from_numpy(latent), value, of.n, len(WORDS)), rows, 0)
    return sums.compute()


def vocabulary(folder: Path) -> NamingSettings:
    """The words of the space, as settings; their list is written to a folder."""
    (folder / "words.txt").write_text("\n".join(WORDS))
    return NamingSettings(words=0, phrases=False, things=0, file=str(folder / "words.txt"), templates=("{}",))
