"""The threshold against sorting."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import sae_training
from sae_training.calibration import set_threshold
from sae_training.errors import SaeError
from sae_training.metadata import SaeMetadata
from sae_training.model import SparseAutoencoder


def uncalibrated(k: int, d: int = 8, m: int = 40, shift: float = 0.0) -> SparseAutoencoder:
    sae = SparseAutoencoder(d, m, SaeMetadata("batch_topk", k))
    with torch.no_grad():
        sae.W_enc.copy_(torch.randn(m, d, generator=torch.Generator().manual_seed(0)))
        sae.W_dec.copy_(torch.nn.functional.normalize(sae.W_enc, dim=1))
        sae.b_enc.fill_(shift)
    return sae.eval().requires_grad_(False)


def rows(n: int, d: int = 8) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((n, d)).astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 2500), k=st.integers(1, 15), parts=st.integers(1, 5))
def test_the_threshold_lets_exactly_k_per_row_fire(n: int, k: int, parts: int) -> None:
    sae, x = uncalibrated(k), torch.from_numpy(rows(n))
    set_threshold(sae, x.tensor_split(min(parts, n)), n)
    positive = torch.cat([a[a > 0] for a in sae.pre_activations(x)]).sort(descending=True).values
    expected = positive[k * n].item() if len(positive) > k * n else 0.0
    assert sae.threshold.item() == expected
    assert len(sae.encode(x).value) == min(k * n, len(positive))


def test_where_too_little_is_positive_the_threshold_is_zero() -> None:
    sae = uncalibrated(10, shift=-6.0)
    set_threshold(sae, [torch.from_numpy(rows(500))], 500)
    assert sae.threshold.item() == 0
    assert len(sae.encode(rows(500)).value) < 10 * 500


def test_calibrate_sets_the_threshold_on_one_half_and_records_what_the_other_shows() -> None:
    sae = uncalibrated(5)
    sae_training.calibrate(sae, rows(4000))
    record = sae.metadata.calibration
    assert record["target_l0"] == 5 and record["rows"] == pytest.approx(2000, rel=0.1)
    assert record["measured_l0"] == pytest.approx(5, rel=0.05)
    assert len(sae.encode(rows(4000)).value) / 4000 == pytest.approx(5, rel=0.02)


def test_rows_of_another_width_are_refused() -> None:
    with pytest.raises(SaeError, match=r"takes \[n, 8\]"):
        sae_training.calibrate(uncalibrated(5), rows(400, 9))
