"""Any open_clip model as an encoder: its own weights, preprocessing and tokenizer."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from latentdiff.device import find_device
from latentdiff.encoders.context import encode_tokens
from latentdiff.encoders.folding import fold_batch_norms
from latentdiff.encoders.hub import Hub, quick_hub
from latentdiff.errors import LatentDiffError

if TYPE_CHECKING:
    from PIL.Image import Image

TEXT_BATCH = 256
CPU_BATCH = 8  # images at once on a CPU: what the layers pass on then stays in its cache


class OpenClipEncoder:
    """Image and text tower of an open_clip model, frozen."""

    def __init__(
        self,
        name: str,
        model: Any,
        preprocess: Callable[[Image], Tensor],
        tokenize: Callable[[list[str]], Tensor],
        device: torch.device,
        precision: str,
    ) -> None:
        from open_clip import convert_weights_to_lp

        self.name = name
        self.fingerprint = fingerprint(name, model)
        self.preprocess = preprocess
        self._tokenize = tokenize
        self._device = device
        self._autocast = precision == "bfloat16" or (precision == "auto" and device.type == "cuda")
        self._batch = CPU_BATCH if device.type == "cpu" else sys.maxsize
        model.eval().requires_grad_(False)
        model.visual = fold_batch_norms(model.visual, _example(preprocess))
        if self._autocast:  # once, not anew for every batch
            convert_weights_to_lp(model.visual, torch.bfloat16)
        self._model = model.to(device)
        self._model.visual.to(memory_format=torch.channels_last)  # convolutions on a CPU take half the time
        self.dimension = self.encode_texts([name]).shape[1]

    @classmethod
    def load(cls, name: str, architecture: str, tag: str | None, device: str, precision: str) -> OpenClipEncoder:
        """Load weights, preprocessing and tokenizer.

        Args:
            name: what the encoder is to be called.
            architecture: open_clip's model name, which may be `hf-hub:...` or `local-dir:...`.
            tag: of the weights, or a path to them; None where the architecture names them.
            device: `cpu`, `cuda`, ..., or `auto`.
            precision: `auto`, `float32` or `bfloat16`.

        Raises:
            LatentDiffError: the model cannot be had.
        """
        place = find_device(device)
        with quick_hub(_needs_hub(architecture)) as hub:
            import open_clip

            try:
                model, preprocess = open_clip.create_model_from_pretrained(
                    architecture, tag, force_quick_gelu=_wants_quick_gelu(architecture, tag)
                )
                tokenize = open_clip.get_tokenizer(architecture)
            except Exception as error:  # open_clip, the hub and transformers raise all kinds
                raise LatentDiffError(_reason(name, architecture, tag, error, hub)) from error
        return cls(name, model, preprocess, tokenize, place, precision)

    @torch.inference_mode()
    def encode_images(self, pixels: Tensor) -> Tensor:
        """Preprocessed images [n, 3, h, w] to embeddings [n, d]: float32, unit length, on the CPU."""
        pieces = pixels.to(self._device, memory_format=torch.channels_last).split(self._batch)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._autocast):
            features = torch.cat([self._model.encode_image(piece) for piece in pieces])
        return normalize(features.float(), dim=-1).cpu()

    @torch.inference_mode()
    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """Texts to embeddings [n, d]: float32, unit length, on the CPU."""
        batches = [list(texts[i : i + TEXT_BATCH]) for i in range(0, len(texts), TEXT_BATCH)]
        if not batches:
            return torch.zeros(0, self.dimension)
        encoded = [encode_tokens(self._model, self._tokenize(batch).to(self._device)) for batch in batches]
        return normalize(torch.cat(encoded).float(), dim=-1).cpu()


def fingerprint(name: str, model: Any) -> str:
    """Name, and a hash of weights and preprocessing.

    Args:
        name: of the model.
        model: with the weights in memory; hashed as they are, so the same at every start.
    """
    digest = hashlib.blake2b(digest_size=8)
    for key, tensor in sorted(model.state_dict().items()):
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    digest.update(json.dumps(model.visual.preprocess_cfg, sort_keys=True, default=str).encode())
    return f"{name}@{digest.hexdigest()}"


def _example(preprocess: Callable[[Image], Tensor]) -> Tensor:
    """[1, 3, h, w]: some noise as the model sees it."""
    from PIL.Image import fromarray

    noise = torch.randint(256, (64, 64, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return preprocess(fromarray(noise.numpy()))[None]


def _wants_quick_gelu(architecture: str, tag: str | None) -> bool:
    """OpenAI's weights need another activation than their architecture says; open_clip only warns of it."""
    from open_clip import get_pretrained_cfg

    config: dict[str, Any] = get_pretrained_cfg(architecture, tag) if tag else {}
    return bool((config or {}).get("quick_gelu", False))


def _reason(name: str, architecture: str, tag: str | None, error: Exception, hub: Hub) -> str:
    source = architecture if tag is None else _source(architecture, tag)
    if hub.asked and not hub.reachable:
        return (
            f"cannot load encoder '{name}': no connection to huggingface.co, and {source} is not in the local cache; "
            "connect, name a folder (local-dir:PATH), or take encoder=mini, which works offline"
        )
    return f"cannot load encoder '{name}' from {source}: {_one_line(error)} (encoder=mini is bundled and works offline)"


def _source(architecture: str, tag: str) -> str:
    from open_clip import get_pretrained_cfg

    hub_name = (get_pretrained_cfg(architecture, tag) or {}).get("hf_hub", "")
    return f"hf-hub:{hub_name.rstrip('/')}" if hub_name else tag


def _needs_hub(architecture: str) -> bool:
    """A local folder is never asked for elsewhere, unless its text tower is a transformers model named by the hub."""
    if not architecture.startswith("local-dir:"):
        return True
    try:
        config = json.loads((Path(architecture.removeprefix("local-dir:")) / "open_clip_config.json").read_text())
        text_model = config["model_cfg"]["text_cfg"].get("hf_model_name", "")
        return bool(text_model) and not Path(text_model).is_dir()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
