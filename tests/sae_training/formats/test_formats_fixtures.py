"""Checkpoints that the tools trained and wrote, with the codes they compute: same support, values to 1e-6."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sae_training

FOLDER = Path(os.environ.get("LATENTDIFF_SAE_FIXTURES", "nowhere"))
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="LATENTDIFF_SAE_FIXTURES names no folder of checkpoints")

VLM = "{0}/synth_train_activations_clip-vit-large-patch14-336_-1_post_projection_{0}/trainer_0"
BATCH, NESTED = (
    "sae_for_vlm/" + VLM.format("batch_top_k_4_x2"),
    "sae_for_vlm/" + VLM.format("matroyshka_batch_top_k_4_x2"),
)
LEARNT = "dictionary_learning/{}/trainer_0"
TOPK: dict[str, Any] = {"k": 4, "inference": "topk"}
# model, codes, options; codes lie in the model's folder or in one above it
SINGLE: list[tuple[str, str, dict[str, Any]]] = [
    (LEARNT.format("batch_top_k"), "codes.npy", {}),
    (LEARNT.format("batch_top_k") + "/checkpoints/ae_100.pt", "codes_ae_100.npy", {"threshold": 0}),
    (LEARNT.format("top_k"), "codes.npy", {}),
    (LEARNT.format("top_k"), "codes_use_threshold.npy", {"inference": "threshold"}),
    (LEARNT.format("top_k") + "/checkpoints/ae_100.pt", "codes_ae_100.npy", {}),
    (BATCH, "codes.npy", {}),
    (BATCH + "/checkpoints/ae_1000.pt", "codes_ae_1000.npy", {}),
    (NESTED, "codes.npy", {}),
    (NESTED + "/checkpoints/ae_1000.pt", "codes_ae_1000.npy", {}),
    *((f"sparsify/layers.{layer}", "codes.npy", {}) for layer in (5, 6, 7)),
    *((f"saelens/{name}", "codes.npy", {}) for name in ("batchtopk", "topk", "topk_layernorm")),
    *(
        (f"saelens/{name}/checkpoints/{step}", "codes_trainmode.npy", {})
        for name in ("topk", "topk_layernorm")
        for step in ("153856", "final_307200")
    ),
    ("overcomplete/topk", "codes.npy", TOPK),
    ("overcomplete/topk_bn_mult", "codes.npy", TOPK),
    ("overcomplete/batchtopk", "codes.npy", {"k": 4, "threshold": 1.9204}),
    ("msae/topk", "codes.npy", {}),
    ("msae/msae_rw", "codes.npy", {}),
    *((f"msae/{name}", "codes_full.npy", {"threshold": 0}) for name in ("topk", "batchtopk", "msae_rw")),
    *((f"msae/{name}", "codes_full_topk4.npy", {"inference": "topk"}) for name in ("topk", "batchtopk", "msae_rw")),
]
WHOLE_BATCH = [
    (LEARNT.format("batch_top_k"), "codes_batch_topk.npy"),
    ("saelens/batchtopk/checkpoints/153856", "codes_trainmode.npy"),
    ("saelens/batchtopk/checkpoints/final_307200", "codes_trainmode.npy"),
    ("msae/batchtopk", "codes.npy"),
]
UNCALIBRATED = [
    (LEARNT.format("batch_top_k") + "/checkpoints/ae_100.pt", {}),
    (BATCH + "/checkpoints/ae_0.pt", {}),
    (NESTED + "/checkpoints/ae_0.pt", {}),
    ("overcomplete/batchtopk", {"k": 4}),
    ("msae/batchtopk", {}),
]


def beside(model: str, name: str) -> Path | None:
    """A file in the model's folder, or the nearest one above it."""
    folders = [FOLDER / model, *(FOLDER / model).parents]
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def compared(model: str, name: str, sae: sae_training.SparseAutoencoder, codes: sae_training.SparseCodes) -> None:
    path = beside(model, name)
    assert path is not None
    expected = np.load(path)
    found = np.zeros_like(expected)
    found[codes.row, codes.latent] = codes.value
    assert np.array_equal(found > 0, expected > 0)
    worst = float(np.abs(found - expected).max())
    recon = path.with_name(name.replace("codes", "recon"))
    worst_recon = float(np.abs(sae.decode(codes).numpy() - np.load(recon)).max()) if recon.is_file() else 0.0
    print(f"{model} {name}: codes {worst:.2e}, recon {worst_recon:.2e}")
    assert max(worst, worst_recon) <= 1e-6


def inputs(model: str) -> np.ndarray:
    path = beside(model, "inputs.npy")
    assert path is not None
    return np.load(path)


@pytest.mark.parametrize(("model", "name", "options"), SINGLE)
def test_codes_and_reconstructions_are_the_tools_own(model: str, name: str, options: dict[str, Any]) -> None:
    sae = sae_training.load(FOLDER / model, **options)
    compared(model, name, sae, sae.encode(inputs(model)))


@pytest.mark.parametrize(("model", "name"), WHOLE_BATCH)
def test_codes_that_depend_on_the_batch_are_the_tools_own(model: str, name: str) -> None:
    sae = sae_training.load(FOLDER / model)
    compared(model, name, sae, sae_training.batch_topk_codes(sae, inputs(model)))


@pytest.mark.parametrize(("model", "options"), UNCALIBRATED)
def test_models_without_a_threshold_come_uncalibrated(model: str, options: dict[str, Any]) -> None:
    with pytest.raises(sae_training.SaeError, match=r"not calibrated.*sae_training\.calibrate"):
        sae_training.load(FOLDER / model, **options).encode(inputs(model))


def test_a_finished_run_and_its_export_are_one_model() -> None:
    x = inputs("saelens/batchtopk")
    run, exported = (
        sae_training.load(FOLDER / f"saelens/batchtopk{part}").encode(x) for part in ("/checkpoints/final_307200", "")
    )
    assert np.array_equal(run.latent, exported.latent)
    np.testing.assert_allclose(run.value, exported.value, atol=1e-5)


def test_a_pickled_module_is_refused() -> None:
    with pytest.raises(sae_training.SaeError, match="could run code"):
        sae_training.load(FOLDER / "overcomplete/topk/sae.pt")
