"""Every configuration in the repository trains and compares, with few images and steps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from latentdiff import cli

QUICK = [
    "sae.steps=3",
    "sae.expansion_factor=2",
    "sae.k=4",
    "naming.words=200",
    "naming.phrases=false",
    "naming.things=0",
    "naming.templates=['{}']",
    "density.iterations=3",
]
SETS = "world:everyday?images=120&seed={}"


def quick_run(config: str, place: Path, extra: list[str]) -> dict:
    sae, out = place / "sae", place / "report"
    cli.train_command(["--config", config, "--data", SETS.format(1), "--out", str(sae), *QUICK, *extra])
    sets = ["--a", SETS.format(2), "--b", SETS.format(3)]
    cli.compare_command(["--config", config, *sets, "--sae", str(sae), "--out", str(out), *QUICK, *extra])
    assert (out / "report.html").exists()
    return json.loads((out / "result.json").read_text())


@pytest.mark.parametrize("config", ["medical.yaml", "satellite.yaml"])
def test_the_domain_configurations_run(config: str, tmp_path: Path) -> None:
    assert quick_run(config, tmp_path, [])["encoder"]["name"].startswith("mini")


def test_the_configuration_of_a_hub_model_runs_with_a_tiny_one_of_the_same_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import open_clip
    import torch

    config = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
    }
    torch.manual_seed(0)
    model = open_clip.CLIP(**config)
    folder = tmp_path / "tiny"
    folder.mkdir()
    from safetensors.torch import save_file

    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors")
    preprocessing = {"mean": [0.5] * 3, "std": [0.3] * 3, "interpolation": "bicubic", "resize_mode": "shortest"}
    card = {"model_cfg": config, "preprocess_cfg": preprocessing}
    (folder / "open_clip_config.json").write_text(json.dumps(card))
    assert quick_run("clip.yaml", tmp_path, [f"encoder={folder}"])["encoder"]["name"].startswith("tiny")
