"""CLIP's text tower over the part of its context that the texts fill: the same vectors for a part of the work."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.func import functional_call

STEP = 16  # tokens; sums over a multiple of it add the same numbers in the same order, so that vectors keep their bits


def encode_tokens(model: Any, tokens: Tensor) -> Tensor:
    """Text vectors [n, d] of tokens [n, context], as `model.encode_text` gives them.

    Under a causal mask, what follows a text's last token cannot change what is read there.
    """
    context = _context(model, tokens)
    if context == tokens.shape[1]:
        return model.encode_text(tokens)
    shortened = {
        "model.positional_embedding": model.positional_embedding[:context],
        "model.attn_mask": model.attn_mask[:context, :context],
    }
    return functional_call(_TextTower(model), shortened, tokens[:, :context])


def _context(model: Any, tokens: Tensor) -> int:
    """Columns to keep: up to the end of the longest text; all, where later ones count."""
    from open_clip import CLIP

    whole = tokens.shape[1]
    causal = isinstance(model, CLIP) and model.attn_mask is not None and model.text_pool_type == "argmax"
    if not causal or not len(tokens):
        return whole
    longest = int(tokens.argmax(1).max()) + 1  # a text ends with the highest token
    return min(-(-longest // STEP) * STEP, whole)


class _TextTower(nn.Module):
    """`functional_call` calls a module; this one encodes text."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor) -> Tensor:
        return self.model.encode_text(tokens)
