"""Files that are damaged, foreign, unsafe, or not what can be read: one line each."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import sae_training
from sae_training.errors import SaeError
from sae_training.metadata import SaeMetadata
from sae_training.model import SparseAutoencoder

D, M = 4, 8


class Harmful:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("harmed"),))


def linear(**changes: torch.Tensor) -> dict[str, torch.Tensor]:
    shapes = {"encoder.weight": (M, D), "encoder.bias": (M,), "decoder.weight": (D, M), "b_dec": (D,)}
    return {**{name: torch.ones(shape) for name, shape in shapes.items()}, "threshold": torch.tensor(1.0), **changes}


def wide() -> dict[str, torch.Tensor]:
    return {"W_enc": torch.ones(D, M), "W_dec": torch.ones(M, D), "b_enc": torch.ones(M), "b_dec": torch.ones(D)}


def sparse(**changes: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"encoder.weight": torch.ones(M, D), "encoder.bias": torch.ones(M), "b_dec": torch.ones(D), **changes}


def trained(folder: Path, settings: dict, tensors: dict[str, torch.Tensor] | None = None) -> Path:
    torch.save(tensors or linear(), folder / "ae.pt")
    (folder / "config.json").write_text(json.dumps({"trainer": settings}))
    return folder


def saelens(folder: Path, settings: dict) -> Path:
    save_file(wide(), folder / "sae_weights.safetensors")
    (folder / "cfg.json").write_text(json.dumps(settings))
    return folder


def sparsify(folder: Path, settings: dict, tensors: dict[str, torch.Tensor]) -> Path:
    save_file(tensors, folder / "sae.safetensors")
    (folder / "cfg.json").write_text(json.dumps({"k": 2, **settings}))
    return folder


def truncated(folder: Path) -> Path:
    torch.save(linear(), folder / "ae.pt")
    (folder / "ae.pt").write_bytes((folder / "ae.pt").read_bytes()[:900])
    return folder


def written(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder


def saved(folder: Path, name: str, content: object) -> Path:
    torch.save(content, folder / name)
    return folder


def bare(folder: Path, name: str, tensors: dict[str, torch.Tensor]) -> Path:
    save_file(tensors, folder / name)
    return folder


MSAE = {"model": {}, "mean_center": torch.ones(D), "scaling_factor": 1.0}
OVERCOMPLETE = {"encoder.final_block.0.weight": torch.ones(M, D), "dictionary._weights": torch.ones(M, D)}
CASES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "empty": (
        lambda p: p,
        r"found: nothing\); read are .*dictionary_learning .*saelens .*sparsify .*msae .*overcomplete",
    ),
    "nowhere": (lambda p: p / "sae", "no such folder or file"),
    "several": (lambda p: saved(saved(p, "a.pth", MSAE), "b.pth", MSAE), r"several files of weights \(a.pth, b.pth\)"),
    "truncated": (truncated, r"cannot read .*ae.pt, it is damaged"),
    "no pickle at all": (lambda p: written(p, "ae.pt", b"not weights"), r"cannot read .*ae.pt"),
    "empty file": (lambda p: written(p, "ae.pt", b""), r"cannot read .*ae.pt"),
    "bad safetensors": (lambda p: written(p, "sae_weights.safetensors", b"{}" * 20), "cannot read .*safetensors"),
    "pickled module": (lambda p: saved(p, "sae.pt", torch.nn.Linear(2, 2)), r"pickled object.*state_dict\(\)"),
    "harmful pickle": (lambda p: written(p, "ae.pt", pickle.dumps(Harmful())), r"cannot read .*ae.pt"),
    "harmful module": (lambda p: saved(p, "ae.pt", {"W_enc": Harmful()}), r"could run code"),
    "one tensor": (lambda p: saved(p, "ae.pt", torch.ones(3)), "holds a Tensor, expected tensors by name"),
    "of no tool": (lambda p: saved(p, "net.pt", {"conv1": torch.ones(3)}), r"of no tool that is read .*it holds conv1"),
    "gated": (lambda p: trained(p, {"dict_class": "GatedAutoEncoder"}), "is a GatedAutoEncoder, which is not read"),
    "k too large": (lambda p: trained(p, {"dict_class": "BatchTopKSAE", "k": 9}), "k is 9, expected .* 1 to 8 latents"),
    "k no number": (lambda p: trained(p, {"dict_class": "BatchTopKSAE", "k": "4"}), "k is 4, expected a whole number"),
    "shapes": (
        lambda p: trained(p, {"dict_class": "BatchTopKSAE", "k": 2}, linear(b_dec=torch.ones(5))),
        r"b_dec should be \[4\] beside an encoder \[8, 4\], found \[5\]",
    ),
    "lacks": (
        lambda p: trained(p, {"dict_class": "BatchTopKSAE", "k": 2}, {**linear(), "threshold": None}),  # type: ignore[dict-item]
        "has no threshold",
    ),
    "no configuration": (lambda p: bare(p, "sae.safetensors", sparse()), r"cannot read .*cfg.json.*no such file"),
    "skip": (lambda p: sparsify(p, {"skip_connection": True}, sparse()), "skip connection"),
    "no decoder": (lambda p: sparsify(p, {}, sparse()), "without its decoder"),
    "groups": (
        lambda p: sparsify(p, {"activation": "groupmax", "k": 3}, sparse(W_dec=torch.ones(M, D))),
        "8 latents cannot be cut into k = 3 equal groups",
    ),
    "activation": (lambda p: sparsify(p, {"activation": "relu"}, sparse(W_dec=torch.ones(M, D))), "activation 'relu'"),
    "architecture": (lambda p: saelens(p, {"architecture": "gated"}), r"architecture 'gated'.*read are: standard"),
    "no k": (lambda p: saelens(p, {"architecture": "standard"}), "give it as k="),
    "no factor": (
        lambda p: saelens(p, {"architecture": "standard", "normalize_activations": "expected_average_only_in"}),
        "cannot read .*activation_scaler.json",
    ),
    "whitened": (
        lambda p: saelens(p, {"architecture": "standard", "normalize_activations": "covariance_whitening"}),
        "normalised by 'covariance_whitening', which is not read",
    ),
    "deep encoder": (
        lambda p: saved(p, "sae.pt", {**OVERCOMPLETE, "encoder.mlp_blocks.0.weight": torch.ones(2)}),
        "encoder that is not linear",
    ),
    "renamed": (lambda p: saved(p, "best.pth", MSAE), "keeps its settings in the file's name"),
    "soft cap": (lambda p: saved(p, "8_4_TopKReLU_2_False_False_30.0_x.pth", MSAE), "soft cap of 30.0"),
    "negative codes": (lambda p: saved(p, "8_4_TopK_2_False_False_0.0_x.pth", MSAE), "activation 'TopK', which is not"),
}


@pytest.mark.parametrize("what", sorted(CASES))
def test_foreign_files_that_cannot_be_read_are_refused_in_one_line(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make, message = CASES[what]
    (tmp_path / "files").mkdir()
    with pytest.raises(SaeError, match=message) as error:
        sae_training.load(make(tmp_path / "files"))
    assert "\n" not in str(error.value)
    assert not Path("harmed").exists()


def test_options_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    trained(tmp_path, {"dict_class": "BatchTopKSAE", "k": 2})
    with pytest.raises(SaeError, match=r"'top'; did you mean 'topk'\? \(valid: groupmax, threshold"):
        sae_training.load(tmp_path, inference="top")
    with pytest.raises(SaeError, match="k is 0"):
        sae_training.load(tmp_path, k=0)
    native = SparseAutoencoder(D, M, SaeMetadata("batch_topk", 2))
    native.save(tmp_path / "native")
    with pytest.raises(SaeError, match="leave out k"):
        sae_training.load(tmp_path / "native", k=3)


def test_the_programs_own_card_comes_before_anything_beside_it(tmp_path: Path) -> None:
    trained(tmp_path, {"dict_class": "BatchTopKSAE", "k": 2})
    native = SparseAutoencoder(D, M, SaeMetadata("batch_topk", 5))
    native.threshold.fill_(np.float32(1.5))
    native.save(tmp_path)
    assert sae_training.load(tmp_path).metadata == native.metadata
