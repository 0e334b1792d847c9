"""What is written for other tools against their formulas, and read again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import sae_training
from sae_training.errors import SaeError
from sae_training.metadata import SaeMetadata
from sae_training.model import SparseAutoencoder

D, M, K, SCALE = 6, 24, 3, 0.25


def model(inference: str = "threshold", **more: object) -> SparseAutoencoder:
    g = torch.Generator().manual_seed(0)
    sae = SparseAutoencoder(D, M, SaeMetadata("batch_topk", K, "enc@1", inference=inference, **more))  # type: ignore[arg-type]
    for tensor in sae.state_dict().values():
        tensor.copy_(torch.randn(tensor.shape, generator=g))
    sae.scale.fill_(SCALE)
    sae.threshold.fill_(1.5)
    return sae.eval().requires_grad_(False)


def rows() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((50, D)).astype(np.float32)


def dense(codes: sae_training.SparseCodes) -> np.ndarray:
    z = np.zeros((codes.rows, codes.latents))
    z[codes.row, codes.latent] = codes.value
    return z


VARIANTS = {
    "plain": model,
    "topk": lambda: model("topk"),
    "uncentred": lambda: model(centred=False),
    "gain": lambda: changed(model(), "gain", torch.linspace(0.5, 2, M)),
}


def changed(sae: SparseAutoencoder, name: str, value: torch.Tensor) -> SparseAutoencoder:
    setattr(sae, name, value)
    return sae


@pytest.mark.parametrize("form", ["dictionary_learning", "saelens"])
@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_an_exported_model_reads_back_with_codes_in_the_units_of_the_rows(
    form: str, variant: str, tmp_path: Path
) -> None:
    sae = VARIANTS[variant]()
    sae_training.export(sae, tmp_path / "out", form)
    again = sae_training.load(tmp_path / "out")
    ours, theirs = sae.encode(rows()), again.encode(rows())
    assert len(ours.value) > 50 and torch.equal(ours.latent, theirs.latent)
    np.testing.assert_allclose(theirs.value, ours.value * SCALE, atol=1e-5)
    np.testing.assert_allclose(again.decode(theirs), sae.decode(ours), atol=1e-5)
    assert (again.k, again.d_in, again.num_latents) == (K, D, M)


def test_dictionary_learnings_formula_on_the_exported_tensors_gives_our_codes(tmp_path: Path) -> None:
    sae = model()
    sae_training.export(sae, tmp_path, "dictionary_learning")
    state = {name: t.double().numpy() for name, t in torch.load(tmp_path / "ae.pt", weights_only=True).items()}
    z = np.maximum((rows() - state["b_dec"]) @ state["encoder.weight"].T + state["encoder.bias"], 0)
    codes = z * (z > state["threshold"])
    np.testing.assert_allclose(codes, dense(sae.encode(rows())) * SCALE, atol=1e-5)
    recon = codes @ state["decoder.weight"].T + state["b_dec"]
    np.testing.assert_allclose(recon, sae.decode(sae.encode(rows())), atol=1e-5)
    trainer = json.loads((tmp_path / "config.json").read_text())["trainer"]
    assert trainer["dict_class"] == "BatchTopKSAE" and trainer["k"] == K == state["k"]


def test_saelens_formula_on_the_exported_tensors_gives_our_codes_with_a_threshold_per_latent(tmp_path: Path) -> None:
    sae = changed(model(), "threshold", torch.linspace(0.1, 2, M))
    sae_training.export(sae, tmp_path, "saelens")
    state, settings = load_file(tmp_path / "sae_weights.safetensors"), json.loads((tmp_path / "cfg.json").read_text())
    pre = (rows() - state["b_dec"] * settings["apply_b_dec_to_input"]) @ state["W_enc"] + state["b_enc"]
    codes = np.maximum(pre, 0) * (pre > state["threshold"])
    np.testing.assert_allclose(codes, dense(sae.encode(rows())) * SCALE, atol=1e-5)
    np.testing.assert_allclose(codes @ state["W_dec"] + state["b_dec"], sae.decode(sae.encode(rows())), atol=1e-5)
    assert (settings["architecture"], settings["d_in"], settings["d_sae"]) == ("jumprelu", D, M)
    assert sae_training.load(tmp_path).threshold.shape == (M,)


@pytest.mark.parametrize(
    ("sae", "form", "message"),
    [
        (model("groupmax"), "dictionary_learning", "no model with groupmax per row"),
        (model("groupmax"), "saelens", "no model with groupmax per row"),
        (changed(model(), "threshold", torch.ones(M)), "dictionary_learning", "no model with one threshold per latent"),
        (changed(model(), "threshold", torch.tensor(torch.nan)), "saelens", "not calibrated"),
        (model(normalise="layer_norm"), "saelens", "normalises each row"),
        (model(), "sparsify", r"cannot write for 'sparsify' \(valid: dictionary_learning, saelens\)"),
    ],
)
def test_what_a_tool_cannot_hold_is_not_written(
    sae: SparseAutoencoder, form: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(SaeError, match=message):
        sae_training.export(sae, tmp_path / "out", form)
    assert not (tmp_path / "out").exists()
