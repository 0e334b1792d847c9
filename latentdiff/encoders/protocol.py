"""What every encoder offers: images and texts to unit vectors in one space, and a fingerprint of that space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor


class Encoder(Protocol):
    """Image and text tower of one frozen model."""

    @property
    def name(self) -> str:
        """The model, as people call it."""

    @property
    def fingerprint(self) -> str:
        """Name, weights and preprocessing: embeddings with different fingerprints do not mix (docs/methods.md, 3)."""

    @property
    def dimension(self) -> int:
        """Width of the embeddings."""

    def preprocess(self, image: Image) -> Tensor:
        """The model's own preprocessing of an RGB image: [3, h, w] float32; called from several threads at once."""

    def encode_images(self, pixels: Tensor) -> Tensor:
        """Preprocessed images [n, 3, h, w] to embeddings [n, d]: float32, unit length, on the CPU."""

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """Texts to embeddings [n, d]: float32, unit length, on the CPU."""
