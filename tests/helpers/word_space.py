"""A small space of images and words: each word a direction, images a sum of a few, all away from the texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from latentdiff.contrasts import Contrast
from latentdiff.embeddings import EmbeddingSet, from_arrays
from latentdiff.naming import NamingSettings, WordVectors
from latentdiff.proposers import Workspace

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


def planted() -> tuple[EmbeddingSet, EmbeddingSet]:
    """A kite in a third of A's images, a tie in a third of B's."""
    return images(400, "kite", 0.33, seed=1), images(300, "tie", 0.33, seed=2)


def workspace(a: EmbeddingSet, b: EmbeddingSet) -> Workspace:
    """All that a proposer without latents needs to know of two sets."""
    encoder = WordEncoder()
    words = WordVectors.from_arrays(WORDS, encoder.encode_texts(WORDS).numpy(), templates=("{}",))
    return Workspace(Contrast.between(a, b), encoder, words)  # type: ignore[arg-type]


def vocabulary(folder: Path) -> NamingSettings:
    """The words of the space, as settings; their list is written to a folder."""
    (folder / "words.txt").write_text("\n".join(WORDS))
    return NamingSettings(words=0, phrases=False, things=0, file=str(folder / "words.txt"), templates=("{}",))
