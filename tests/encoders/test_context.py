"""Text over a part of the context against the model's own way over all of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from latentdiff.encoders import MINI
from latentdiff.encoders.context import encode_tokens

TEXTS = [
    "",
    "a dog",
    "a photo of a traffic light",
    "one two three four five six seven eight nine ten " * 2,
    "dog " * 99,
]
TOWERS: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 16, "patch_size": 16, "head_width": 16},
    "text_cfg": {"context_length": 40, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2},
}


def loaded(folder: Path) -> tuple[Any, Any]:
    import open_clip

    model, _ = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    return model.eval().requires_grad_(False), open_clip.get_tokenizer(f"local-dir:{folder}")


@pytest.mark.parametrize("change", [{}, {"custom_text": True}, {"no_causal_mask": True, "pool_type": "last"}])
def test_texts_of_any_length_get_the_models_own_vectors(
    change: dict[str, Any], save_model: Callable[..., Path], tmp_path: Path
) -> None:
    custom = {key: change[key] for key in change if key == "custom_text"}
    text = {**TOWERS["text_cfg"], **{key: change[key] for key in change if key != "custom_text"}}
    model, tokenize = loaded(save_model(tmp_path / "tiny", towers={**TOWERS, **custom, "text_cfg": text}))
    for texts in ([text] for text in TEXTS), [TEXTS], [TEXTS[:3]]:
        for some in texts:
            torch.testing.assert_close(encode_tokens(model, tokenize(some)), model.encode_text(tokenize(some)))


def test_the_bundled_encoders_vectors_keep_their_bits_and_its_context_its_length() -> None:
    model, tokenize = loaded(MINI)
    for texts in (TEXTS, TEXTS[:3] * 50, TEXTS[:1]):
        assert torch.equal(encode_tokens(model, tokenize(texts)), model.encode_text(tokenize(texts)))
    assert len(model.positional_embedding) == len(model.attn_mask) == tokenize(TEXTS).shape[1]


def test_later_tokens_are_left_out_where_no_text_reaches_them(monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenize = loaded(MINI)
    widths: list[int] = []
    real = model.encode_text
    monkeypatch.setattr(model, "encode_text", lambda tokens: widths.append(tokens.shape[1]) or real(tokens))
    encode_tokens(model, tokenize(TEXTS[:3]))
    encode_tokens(model, tokenize(TEXTS))
    assert widths == [16, 32]
