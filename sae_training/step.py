"""One training step through the survivors (docs/methods.md, 1): dense encode, everything after it sparse.

Of the codes of a batch, 99 % and more are zero. Only the encoder's product is dense; decoding and all gradients run
through the survivors and equal those of the dense computation.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sae_training.codes import Pattern
from sae_training.sparsity import Rule, kth_largest


class Survivors(NamedTuple):
    """The codes of a training batch: where they are non-zero, and their values, which carry gradients."""

    pattern: Pattern
    values: Tensor  # [nnz]


def encode(h: Tensor, w_enc: Tensor, b_enc: Tensor, b_dec: Tensor, rule: Rule, k: int) -> Survivors:
    """The survivors of a batch.

    Args:
        h: standardised rows [rows, d]; takes no gradient.
        w_enc: [m, d].
        b_enc: [m].
        b_dec: [d].
        rule: who survives (sparsity.py).
        k: survivors per row.
    """
    with torch.no_grad():
        centred = h - b_dec
        pre = torch.addmm(b_enc, centred, w_enc.T)
        index = rule(pre, k)
        row = index.div(pre.shape[1], rounding_mode="floor")
        pattern = Pattern(row, index - row * pre.shape[1], *pre.shape)
        values = pre.flatten()[index]
    return Survivors(pattern, _Encode.apply(w_enc, b_enc, b_dec, values, centred, pattern))


def decode(survivors: Survivors, w_dec: Tensor, b_dec: Tensor) -> Tensor:
    """The reconstruction [rows, d] of a batch from its survivors.

    Args:
        survivors: of the batch.
        w_dec: [m, d].
        b_dec: [d].
    """
    return _Decode.apply(survivors.values, w_dec, survivors.pattern) + b_dec


def auxiliary_loss(
    h: Tensor, residual: Tensor, dead: Tensor, w_enc: Tensor, b_enc: Tensor, w_dec: Tensor, b_dec: Tensor
) -> Tensor:
    """Share of what the others left over that the dead latents alone do not reconstruct.

    Per row the min(d/2, dead) largest of their positive pre-activations take part. Only the dead latents' own weights
    get gradients.

    Args:
        h: standardised rows [rows, d].
        residual: h minus its reconstruction [rows, d], detached.
        dead: indices of the dead latents, int64 [dead], at least one.
    """
    # index_select, not [dead]: the gradient of indexing is far slower on a CPU
    pre = nn.functional.linear(h - b_dec.detach(), w_enc.index_select(0, dead), b_enc.index_select(0, dead)).relu()
    limit = h.shape[1] // 2
    if len(dead) > limit:
        pre = pre * (pre >= kth_largest(pre.detach(), limit)[:, None])
    return (pre @ w_dec.index_select(0, dead) - residual).square().sum() / residual.square().sum().clamp_min(1e-12)


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, w_enc: Tensor, b_enc: Tensor, b_dec: Tensor, values: Tensor, centred: Tensor, pattern: Pattern
    ) -> Tensor:
        ctx.save_for_backward(w_enc, centred)
        ctx.pattern = pattern
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        w_enc, centred = ctx.saved_tensors
        pattern: Pattern = ctx.pattern
        grad_b_enc = torch.zeros_like(w_enc[:, 0]).index_add_(0, pattern.latent, grad)
        # sum over rows of W_enc^T g is W_enc^T of the summed g: no product over the batch
        return pattern.collect(grad, centred), grad_b_enc, -(grad_b_enc @ w_enc), None, None, None


class _Decode(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, w_dec: Tensor, pattern: Pattern) -> Tensor:
        ctx.save_for_backward(values, w_dec)
        ctx.pattern = pattern
        return pattern.combine(values, w_dec)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        values, w_dec = ctx.saved_tensors
        grad = grad.contiguous()
        return ctx.pattern.dot(grad, w_dec), ctx.pattern.collect(values, grad), None
