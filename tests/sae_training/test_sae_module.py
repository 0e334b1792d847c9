"""The parts of training that Lightning calls."""

from __future__ import annotations

import pytest
import torch

from sae_training.metadata import SaeMetadata
from sae_training.model import SparseAutoencoder
from sae_training.module import SaeModule
from sae_training.settings import TrainSettings


def module(**settings: float) -> SaeModule:
    sae = SparseAutoencoder(6, 12, SaeMetadata("batch_topk", 2))
    g = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weights in (sae.W_enc, sae.W_dec):
            weights.copy_(torch.nn.functional.normalize(torch.randn(12, 6, generator=g), dim=1))
    return SaeModule(sae, TrainSettings(**settings), steps=100, rows_drawn=5000)  # type: ignore[arg-type]


def test_the_decoder_gradient_keeps_nothing_along_its_rows_and_all_across_them() -> None:
    ours = module()
    weights = ours.sae.W_dec.detach()
    gradient = torch.randn(12, 6, generator=torch.Generator().manual_seed(1))
    ours.sae.W_dec.grad = gradient.clone()
    ours.on_before_optimizer_step(torch.optim.SGD(ours.parameters(), lr=0.0))
    kept = ours.sae.W_dec.grad
    torch.testing.assert_close((kept * weights).sum(dim=1), torch.zeros(12), atol=1e-6, rtol=0)
    along = (gradient * weights).sum(dim=1, keepdim=True) * weights
    torch.testing.assert_close(kept + along, gradient)


def test_the_learning_rate_rises_stays_and_falls_over_shares_of_the_steps() -> None:
    optimizers, schedulers = module(warmup=0.1, decay=0.4, learning_rate=0.5).configure_optimizers()
    rates = []
    for _ in range(100):
        rates.append(optimizers[0].param_groups[0]["lr"])
        optimizers[0].step()
        schedulers[0]["scheduler"].step()
    assert rates[0] == pytest.approx(0.05)
    assert rates[:10] == sorted(rates[:10])
    assert rates[9:60] == [0.5] * 51
    assert rates[60:] == sorted(rates[60:], reverse=True)
    assert rates[80] == pytest.approx(0.25)
    assert 0 < rates[99] <= 0.5 / 40


@pytest.mark.parametrize(("step", "stands"), [(4, 0.5), (40, 1.0), (80, 0.5)])
def test_an_early_end_lets_the_rate_fall_from_where_it_stands(step: int, stands: float) -> None:
    ours = module(warmup=0.1, decay=0.4)
    assert ours._rate(step) == stands
    ours.end_early(step, step + 10)
    falling = [stands * (1 - done / 10) for done in range(11)]
    assert [ours._rate(step + done) for done in range(11)] == pytest.approx(falling)


def test_a_latent_is_dead_after_a_share_of_all_rows_drawn() -> None:
    assert module(dead_window=0.02).dead_after == 100
