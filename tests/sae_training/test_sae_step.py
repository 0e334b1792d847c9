"""The sparse step against dense autograd."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from sae_training.codes import Pattern
from sae_training.pre_activations import Buffer, Full, Prefiltered, full
from sae_training.sparsity import VARIANTS
from sae_training.step import auxiliary_loss, decode, encode, residuals


def weights(m: int, d: int, dtype: torch.dtype, seed: int = 0) -> list[Tensor]:
    g = torch.Generator().manual_seed(seed)
    w_enc, w_dec = (nn.functional.normalize(torch.randn(m, d, generator=g, dtype=dtype), dim=1) for _ in range(2))
    biases = [0.1 * torch.randn(size, generator=g, dtype=dtype) for size in (m, d)]
    return [t.requires_grad_() for t in (w_enc, w_dec, *biases)]


def dense_reconstruction(h: Tensor, w_enc: Tensor, w_dec: Tensor, b_enc: Tensor, b_dec: Tensor, keep: Tensor) -> Tensor:
    pre = (h - b_dec) @ w_enc.T + b_enc
    return (pre * keep) @ w_dec + b_dec


def kept(h: Tensor, w_enc: Tensor, b_enc: Tensor, b_dec: Tensor, variant: str, k: int) -> Tensor:
    pre = ((h - b_dec) @ w_enc.T + b_enc).detach()
    mask = torch.zeros(pre.numel(), dtype=torch.bool)
    mask[VARIANTS[variant].select(Full(pre), k)[0]] = True
    return mask.view_as(pre)


@pytest.mark.parametrize("variant", sorted(VARIANTS))
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_gradients_equal_those_of_dense_autograd(variant: str, dtype: torch.dtype, tolerance: float) -> None:
    m, d, n, k = 96, 24, 130, 5
    h = torch.randn(n, d, generator=torch.Generator().manual_seed(1), dtype=dtype)
    sparse, dense = weights(m, d, dtype), weights(m, d, dtype)

    w_enc, w_dec, b_enc, b_dec = sparse
    survivors = encode(h, w_enc, b_enc, b_dec, VARIANTS[variant], k)
    widths = VARIANTS[variant].widths(m)
    loss = torch.stack([left.square().mean() for left in residuals(h, survivors, w_dec, b_dec, widths)]).mean()
    loss.backward()

    keep = kept(h, dense[0], dense[2], dense[3], variant, k)
    said = [
        dense_reconstruction(h, dense[0][:w], dense[1][:w], dense[2][:w], dense[3], keep[:, :w])
        for w in ([6, 18, 42, 96] if variant.startswith("matryoshka") else [96])
    ]
    expected = torch.stack([(h - one).square().mean() for one in said]).mean()
    expected.backward()

    assert loss.item() == pytest.approx(expected.item(), rel=tolerance)
    for ours, theirs in zip(sparse, dense, strict=True):
        assert theirs.grad.abs().max() > 0
        torch.testing.assert_close(
            ours.grad, theirs.grad, rtol=tolerance, atol=tolerance * theirs.grad.abs().max().item()
        )


@pytest.mark.parametrize("dead_count", [5, 40])
def test_auxiliary_loss_equals_a_loop_over_rows(dead_count: int) -> None:
    m, d, n = 64, 12, 9
    w_enc, w_dec, b_enc, b_dec = weights(m, d, torch.float64)
    g = torch.Generator().manual_seed(2)
    h, residual = (
        torch.randn(n, d, generator=g, dtype=torch.float64),
        torch.randn(n, d, generator=g, dtype=torch.float64),
    )
    dead = torch.arange(dead_count) + 3

    left, whole = auxiliary_loss(h, residual, dead, w_enc, b_enc, w_dec, b_dec)
    loss = left / whole
    ours = torch.autograd.grad(loss, (w_enc, w_dec, b_enc))

    total = torch.zeros((), dtype=torch.float64)
    for row, rest in zip(h, residual, strict=True):
        pre = {j: (row - b_dec.detach()) @ w_enc[j] + b_enc[j] for j in dead.tolist()}
        best = sorted(pre, key=lambda j: pre[j].item(), reverse=True)[: min(d // 2, dead_count)]
        said = sum((pre[j] * w_dec[j] for j in best if pre[j] > 0), torch.zeros(d, dtype=torch.float64))
        total = total + (said - rest).square().sum()
    expected = total / residual.square().sum()

    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    for a, b in zip(ours, torch.autograd.grad(expected, (w_enc, w_dec, b_enc)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def still_dead(weight: float) -> int:
    """How many of 32 latents that start below the others never fire after a short training."""
    g = torch.Generator().manual_seed(0)
    directions = nn.functional.normalize(torch.randn(48, 16, generator=g), dim=1)
    w_enc, w_dec, b_enc, b_dec = weights(64, 16, torch.float32)
    with torch.no_grad():
        w_enc.copy_(w_dec)
        b_enc[32:] = -3.0
    optimizer = torch.optim.Adam([w_enc, w_dec, b_enc, b_dec], lr=1e-2)
    fired = torch.zeros(64)
    for step in range(300):
        h = 4 * (torch.rand(128, 48, generator=g) < 0.06).float() @ directions
        survivors = encode(h, w_enc, b_enc, b_dec, VARIANTS["batch_topk"], 3)
        residual = h - decode(survivors, w_dec, b_dec)
        loss = residual.square().mean()
        dead = (fired < step - 10).nonzero().squeeze(1)
        if weight and len(dead):
            left, whole = auxiliary_loss(h, residual.detach(), dead, w_enc, b_enc, w_dec, b_dec)
            loss = loss + weight * left / whole
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        fired[survivors.pattern.latent] = step
    return int((fired[32:] < 250).sum())


def test_the_auxiliary_loss_revives_dead_latents() -> None:
    assert still_dead(1.0) < 0.6 * still_dead(0.0)


def test_pattern_products_equal_dense_ones_also_for_empty_rows_and_latents() -> None:
    g = torch.Generator().manual_seed(3)
    dense = torch.randn(7, 11, generator=g, dtype=torch.float64)
    dense[(torch.rand(7, 11, generator=g) < 0.7)] = 0
    dense[2], dense[:, 4] = 0, 0
    row, latent = dense.nonzero(as_tuple=True)
    pattern, values = Pattern(row, latent, 7, 11), dense[row, latent]
    directions, rows = (torch.randn(size, 5, generator=g, dtype=torch.float64) for size in (11, 7))

    torch.testing.assert_close(pattern.combine(values, directions), dense @ directions)
    torch.testing.assert_close(pattern.collect(values, rows), dense.T @ rows)
    torch.testing.assert_close(pattern.dot(rows, directions), (rows @ directions.T)[row, latent])


def test_a_batch_in_which_nothing_is_positive_has_no_survivors_and_a_gradient() -> None:
    w_enc, w_dec, b_enc, b_dec = weights(16, 4, torch.float32)
    with torch.no_grad():
        b_enc.fill_(-1e3)
    h = torch.randn(6, 4, generator=torch.Generator().manual_seed(4))
    survivors = encode(h, w_enc, b_enc, b_dec, VARIANTS["batch_topk"], 3)
    (h - decode(survivors, w_dec, b_dec)).square().mean().backward()
    assert len(survivors.values) == 0
    assert w_enc.grad.abs().sum() == 0
    assert b_dec.grad.abs().sum() > 0


@pytest.mark.parametrize("scale", [1.0, 30.0])  # of some latents' weights: rounding errors grow with them
def test_the_prefilter_finds_the_survivors_and_gradients_of_the_full_product(scale: float) -> None:
    m, d, n, k = 400, 32, 256, 4
    h = torch.randn(n, d, generator=torch.Generator().manual_seed(5))
    found = []
    for prefilter in (False, True):
        w_enc, w_dec, b_enc, b_dec = weights(m, d, torch.float32)
        with torch.no_grad():
            w_enc[:7] *= scale
        survivors = encode(h, w_enc, b_enc, b_dec, VARIANTS["batch_topk"], k, prefilter=prefilter)
        (h - decode(survivors, w_dec, b_dec)).square().mean().backward()
        found.append((survivors, [t.grad for t in (w_enc, w_dec, b_enc, b_dec)]))
    (exact, gradients), (ours, our_gradients) = found
    assert torch.equal(ours.pattern.row, exact.pattern.row)
    assert torch.equal(ours.pattern.latent, exact.pattern.latent)
    torch.testing.assert_close(ours.values, exact.values)
    for a, b in zip(our_gradients, gradients, strict=True):
        torch.testing.assert_close(a, b)


def test_the_prefilter_misses_nothing_where_rounding_errors_all_point_the_same_way() -> None:
    # 1 + 1.9/512 is rounded down to 1 in bf16: every product of the sum loses as much as it can
    centred, w_enc = torch.full((64, 256), 1 + 1.9 / 512), torch.full((50, 256), 1 + 1.9 / 512)
    w_enc[1:] *= torch.linspace(0.1, 0.999, 49)[:, None]
    b_enc = torch.zeros(50)
    exact = full(centred, w_enc, b_enc, Buffer())
    for floor in (exact.block[0, 0] * 0.9999, exact.block[0, 30]):
        expected, values = exact.above(floor)
        index, found = Prefiltered(centred, w_enc, b_enc, Buffer()).above(floor)
        assert torch.equal(index, expected)
        assert len(index) >= 64
        torch.testing.assert_close(found, values, rtol=1e-5, atol=0)


def test_the_prefilter_looks_at_few_entries_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    m, d, n = 2000, 64, 128
    g = torch.Generator().manual_seed(6)
    centred, w_enc = torch.randn(n, d, generator=g), nn.functional.normalize(torch.randn(m, d, generator=g), dim=1)
    looked: list[int] = []
    exact = Prefiltered._exact
    monkeypatch.setattr(Prefiltered, "_exact", lambda self, index: (looked.append(len(index)), exact(self, index))[1])
    index, _ = Prefiltered(centred, w_enc, torch.zeros(m), Buffer()).above(torch.tensor(2.5))
    assert len(index) < looked[0] < 4 * len(index)
