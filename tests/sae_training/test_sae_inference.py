"""Rules of inference against loops, and that what they need survives saving and any batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st

import sae_training
from sae_training import inference
from sae_training.errors import SaeError
from sae_training.formats.native import load
from sae_training.metadata import SaeMetadata
from sae_training.model import SparseAutoencoder

D, M, K = 12, 40, 4


def model(**rules: object) -> SparseAutoencoder:
    g = torch.Generator().manual_seed(0)
    sae = SparseAutoencoder(D, M, SaeMetadata("batch_topk", K, **rules))  # type: ignore[arg-type]
    for name, tensor in sae.state_dict().items():
        if name != "scale":
            tensor.copy_(torch.randn(tensor.shape, generator=g))
    sae.threshold = torch.rand(M, generator=g)
    return sae.eval().requires_grad_(False)


def rows(n: int = 50) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((n, D)).astype(np.float32)


def dense(codes: sae_training.SparseCodes) -> np.ndarray:
    z = np.zeros((codes.rows, codes.latents))
    z[codes.row, codes.latent] = codes.value
    return z


def by_hand(pre: np.ndarray, theta: np.ndarray, k: int, name: str) -> np.ndarray:
    """Which entries of one row survive, by sorting and loops."""
    order = np.argsort(-np.abs(pre) if name == "topk_abs" else -pre)[:k]
    if name == "groupmax":
        order = np.array([max(group, key=lambda j: pre[j]) for group in np.split(np.arange(len(pre)), k)])
    chosen = pre > theta if name == "threshold" else np.isin(np.arange(len(pre)), order)
    return chosen & (pre > 0)


@given(st.lists(st.lists(st.floats(-5, 5, width=32), min_size=8, max_size=8, unique=True), min_size=1, max_size=5))
def test_rules_are_what_loops_give(values: list[list[float]]) -> None:
    pre, theta = np.array(values, np.float32), np.linspace(0, 3, 8, dtype=np.float32)
    ones = np.array([len(set(np.abs(row))) == 8 for row in pre])  # by size, ties are all kept
    for name, rule in inference.RULES.items():
        expected = np.array([by_hand(row, theta, 2, name) for row in pre])
        found = rule(torch.from_numpy(pre), torch.from_numpy(theta), 2).numpy()
        use = ones if name == "topk_abs" else slice(None)
        assert np.array_equal(found[use], expected[use]), name


def test_entries_equal_to_the_smallest_survivor_all_survive() -> None:
    pre = torch.tensor([[3.0, 1.0, 1.0, -2.0]])
    assert inference.topk(pre, torch.zeros(()), 2).tolist() == [[True, True, True, False]]


def test_a_threshold_is_exceeded_not_reached() -> None:
    found = inference.above_threshold(torch.tensor([[1.0, 2.0]]), torch.tensor([1.0, 1.5]), 1)
    assert found.tolist() == [[False, True]]


@pytest.mark.parametrize("name", sorted(inference.RULES))
@pytest.mark.parametrize("normalise", sorted(inference.NORMALISERS))
def test_codes_of_a_row_are_the_same_bits_in_any_batch(name: str, normalise: str) -> None:
    sae, x = model(inference=name, normalise=normalise), rows(1100)
    whole = sae.encode(x)
    alone = [sae.encode(x[i : i + 1]) for i in (0, 7, 1023, 1024, 1099)]
    for i, codes in zip((0, 7, 1023, 1024, 1099), alone, strict=True):
        assert torch.equal(codes.latent, whole.latent[whole.row == i])
        assert torch.equal(codes.value, whole.value[whole.row == i])


@pytest.mark.parametrize("normalise", sorted(inference.NORMALISERS))
@pytest.mark.parametrize("centred", [True, False])
def test_encode_and_decode_equal_the_formula(normalise: str, centred: bool) -> None:
    sae, x = model(normalise=normalise, centred=centred), rows().astype(np.float64)
    sae.gain = torch.rand(M) + 0.5
    w_enc, w_dec, b_enc, b_dec, mean, theta, gain = (
        getattr(sae, name).double().numpy()
        for name in ("W_enc", "W_dec", "b_enc", "b_dec", "mean", "threshold", "gain")
    )
    h = x - mean
    shift, spread, divisor = np.zeros((50, 1)), np.ones((50, 1)), np.ones((50, 1))
    if normalise == "layer_norm":
        shift, spread = h.mean(1, keepdims=True), h.std(1, keepdims=True, ddof=1)
        divisor = spread + 1e-5
    elif normalise == "constant_norm":
        spread = divisor = np.linalg.norm(h, axis=1, keepdims=True) / D**0.5
    a = (((h - shift) / divisor - b_dec * centred) @ w_enc.T + b_enc) * gain
    z = np.where(a > theta, a, 0)
    codes = sae.encode(x.astype(np.float32))
    np.testing.assert_allclose(dense(codes), z, atol=2e-5)
    np.testing.assert_allclose(sae.decode(codes).numpy(), (z @ w_dec + b_dec) * spread + shift + mean, atol=2e-4)


def test_codes_without_their_rows_frame_cannot_be_decoded_where_rows_are_normalised() -> None:
    sae = model(normalise="layer_norm")
    with pytest.raises(SaeError, match="decode what encode returned"):
        sae.decode(sae.encode(rows())._replace(normalisation=None))


def test_rule_normalisation_gain_and_a_threshold_per_latent_survive_saving(tmp_path: Path) -> None:
    sae = model(inference="topk", normalise="layer_norm", centred=False)
    sae.gain = torch.rand(M)
    sae.save(tmp_path)
    again = load(tmp_path)
    assert again.metadata == sae.metadata
    assert {n: t.tolist() for n, t in again.state_dict().items()} == {
        n: t.tolist() for n, t in sae.state_dict().items()
    }
    assert np.array_equal(dense(again.encode(rows())), dense(sae.encode(rows())))


def test_a_file_of_version_1_loads_with_the_threshold(tmp_path: Path) -> None:
    sae = model()
    sae.threshold = torch.tensor(0.5)
    sae.save(tmp_path)
    card = yaml.safe_load((tmp_path / "sae.yaml").read_text())
    old = {key: value for key, value in card.items() if key not in ("inference", "normalise", "centred")}
    (tmp_path / "sae.yaml").write_text(yaml.safe_dump({**old, "version": 1}))
    again = load(tmp_path)
    assert again.metadata.inference == "threshold"
    assert np.array_equal(dense(again.encode(rows())), dense(sae.encode(rows())))
    again.save(tmp_path)
    assert yaml.safe_load((tmp_path / "sae.yaml").read_text())["version"] == 2


def test_a_rule_of_a_later_program_is_refused(tmp_path: Path) -> None:
    model(inference="entmax").save(tmp_path)
    with pytest.raises(SaeError, match=r"unknown rule of inference 'entmax' \(valid: groupmax, threshold, topk"):
        load(tmp_path)


def test_a_rule_without_a_threshold_needs_no_calibration_and_refuses_it() -> None:
    sae = model(inference="topk")
    sae.threshold = torch.tensor(torch.nan)
    assert sae.calibrated and len(sae.encode(rows()).value) <= 50 * K
    with pytest.raises(SaeError, match=r"topk per row, there is no threshold.*inference='threshold'"):
        sae_training.calibrate(sae, rows(400))


def test_calibrating_sets_one_threshold_in_place_of_many() -> None:
    sae = model()
    sae_training.calibrate(sae, rows(2000))
    assert sae.threshold.shape == ()
    assert len(sae.encode(rows(2000)).value) / 2000 == pytest.approx(K, rel=0.1)


@pytest.mark.parametrize("n", [7, 1500])
def test_batch_topk_codes_are_the_largest_of_all_rows_passed(n: int) -> None:
    sae, x = model(), rows(n)
    sae.threshold = torch.tensor(torch.nan)
    codes = sae_training.batch_topk_codes(sae, x)
    pre = torch.cat(list(sae.pre_activations(x))).numpy()
    least = np.sort(pre[pre > 0])[-K * n]
    assert len(codes.value) == K * n
    np.testing.assert_array_equal(dense(codes), np.where(pre >= least, pre, 0))
