"""The measures against a second spelling, and merged."""

from __future__ import annotations

import pytest
import torch

from sae_training.measures import Reconstruction


def test_measures_equal_their_formulas_in_one_batch_or_in_many() -> None:
    g = torch.Generator().manual_seed(0)
    h = torch.randn(100, 6, generator=g) + 3
    h_hat = h + 0.3 * torch.randn(100, 6, generator=g)
    z = torch.rand(100, 20, generator=g) * (torch.rand(100, 20, generator=g) < 0.02)
    whole, merged = Reconstruction(6, 20), Reconstruction(6, 20)
    whole.update(h, h_hat, z.nonzero()[:, 1])
    for part in (slice(0, 10), slice(10, 90), slice(90, 100)):
        merged.update(h[part], h_hat[part], z[part].nonzero()[:, 1])

    measures = whole.compute()
    assert measures == pytest.approx(merged.compute(), rel=1e-9)
    assert measures.fvu == pytest.approx(
        ((h - h_hat) ** 2).sum().item() / ((h - h.mean(0)) ** 2).sum().item(), rel=1e-5
    )
    assert measures.l0 == pytest.approx((z > 0).sum().item() / 100)
    assert measures.dead_share == pytest.approx(sum(1 for j in range(20) if (z[:, j] == 0).all()) / 20)
    assert 0 < measures.dead_share < 1
    cosines = [(a @ b / (a.norm() * b.norm())).item() for a, b in zip(h, h_hat, strict=True)]
    assert measures.cosine == pytest.approx(sum(cosines) / 100, rel=1e-5)
