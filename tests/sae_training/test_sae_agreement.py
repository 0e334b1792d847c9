"""Matches between two SAEs, against a loop over all pairs of latents."""

from __future__ import annotations

import math

import pytest
import torch

from sae_training import SaeError
from sae_training import agreement as agreement_module
from sae_training.agreement import nearest_cosine, seed_agreement
from sae_training.metadata import SaeMetadata
from sae_training.model import SparseAutoencoder


def an_sae(seed: int, m: int = 40, d: int = 3) -> SparseAutoencoder:
    sae = SparseAutoencoder(d, m, SaeMetadata("batch_topk", 2))
    sae.W_dec.data.copy_(torch.randn(m, d, generator=torch.Generator().manual_seed(seed)))  # of any length
    return sae


def brute_matches(a: SparseAutoencoder, b: SparseAutoencoder) -> list[bool]:
    return [any(float(x @ y) / float(x.norm() * y.norm()) > 0.7 for y in b.W_dec.detach()) for x in a.W_dec.detach()]


def test_agreement_is_the_share_of_latents_with_a_like_direction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement_module, "BLOCK_ROWS", 7)
    a, b = an_sae(0), an_sae(1, m=9)
    for one, other in ((a, b), (b, a)):
        matches = brute_matches(one, other)
        assert 0 < sum(matches) < len(matches) or one is b
        assert seed_agreement(one, other).share == pytest.approx(sum(matches) / len(matches))
    assert seed_agreement(a, a).share == 1
    opposite = an_sae(0)
    opposite.W_dec.data.mul_(-1)
    assert nearest_cosine(a.W_dec[:1], opposite.W_dec[:1]).item() == pytest.approx(-1)


def test_bands_of_firing_density_part_the_latents_and_average_to_the_whole() -> None:
    a, b = an_sae(0), an_sae(1, m=9)
    density = torch.tensor([0.0, 1e-4, 5e-4, 1e-2, 0.3, 1.0, 0.02, 0.0] * 5, dtype=torch.float64)
    found = seed_agreement(a, b, density)
    matches = brute_matches(a, b)
    assert [band.latents for band in found.bands] == [10, 5, 5, 5, 5, 10]
    for band in found.bands:
        inside = [m for m, p in zip(matches, density.tolist(), strict=True) if band.above < p <= band.up_to]
        assert band.share == pytest.approx(sum(inside) / len(inside))
    assert sum(band.share * band.latents for band in found.bands) / 40 == pytest.approx(found.share)
    assert math.isnan(seed_agreement(a, b, torch.ones(40)).bands[0].share)


def test_saes_of_different_width_are_not_compared() -> None:
    with pytest.raises(SaeError, match="width 3 and 4"):
        seed_agreement(an_sae(0), an_sae(0, d=4))
