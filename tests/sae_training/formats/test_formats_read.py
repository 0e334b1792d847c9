"""Tiny files of each tool, as it writes them, read against its formula in numpy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import sae_training

D, M, K = 6, 24, 3
Array = np.ndarray


class Draw:
    """Weights as torch writes them and as numpy computes with them."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(0)
        self.tensors: dict[str, torch.Tensor] = {}

    def __call__(self, name: str, *shape: int) -> Array:
        value = self.random.standard_normal(shape).astype(np.float32)
        self.tensors[name] = torch.from_numpy(value.copy())
        return value.astype(np.float64)

    def fixed(self, name: str, value: Any) -> Any:
        self.tensors[name] = torch.as_tensor(value)
        return np.asarray(value, np.float64)


def rows() -> Array:
    return 2 * np.random.default_rng(7).standard_normal((40, D)).astype(np.float32) + 0.5


def relu(z: Array) -> Array:
    return np.maximum(z, 0)


def topk(z: Array, k: int = K) -> Array:
    kept = np.zeros_like(z)
    for i, row in enumerate(z):
        best = np.argsort(-row)[:k]
        kept[i, best] = row[best]
    return kept


def batch_topk(z: Array, k: int = K) -> Array:
    return np.where(z >= np.sort(z.ravel())[-k * len(z)], z, 0)


def dense(codes: sae_training.SparseCodes) -> Array:
    z = np.zeros((codes.rows, codes.latents))
    z[codes.row, codes.latent] = codes.value
    return z


def config(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def agree(sae: sae_training.SparseAutoencoder, codes: Array, recon: Array | None = None) -> None:
    found = sae.encode(rows())
    assert np.array_equal(dense(found) > 0, codes > 0) and (codes > 0).sum() > 40
    np.testing.assert_allclose(dense(found), codes, atol=1e-5, rtol=1e-6)
    if recon is not None:
        np.testing.assert_allclose(sae.decode(found).numpy(), recon, atol=1e-5, rtol=1e-6)


def linear_file(path: Path, kind: str | None, threshold: float = 1.5) -> tuple[Array, Callable[[Array], Array]]:
    """dictionary_learning's TopK or BatchTopK; positive pre-activations and the decoder."""
    draw = Draw()
    w, b, b_dec, w_dec = (
        draw("encoder.weight", M, D),
        draw("encoder.bias", M),
        draw("b_dec", D),
        draw("decoder.weight", D, M),
    )
    draw.fixed("k", torch.tensor(K, dtype=torch.int32))
    draw.fixed("threshold", torch.tensor(threshold))
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(draw.tensors, path)
    if kind:
        config(path.parent / "config.json", {"trainer": {"dict_class": kind, "k": K}})
    return relu((rows() - b_dec) @ w.T + b), lambda z: z @ w_dec.T + b_dec


@pytest.mark.parametrize("given", ["run", "run/trainer_0", "run/trainer_0/ae.pt"])
def test_dictionary_learning_batch_topk_has_a_threshold(tmp_path: Path, given: str) -> None:
    z, decode = linear_file(tmp_path / "run/trainer_0/ae.pt", "BatchTopKSAE")
    codes = np.where(z > 1.5, z, 0)
    agree(sae_training.load(tmp_path / given), codes, decode(codes))


def test_dictionary_learning_topk_has_the_same_tensors_and_another_rule(tmp_path: Path) -> None:
    z, decode = linear_file(tmp_path / "ae.pt", "AutoEncoderTopK")
    agree(sae_training.load(tmp_path), topk(z), decode(topk(z)))
    agree(sae_training.load(tmp_path, inference="threshold"), np.where(z > 1.5, z, 0))
    (tmp_path / "config.json").unlink()
    with pytest.raises(sae_training.SaeError, match="does not say which latents fire: give inference='topk'"):
        sae_training.load(tmp_path)
    agree(sae_training.load(tmp_path, inference="topk"), topk(z))


def test_a_threshold_never_estimated_comes_uncalibrated(tmp_path: Path) -> None:
    z, _ = linear_file(tmp_path / "trainer_0/checkpoints/ae_100.pt", None, threshold=-1.0)
    config(tmp_path / "trainer_0/config.json", {"trainer": {"dict_class": "BatchTopKSAE", "k": K}})
    sae = sae_training.load(tmp_path / "trainer_0/checkpoints/ae_100.pt")
    with pytest.raises(sae_training.SaeError, match="not calibrated"):
        sae.encode(rows())
    np.testing.assert_allclose(dense(sae_training.batch_topk_codes(sae, rows())), batch_topk(z), atol=1e-5)
    sae_training.calibrate(sae, np.concatenate([rows()] * 10) + np.arange(400)[:, None] * np.float32(1e-6))
    assert sae.metadata.calibration["target_l0"] == K and sae.calibrated


def test_dictionary_learning_matryoshka_stores_its_encoder_transposed(tmp_path: Path) -> None:
    draw = Draw()
    w, b, w_dec, b_dec = draw("W_enc", D, M), draw("b_enc", M), draw("W_dec", M, D), draw("b_dec", D)
    draw.tensors["W_enc"] = draw.tensors["W_enc"].T.contiguous().T  # as the tool leaves it
    for name, value in {"k": K, "threshold": 1.25, "group_sizes": [8, 16]}.items():
        draw.fixed(name, value)
    torch.save(draw.tensors, tmp_path / "ae.pt")
    config(tmp_path / "config.json", {"trainer": {"dict_class": "MatroyshkaBatchTopKSAE", "k": K}})
    z = relu((rows() - b_dec) @ w + b)
    codes = np.where(z > 1.25, z, 0)
    agree(sae_training.load(tmp_path), codes, codes @ w_dec + b_dec)


def test_dictionary_learning_jump_relu_does_not_subtract_the_decoder_bias(tmp_path: Path) -> None:
    draw = Draw()
    w, b, w_dec, b_dec = draw("W_enc", D, M), draw("b_enc", M), draw("W_dec", M, D), draw("b_dec", D)
    theta = draw.fixed("threshold", np.linspace(0.1, 2, M, dtype=np.float32))
    torch.save(draw.tensors, tmp_path / "ae.pt")
    config(tmp_path / "config.json", {"trainer": {"dict_class": "JumpReluAutoEncoder", "target_l0": K}})
    z = rows() @ w + b
    codes = np.where(z > theta, z, 0)
    agree(sae_training.load(tmp_path), codes, codes @ w_dec + b_dec)


def test_a_backup_of_an_unfinished_run_is_for_normalised_rows(tmp_path: Path) -> None:
    linear_file(tmp_path / "ae.pt", "BatchTopKSAE")
    state = torch.load(tmp_path / "ae.pt")
    torch.save({"step": 9, "ae": state, "optimizer": {}, "config": {}, "norm_factor": 2.0}, tmp_path / "ae.pt")
    w, b, b_dec = (state[name].double().numpy() for name in ("encoder.weight", "encoder.bias", "b_dec"))
    z = relu((rows() / 2 - b_dec) @ w.T + b) * 2  # codes in the units of raw rows, as those of the finished file
    agree(sae_training.load(tmp_path), np.where(z > 3.0, z, 0))


@pytest.mark.parametrize("activation", ["topk", "groupmax", None])
@pytest.mark.parametrize("transcode", [False, True])
def test_sparsify(tmp_path: Path, activation: str | None, transcode: bool) -> None:
    draw = Draw()
    w, b, w_dec, b_dec = draw("encoder.weight", M, D), draw("encoder.bias", M), draw("W_dec", M, D), draw("b_dec", D)
    save_file(draw.tensors, tmp_path / "sae.safetensors")
    named = {"activation": activation} if activation else {}
    config(tmp_path / "cfg.json", {**named, "k": K, "d_in": D, "expansion_factor": 4, "transcode": transcode})
    z = relu((rows() - b_dec * (not transcode)) @ w.T + b)
    codes = topk(z)
    if activation == "groupmax":
        codes = np.concatenate([topk(part, 1) for part in np.split(z, K, axis=1)], axis=1)
    agree(sae_training.load(tmp_path), codes, codes @ w_dec + b_dec)


def saelens_file(folder: Path, settings: dict[str, Any], **more: Any) -> tuple[Array, ...]:
    draw = Draw()
    found = (draw("W_enc", D, M), draw("b_enc", M), draw("W_dec", M, D), draw("b_dec", D))
    for name, value in more.items():
        draw.fixed(name, value)
    save_file(draw.tensors, folder / "sae_weights.safetensors")
    config(folder / "cfg.json", {"d_in": D, "d_sae": M, "unheard of": 1, **settings})
    return found


def test_saelens_jump_relu_has_a_threshold_per_latent(tmp_path: Path) -> None:
    theta = np.linspace(-0.5, 2, M, dtype=np.float32)  # below 0 as at 0
    details = {"training_architecture_details": {"k": K}, "training_architecture": "batchtopk"}
    w, b, w_dec, b_dec = saelens_file(tmp_path, {"architecture": "jumprelu", "metadata": details}, threshold=theta)
    z = relu((rows() - b_dec) @ w + b)
    codes = np.where(z > theta, z, 0)
    sae = sae_training.load(tmp_path)
    agree(sae, codes, codes @ w_dec + b_dec)
    assert (sae.k, sae.metadata.variant) == (K, "batchtopk")


@pytest.mark.parametrize("rescale", [False, True])
@pytest.mark.parametrize("kind", ["none", "layer_norm", "constant_norm_rescale"])
def test_saelens_topk_may_rank_by_decoder_norm_and_normalise_rows(tmp_path: Path, rescale: bool, kind: str) -> None:
    settings = {"architecture": "topk", "k": K, "normalize_activations": kind, "apply_b_dec_to_input": not rescale}
    w, b, w_dec, b_dec = saelens_file(tmp_path, {**settings, "rescale_acts_by_decoder_norm": rescale})
    x = rows().astype(np.float64)
    shift, spread, divisor = 0.0, np.ones((len(x), 1)), np.ones((len(x), 1))
    if kind == "layer_norm":
        shift, spread = x.mean(1, keepdims=True), x.std(1, keepdims=True, ddof=1)
        divisor = spread + 1e-5
    elif kind == "constant_norm_rescale":
        spread = divisor = np.linalg.norm(x, axis=1, keepdims=True) / D**0.5
    norms = np.linalg.norm(w_dec, axis=1) if rescale else np.ones(M)
    z = (((x - shift) / divisor - b_dec * (not rescale)) @ w + b) * norms
    codes = relu(topk(z))
    agree(sae_training.load(tmp_path), codes, ((codes / norms) @ w_dec + b_dec) * spread + shift)


def test_a_saelens_training_checkpoint_has_its_inputs_factor_beside_it(tmp_path: Path) -> None:
    settings = {"architecture": "batchtopk", "k": K, "rescale_acts_by_decoder_norm": True}
    scaled = {**settings, "normalize_activations": "expected_average_only_in"}
    w, b, w_dec, b_dec = saelens_file(tmp_path, scaled, topk_threshold=np.float64(2.0))
    config(tmp_path / "activation_scaler.json", {"scaling_factor": 0.5, "has_whitening": False})
    norms = np.linalg.norm(w_dec, axis=1)
    z = relu(((rows() * 0.5 - b_dec) @ w + b) * norms)
    sae = sae_training.load(tmp_path)
    agree(sae, np.where(z > 2, z, 0), ((np.where(z > 2, z, 0) / norms) @ w_dec + b_dec) / 0.5)
    np.testing.assert_allclose(dense(sae_training.batch_topk_codes(sae, rows())), batch_topk(z), atol=1e-5)


def test_saelens_before_version_6(tmp_path: Path) -> None:
    topped = {
        "activation_fn_str": "topk",
        "activation_fn_kwargs": {"k": K},
        "hook_name": "h",
        "architecture": "standard",
    }
    scale = np.linspace(0.5, 2, M, dtype=np.float32)
    w, b, w_dec, b_dec = saelens_file(tmp_path, topped, scaling_factor=scale)
    z = (rows() - b_dec) @ w + b
    agree(sae_training.load(tmp_path), relu(topk(z)), (relu(topk(z)) * scale) @ w_dec + b_dec)
    saelens_file(tmp_path, {"architecture": "jumprelu", "normalize_activations": False}, log_threshold=np.log(scale))
    agree(sae_training.load(tmp_path, k=K), np.where(z > scale, z, 0))
    saelens_file(tmp_path, {"activation_fn_str": "relu"})
    agree(sae_training.load(tmp_path, k=K), relu(z))


def overcomplete_file(path: Path, norm: bool = False) -> tuple[Array, Array]:
    """Pre-activations and the dictionary."""
    draw, name = Draw(), "encoder.final_block.1."
    w, b = draw("encoder.final_block.0.weight", M, D), draw("encoder.final_block.0.bias", M)
    raw, log_scale = draw("dictionary._weights", M, D), draw.fixed("dictionary.multiplier", np.float32(0.25))
    z = rows() @ w.T + b
    if norm:
        gain, shift, mean = draw(name + "weight", M), draw(name + "bias", M), draw(name + "running_mean", M)
        variance = draw.fixed(name + "running_var", np.linspace(0.5, 2, M, dtype=np.float32))
        draw.fixed(name + "num_batches_tracked", 1000)
        z = (z - mean) / np.sqrt(variance + 1e-5) * gain + shift
    torch.save(draw.tensors, path)
    return relu(z), raw / (np.linalg.norm(raw, axis=1, keepdims=True) + 1e-8) * np.exp(log_scale)


@pytest.mark.parametrize("norm", [False, True])
def test_overcomplete_topk_with_and_without_batch_norm(tmp_path: Path, norm: bool) -> None:
    z, atoms = overcomplete_file(tmp_path / "any.pt", norm)
    agree(sae_training.load(tmp_path, k=K, inference="topk"), topk(z), topk(z) @ atoms)


def test_overcomplete_batch_topk_reaches_its_threshold(tmp_path: Path) -> None:
    z, atoms = overcomplete_file(tmp_path / "sae_state_dict.pt")
    with pytest.raises(sae_training.SaeError, match=r"how many latents fire per row: give it as k="):
        sae_training.load(tmp_path)
    uncalibrated = sae_training.load(tmp_path, k=K)
    with pytest.raises(sae_training.SaeError, match=r"sae_training\.calibrate"):
        uncalibrated.encode(rows())
    pre = torch.cat(list(uncalibrated.pre_activations(rows()))).numpy()
    reached = float(pre[pre > 1].min())  # an activation, to the last bit
    codes = np.where(z > reached - 1e-4, z, 0)
    agree(sae_training.load(tmp_path, k=K, threshold=reached), codes, codes @ atoms)


def msae_file(folder: Path, activation: str, tied: bool = False, normalize: bool = False) -> tuple[Array, Any]:
    """Pre-activations and the decoder."""
    draw = Draw()
    w, b, pre = draw("encoder", D, M), draw("latent_bias", M), draw("pre_bias", D)
    w_dec = w.T if tied else draw("decoder", M, D)
    draw.fixed("latents_activation_frequency", np.zeros(M, np.int64))
    if activation == "JumpReLU_24":
        draw.fixed("activation.log_threshold", np.log(np.linspace(0.1, 1, M, dtype=np.float32)))
    mean = rows().mean(0)
    target = np.float64(D**0.5)
    content = {
        "model": draw.tensors,
        "mean_center": torch.from_numpy(mean),
        "scaling_factor": 0.4,
        "target_norm": target,
    }
    torch.save(content, folder / f"{M}_{D}_{activation}_{tied}_{normalize}_0.0_synth_train_40_{D}.pth")
    y = (rows().astype(np.float64) - mean) * 0.4
    shift, spread = (y.mean(1, keepdims=True), y.std(1, keepdims=True, ddof=1)) if normalize else (0.0, 1.0)
    h = (y - shift) / (spread + 1e-5 * normalize)
    return (h - pre) @ w + b, lambda z: ((z @ w_dec + pre) * spread + shift) / 0.4 + mean


@pytest.mark.parametrize("name", ["TopKReLU_3", "TopKReLU_3_RW", "TopKReLU_3_6_12_UW", "TopKabsReLU_3"])
@pytest.mark.parametrize(("tied", "normalize"), [(False, False), (True, False), (False, True)])
def test_msae_says_in_its_name_what_it_is(tmp_path: Path, name: str, tied: bool, normalize: bool) -> None:
    z, decode = msae_file(tmp_path, name, tied, normalize)
    codes = relu(topk(z))
    if "abs" in name:
        codes = np.where(topk(np.abs(z)) > 0, relu(z), 0)
    agree(sae_training.load(tmp_path), codes, decode(codes))


def test_msae_batch_topk_has_no_threshold_and_jump_relu_one_per_latent(tmp_path: Path) -> None:
    (tmp_path / "batch").mkdir()
    z, _ = msae_file(tmp_path / "batch", "BatchTopKReLU_3")
    sae = sae_training.load(tmp_path / "batch")
    assert not sae.calibrated
    np.testing.assert_allclose(dense(sae_training.batch_topk_codes(sae, rows())), relu(batch_topk(z)), atol=1e-5)
    agree(sae_training.load(tmp_path / "batch", threshold=0), relu(z))
    (tmp_path / "jump").mkdir()
    z, _ = msae_file(tmp_path / "jump", "JumpReLU_24")
    agree(sae_training.load(tmp_path / "jump", k=K), np.where(z > np.linspace(0.1, 1, M), z, 0))
