from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from latentdiff.errors import LatentDiffError
from latentdiff.language import LanguageSettings, LlmSettings, load_captioner


def unit(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_tags_are_the_words_nearest_to_the_image_once_both_are_centred():
    generator = np.random.default_rng(0)
    vectors = unit(generator.normal(size=(20, 16)))
    words = SimpleNamespace(words=tuple(f"word{i}" for i in range(20)), vectors=vectors)
    offset = generator.normal(size=16) * 5  # where the cloud of images lies
    embeddings = np.stack([offset + 2 * vectors[3] + vectors[7], offset + vectors[11]])
    captioner = load_captioner(LanguageSettings(tags=2), words, image_mean=offset)
    assert captioner.caption([None, None], embeddings)[0] == "word3, word7"
    cosines = (embeddings[1] - offset) @ vectors.T
    expected = sorted(range(20), key=lambda i: -cosines[i])[:2]
    assert captioner.caption([None, None], embeddings)[1] == ", ".join(f"word{i}" for i in expected)
    assert captioner.caption([], embeddings[:0]) == []


@pytest.fixture(scope="module")
def tiny_blip2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BLIP-2 of the real class with random weights, as a checkpoint on disk."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        Blip2Config,
        Blip2ForConditionalGeneration,
        Blip2Processor,
        BlipImageProcessor,
        PreTrainedTokenizerFast,
    )

    vocabulary = {w: i for i, w in enumerate(["<pad>", "</s>", "<unk>", "<image>", *(f"w{i}" for i in range(28))])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>", eos_token="</s>", bos_token="</s>"
    )
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = Blip2Config(
        vision_config={**small, "image_size": 16, "patch_size": 8},
        qformer_config={**small, "encoder_hidden_size": 16, "vocab_size": 32},
        text_config={
            "model_type": "opt", "vocab_size": 32, "hidden_size": 16, "ffn_dim": 16, "num_hidden_layers": 1,
            "num_attention_heads": 2, "word_embed_proj_dim": 16, "max_position_embeddings": 64,
            # random weights repeat what they read last: were that the end of a text, captions would be empty
            "bos_token_id": 4, "eos_token_id": 1, "pad_token_id": 0,
        },
        num_query_tokens=4,
        image_token_index=3,
    )  # fmt: skip
    torch.manual_seed(0)
    model = Blip2ForConditionalGeneration(config)
    folder = tmp_path_factory.mktemp("blip2")
    model.save_pretrained(folder)
    images = BlipImageProcessor(size={"height": 16, "width": 16})
    Blip2Processor(image_processor=images, tokenizer=fast, num_query_tokens=4).save_pretrained(folder)
    return folder


def test_blip2_of_the_real_class_captions_images_and_leaves_missing_ones_empty(tiny_blip2):
    captioner = load_captioner(LanguageSettings(captioner="blip2", blip2=str(tiny_blip2)))
    generator = np.random.default_rng(0)
    images = [Image.fromarray(generator.integers(0, 255, (20, 30, 3), np.uint8)) for _ in range(5)]
    captions = captioner.caption([images[0], None, *images[1:]], np.zeros((6, 4)))
    assert len(captions) == 6
    assert captions[1] == ""
    assert all(captions[i] for i in (0, 2, 3, 4, 5))
    assert "<" not in "".join(captions)
    assert captions == captioner.caption([images[0], None, *images[1:]], np.zeros((6, 4)))


def test_a_model_that_is_nowhere_says_what_was_tried_and_what_works_offline(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(LatentDiffError) as caught:
        load_captioner(LanguageSettings(captioner="blip2", blip2="nobody/no-such-model"))
    message = str(caught.value)
    assert "nobody/no-such-model" in message
    assert "huggingface.co" in message
    assert "captioner=tags works offline" in message
    assert "\n" not in message


def test_a_checkpoint_that_is_cut_short_is_one_line(tiny_blip2, tmp_path):
    for file in tiny_blip2.iterdir():
        data = file.read_bytes()
        (tmp_path / file.name).write_bytes(data[: len(data) // 2] if file.suffix == ".safetensors" else data)
    with pytest.raises(LatentDiffError, match="cannot load") as caught:
        load_captioner(LanguageSettings(captioner="blip2", blip2=str(tmp_path)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: LanguageSettings(captioner="blip"), "did you mean 'blip2'"),
        (lambda: LanguageSettings(summariser="gpt"), "unknown language.summariser 'gpt'"),
        (lambda: LanguageSettings(tags=0), "language.tags must be at least 1; it is 0"),
        (lambda: LanguageSettings(summariser="llm"), "base_url is not set"),
        (lambda: LanguageSettings(summariser="llm", llm=LlmSettings("http://x/v1")), "model is not set"),
        (lambda: LlmSettings(base_url="localhost:80"), "must start with http"),
        (lambda: LlmSettings(timeout=0.0), "language.llm.timeout"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_before_any_work(make, says):
    with pytest.raises(LatentDiffError, match=says):
        make()
