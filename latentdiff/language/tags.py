"""Captions without a captioning model: the words of the vocabulary that lie nearest to the image.

Words and images are centred each by their own mean: the two clouds of a CLIP-like model are offset, and without
centring a few words are near to everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

    from latentdiff.language.settings import LanguageSettings


class PhraseVectors(Protocol):
    """What is needed of a vocabulary (`naming.WordVectors`)."""

    @property
    def words(self) -> tuple[str, ...]:
        """The words and phrases."""
        ...

    @property
    def vectors(self) -> np.ndarray:
        """[words, d] centred, unit length."""
        ...


class Tags:
    """The captioner "tags": "dog, grass, ball"."""

    looks_at_images = False

    def __init__(self, words: PhraseVectors, count: int, image_mean: np.ndarray | None = None) -> None:
        self._words = words
        self._count = min(count, len(words.words))
        self._image_mean = image_mean

    def caption(self, images: Sequence[Image | None], embeddings: np.ndarray) -> list[str]:
        """The nearest words of each embedding, nearest first; the images themselves are not looked at."""
        if not len(embeddings):
            return []
        mean = embeddings.mean(0) if self._image_mean is None else self._image_mean
        likeness = (embeddings - mean) @ self._words.vectors.T  # [n, words]; a row's length does not change its order
        nearest = np.argsort(-likeness, axis=1, kind="stable")[:, : self._count]
        return [", ".join(self._words.words[i] for i in row) for row in nearest]


def load(settings: LanguageSettings, words: PhraseVectors | None, image_mean: np.ndarray | None, device: str) -> Tags:
    """The captioner (arguments: `captioners.load_captioner`).

    Raises:
        ValueError: no word vectors.
    """
    if words is None:
        raise ValueError("the captioner 'tags' needs the vocabulary's vectors")
    return Tags(words, settings.tags, image_mean)
