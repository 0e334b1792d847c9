"""Encoders from open_clip, with tiny randomly initialised models of the real classes."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from latentdiff.encoders import MINI, Encoder, load_encoder
from latentdiff.errors import LatentDiffError

SaveModel = Callable[..., Path]


@pytest.fixture(scope="module")
def encoder(model_folder: Path) -> Encoder:
    return load_encoder(str(model_folder))


@pytest.fixture(scope="module")
def pixels(encoder: Encoder) -> torch.Tensor:
    generator = np.random.default_rng(0)
    images = [Image.fromarray(generator.integers(0, 255, (40, 50, 3), dtype=np.uint8)) for _ in range(33)]
    return torch.stack([encoder.preprocess(image) for image in images])


def test_images_get_the_models_own_preprocessing(encoder: Encoder) -> None:
    pixels = encoder.preprocess(Image.new("RGB", (50, 20), (255, 0, 51)))
    assert pixels.shape == (3, 32, 32)  # squashed, as the folder's configuration asks
    expected = torch.tensor([(1 - 0.5) / 0.3, (0 - 0.4) / 0.2, (0.2 - 0.3) / 0.25])
    torch.testing.assert_close(pixels[:, 5, 7], expected)


def test_the_weights_are_those_of_the_folder(model_folder: Path, encoder: Encoder, pixels: torch.Tensor) -> None:
    import open_clip
    from open_clip import create_model_from_pretrained

    model, _ = create_model_from_pretrained(f"local-dir:{model_folder}")
    with torch.no_grad():
        images = model.eval().encode_image(pixels)
        texts = model.encode_text(open_clip.get_tokenizer(f"local-dir:{model_folder}")(["a dog", "a cat"]))
    for ours, theirs in ((encoder.encode_images(pixels), images), (encoder.encode_texts(["a dog", "a cat"]), texts)):
        torch.testing.assert_close(ours, theirs / theirs.norm(dim=-1, keepdim=True), atol=1e-5, rtol=0)


def test_embeddings_are_unit_float32_and_as_wide_as_said(encoder: Encoder, pixels: torch.Tensor) -> None:
    for rows in (encoder.encode_images(pixels), encoder.encode_texts(["a photo of a dog", "", "x " * 100])):
        assert rows.dtype == torch.float32 and rows.shape[1] == encoder.dimension == 16
        torch.testing.assert_close(rows.norm(dim=1), torch.ones(len(rows)))
    assert encoder.encode_texts([]).shape == (0, 16)


@pytest.mark.parametrize("batch", [1, 7, 32])
def test_embeddings_do_not_depend_on_the_batch(encoder: Encoder, pixels: torch.Tensor, batch: int) -> None:
    rows = torch.cat([encoder.encode_images(pixels[i : i + batch]) for i in range(0, len(pixels), batch)])
    torch.testing.assert_close(rows, encoder.encode_images(pixels), atol=1e-5, rtol=0)


def test_the_fingerprint_is_that_of_the_content(
    model_folder: Path, encoder: Encoder, save_model: SaveModel, tmp_path: Path
) -> None:
    moved = shutil.copytree(model_folder, tmp_path / "elsewhere" / "tiny")
    assert load_encoder(f"local-dir:{moved}").fingerprint == encoder.fingerprint
    other_weights = save_model(tmp_path / "w" / "tiny", seed=1)
    other_pixels = save_model(tmp_path / "p" / "tiny", mean=[0.5, 0.5, 0.5])
    prints = {load_encoder(str(folder)).fingerprint for folder in (moved, other_weights, other_pixels)}
    assert len(prints) == 3 and all(p.startswith("tiny@") for p in prints)


def test_the_bundled_encoder_needs_nothing_but_the_package() -> None:
    mini = load_encoder()
    assert mini.name == "mini" and mini.fingerprint.startswith("mini@")
    assert load_encoder(str(MINI)).fingerprint == mini.fingerprint
    pixels = torch.stack([mini.preprocess(Image.new("RGB", (64, 48), colour)) for colour in ("red", "blue", "grey")])
    rows = mini.encode_images(pixels)
    assert rows.shape == (3, mini.dimension) == mini.encode_texts(["red", "blue", "grey"]).shape
    torch.testing.assert_close(torch.cat([mini.encode_images(row[None]) for row in pixels]), rows, atol=1e-5, rtol=0)


def test_a_convolutional_tower_of_timm_with_its_own_text_tower_loads(save_model: SaveModel, tmp_path: Path) -> None:
    towers = {
        "embed_dim": 8,
        "vision_cfg": {
            "timm_model_name": "test_efficientnet",
            "timm_pool": "",
            "timm_proj": "linear",
            "image_size": 32,
        },
        "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
        "custom_text": True,
    }
    encoder = load_encoder(str(save_model(tmp_path / "timm", towers=towers)))
    pixels = torch.rand(5, 3, 32, 32)
    one_by_one = torch.cat([encoder.encode_images(row[None]) for row in pixels])
    torch.testing.assert_close(one_by_one, encoder.encode_images(pixels), atol=1e-5, rtol=0)
    assert encoder.encode_texts(["a"]).shape == (1, 8)


def test_a_transformers_text_tower_loads_as_in_biomedclip(save_model: SaveModel, tmp_path: Path) -> None:
    from transformers import BertConfig, BertTokenizer

    folder, bert = tmp_path / "medical", tmp_path / "bert"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "rib", "lung", "no", "##dule"]
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(words))
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertConfig(vocab_size=len(words), **sizes).save_pretrained(bert)
    towers = {
        "embed_dim": 8,
        "vision_cfg": {"timm_model_name": "test_vit", "timm_pool": "", "timm_proj": "linear", "image_size": 32},
        "text_cfg": {
            "hf_model_name": str(bert),
            "hf_tokenizer_name": str(bert),
            "hf_proj_type": "mlp",
            "hf_pooler_type": "cls_last_hidden_state_pooler",
            "context_length": 12,
        },
    }
    encoder = load_encoder(str(save_model(folder, towers=towers, resize_mode="shortest")))
    assert encoder.encode_images(torch.rand(2, 3, 32, 32)).shape == (2, 8)
    rib, lung, nodule = encoder.encode_texts(["rib", "lung", "nodule"])
    assert min((rib - lung).abs().max(), (rib - nodule).abs().max()) > 1e-4


def test_a_checkpoint_file_may_stand_for_the_tag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save_model: SaveModel
) -> None:
    import open_clip

    folder = save_model(tmp_path / "model")
    (tmp_path / "configs").mkdir()
    towers = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
    (tmp_path / "configs" / "ViT-tiny-8.json").write_text(json.dumps(towers))
    (tmp_path / "configs" / "ViT-tiny-9.json").write_text(json.dumps({**towers, "embed_dim": 9}))
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIG_PATHS", [*open_clip.factory._MODEL_CONFIG_PATHS])
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIGS", dict(open_clip.factory._MODEL_CONFIGS))
    open_clip.add_model_config(tmp_path / "configs")
    encoder = load_encoder(f"ViT-tiny-8/{folder / 'open_clip_model.safetensors'}")
    assert encoder.dimension == 16
    with pytest.raises(LatentDiffError, match="cannot load encoder 'ViT-tiny-9/"):  # weights of another architecture
        load_encoder(f"ViT-tiny-9/{folder / 'open_clip_model.safetensors'}")


def test_openai_weights_get_the_activation_they_were_trained_with(monkeypatch: pytest.MonkeyPatch) -> None:
    import open_clip

    asked: dict[str, bool] = {}

    def create(name: str, tag: str, force_quick_gelu: bool) -> None:
        asked[f"{name}/{tag}"] = force_quick_gelu
        raise RuntimeError("far enough")

    monkeypatch.setattr(open_clip, "create_model_from_pretrained", create)
    monkeypatch.setattr("latentdiff.encoders.hub._answers", lambda url: True)
    for name in ("ViT-L-14/openai", "ViT-L-14/laion2b_s32b_b82k"):
        with pytest.raises(LatentDiffError, match="far enough"):
            load_encoder(name)
    assert asked == {"ViT-L-14/openai": True, "ViT-L-14/laion2b_s32b_b82k": False}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ViT-L14/openai", "unknown encoder 'ViT-L14/openai'; did you mean ViT-L-14"),
        ("minni", "did you mean mini"),
        ("ViT-L-14/opanai", "has no weights 'opanai'; write ViT-L-14/TAG with TAG one of openai"),
        ("ViT-L-14", "needs the name of its weights"),
        ("local-dir:/nowhere", "/nowhere: it is no folder"),
    ],
)
def test_a_name_that_is_none_says_what_is_near(name: str, message: str) -> None:
    with pytest.raises(LatentDiffError, match=message) as caught:
        load_encoder(name)
    assert "\n" not in str(caught.value)


def test_a_folder_without_weights_is_an_error_not_a_random_model(model_folder: Path, tmp_path: Path) -> None:
    shutil.copy(model_folder / "open_clip_config.json", tmp_path)
    with pytest.raises(LatentDiffError, match="cannot load encoder"):
        load_encoder(str(tmp_path))
    (tmp_path / "open_clip_model.safetensors").write_bytes(
        (model_folder / "open_clip_model.safetensors").read_bytes()[:999]
    )
    with pytest.raises(LatentDiffError, match="cannot load encoder"):
        load_encoder(str(tmp_path))


@pytest.mark.parametrize("name", ["ViT-L-14/openai", "hf-hub:microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224"])
def test_without_network_a_hub_name_fails_soon_in_one_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    start = time.monotonic()
    with pytest.raises(LatentDiffError) as caught:
        load_encoder(name)
    assert time.monotonic() - start < 20
    message = str(caught.value)
    assert "\n" not in message and "no connection to huggingface.co" in message and "encoder=mini" in message
    assert ("BiomedCLIP" in message) or ("hf-hub:timm/vit_large_patch14_clip_224.openai" in message)
    assert capfd.readouterr().err == ""
    assert constants.HF_HUB_OFFLINE is False


def test_a_local_folder_is_loaded_without_asking_anyone(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(url: str) -> bool:
        raise AssertionError("asked the network")

    monkeypatch.setattr("latentdiff.encoders.hub._answers", ask)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    load_encoder(str(model_folder))
    assert logging.getLogger().handlers == []  # open_clip's remarks would have set one up, on stderr and for good


@pytest.mark.parametrize(("key", "value"), [("precision", "float8"), ("device", "gpu"), ("device", "cuda:99")])
def test_settings_that_cannot_be_are_errors(model_folder: Path, key: str, value: str) -> None:
    with pytest.raises(LatentDiffError, match=value):
        load_encoder(str(model_folder), **{key: value})


def test_bfloat16_is_close_and_only_where_it_is_asked_for(
    model_folder: Path, encoder: Encoder, pixels: torch.Tensor
) -> None:
    exact, rough = (
        encoder.encode_images(pixels),
        load_encoder(str(model_folder), precision="bfloat16").encode_images(pixels),
    )
    difference = (exact - rough).abs().max()
    assert 1e-6 < difference < 0.05
