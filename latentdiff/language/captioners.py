"""Captioners behind one protocol. A new one is a file and a line in `CAPTIONERS` (docs/methods.md, 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from latentdiff.language.settings import LanguageSettings
from latentdiff.registry import choose

if TYPE_CHECKING:
    from PIL.Image import Image

    from latentdiff.language.tags import PhraseVectors


class Captioner(Protocol):
    """Says in words what images show."""

    def caption(self, images: Sequence[Image | None], embeddings: np.ndarray) -> list[str]:
        """One caption per image.

        Args:
            images: [n] RGB images; None where the image cannot be read again.
            embeddings: [n, d] their unit embeddings.

        Returns:
            [n] captions; "" where there is nothing to go by.
        """
        ...


def load_captioner(
    settings: LanguageSettings,
    words: PhraseVectors | None = None,
    image_mean: np.ndarray | None = None,
    device: str = "auto",
) -> Captioner:
    """The captioner that the settings name.

    Args:
        settings: which one, and its model.
        words: the vocabulary's vectors (`naming.WordVectors`), for "tags".
        image_mean: [d] mean embedding of both sets, for "tags"; without it, that of the images to caption.
        device: where a model runs.

    Raises:
        LatentDiffError: no such captioner, or its model cannot be loaded.
    """
    return choose("language.captioner", settings.captioner, CAPTIONERS)(settings, words, image_mean, device)


def _tags(
    settings: LanguageSettings, words: PhraseVectors | None, image_mean: np.ndarray | None, device: str
) -> Captioner:
    from latentdiff.language.tags import Tags

    if words is None:
        raise ValueError("the captioner 'tags' needs the vocabulary's vectors")
    return Tags(words, settings.tags, image_mean)


def _blip2(
    settings: LanguageSettings, words: PhraseVectors | None, image_mean: np.ndarray | None, device: str
) -> Captioner:
    from latentdiff.language.blip2 import load_blip2

    return load_blip2(settings.blip2, device)


CAPTIONERS: dict[str, Callable[..., Captioner]] = {"tags": _tags, "blip2": _blip2}
