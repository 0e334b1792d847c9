"""Captioners behind one protocol. A new one is a file and a line in `CAPTIONERS` (docs/methods.md, 6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from latentdiff.language import blip2, tags
from latentdiff.registry import choose

if TYPE_CHECKING:
    from PIL.Image import Image

    from latentdiff.language.settings import LanguageSettings


class Captioner(Protocol):
    """Says in words what images show."""

    @property
    def looks_at_images(self) -> bool:
        """Whether images must be opened for it; if not, it goes by their embeddings alone."""
        ...

    def caption(self, images: Sequence[Image | None], embeddings: np.ndarray) -> list[str]:
        """One caption per image.

        Args:
            images: [n] RGB images; None where the image cannot be read again, or need not be.
            embeddings: [n, d] their unit embeddings.

        Returns:
            [n] captions; "" where there is nothing to go by.
        """
        ...


class LoadCaptioner(Protocol):
    """Makes a captioner; heavy imports go inside."""

    def __call__(
        self,
        settings: LanguageSettings,
        words: tags.PhraseVectors | None,
        image_mean: np.ndarray | None,
        device: str,
    ) -> Captioner:
        """The captioner (arguments: `load_captioner`)."""
        ...


CAPTIONERS: dict[str, LoadCaptioner] = {"tags": tags.load, "blip2": blip2.load}


def load_captioner(
    settings: LanguageSettings,
    words: tags.PhraseVectors | None = None,
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
