from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TOWERS: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
PREPROCESSING = {"mean": [0.5, 0.4, 0.3], "std": [0.3, 0.2, 0.25], "interpolation": "bilinear", "resize_mode": "squash"}


@pytest.fixture(scope="session")
def save_model() -> Callable[..., Path]:
    """Save a tiny, randomly initialised model of open_clip in its local-dir format."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    def save(folder: Path, seed: int = 0, towers: dict[str, Any] = TOWERS, **preprocessing: Any) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        config = {"model_cfg": towers, "preprocess_cfg": {**PREPROCESSING, **preprocessing}}
        (folder / "open_clip_config.json").write_text(json.dumps(config))
        torch.manual_seed(seed)
        model = open_clip.create_model(f"local-dir:{folder}", pretrained_text=False)
        state = {key: value.contiguous() for key, value in model.state_dict().items()}
        save_file(state, folder / "open_clip_model.safetensors")
        return folder

    return save


@pytest.fixture(scope="session")
def model_folder(save_model: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("models") / "tiny")
