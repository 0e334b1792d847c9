"""Captions by BLIP-2 (Li et al. 2023), the paper's captioner, through transformers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from latentdiff.device import find_device
from latentdiff.errors import LatentDiffError

if TYPE_CHECKING:
    from PIL.Image import Image

    from latentdiff.language.settings import LanguageSettings
    from latentdiff.language.tags import PhraseVectors

_BATCH = 4  # images captioned at once
_TOKENS = 30  # longest caption


class Blip2:
    """The captioner "blip2"."""

    looks_at_images = True

    def __init__(self, model: Any, processor: Any) -> None:
        self._model = model
        self._processor = processor

    def caption(self, images: Sequence[Image | None], embeddings: np.ndarray) -> list[str]:
        """One sentence per image, by greedy decoding; the embeddings are not looked at."""
        captions = [""] * len(images)
        there = [(i, image) for i, image in enumerate(images) if image is not None]
        for start in range(0, len(there), _BATCH):
            batch = there[start : start + _BATCH]
            for (i, _), text in zip(batch, self._generate([image for _, image in batch]), strict=True):
                captions[i] = " ".join(text.split())
        return captions

    def _generate(self, images: list[Image]) -> list[str]:
        import torch

        inputs = self._processor(images=images, return_tensors="pt").to(self._model.device, self._model.dtype)
        with torch.inference_mode():
            tokens = self._model.generate(**inputs, max_new_tokens=_TOKENS, do_sample=False)
        return self._processor.batch_decode(tokens, skip_special_tokens=True)


def load(settings: LanguageSettings, words: PhraseVectors | None, image_mean: np.ndarray | None, device: str) -> Blip2:
    """The captioner (arguments and errors: `captioners.load_captioner`)."""
    return load_blip2(settings.blip2, device)


@lru_cache(maxsize=1)
def load_blip2(model: str, device: str = "auto") -> Blip2:
    """BLIP-2 by its name at Hugging Face, or from a folder; the last one stays loaded, for the next comparison.

    Raises:
        LatentDiffError: it is nowhere to be had, or damaged, or there is no such device.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import Blip2ForConditionalGeneration, Blip2Processor

    place = find_device(device)
    try:
        processor = Blip2Processor.from_pretrained(model)
        dtype = torch.float32 if place.type == "cpu" else torch.float16
        network = Blip2ForConditionalGeneration.from_pretrained(model, dtype=dtype, use_safetensors=True)
    except (OSError, ValueError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise LatentDiffError(
            f"the captioner blip2 cannot load '{model}': tried a folder of that name, the local Hugging Face cache and "
            f"huggingface.co ({reason}); language.captioner=tags works offline"
        ) from None
    return Blip2(network.eval().to(place), processor)
