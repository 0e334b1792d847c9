"""One training step (docs/methods.md, 1): a dense encoder product, then sparse work on the survivors alone.

99 % and more of a batch's codes are zero. Decoding and all gradients run through the non-zero ones, the survivors, and
equal those of the dense computation.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sae_training.codes import Pattern
from sae_training.pre_activations import Buffer, Prefiltered, full
from sae_training.sparsity import Variant, kth_largest

AUX_ROW_STRIDE = 4  # a quarter of the cost; the rows of a batch are alike


class Survivors(NamedTuple):
    """The codes of a training batch: where they are non-zero, and their values, which carry gradients."""

    pattern: Pattern
    values: Tensor  # [nnz]


def encode(
    h: Tensor,
    w_enc: Tensor,
    b_enc: Tensor,
    b_dec: Tensor,
    variant: Variant,
    k: int,
    *,
    buffer: Buffer | None = None,
    prefilter: bool = False,
) -> Survivors:
    """The survivors of a batch.

    Args:
        h: standardised rows [rows, d]; takes no gradient.
        w_enc: [latents, d].
        b_enc: [latents].
        b_dec: [d].
        variant: which entries survive (sparsity.py).
        k: survivors per row.
        buffer: for the product, kept from step to step by the caller.
        prefilter: find the candidates in a bf16 product (pre_activations.py), where the variant allows it.
    """
    with torch.no_grad():
        centred = h - b_dec
        # a process's share of a small batch may be empty
        product = Prefiltered if prefilter and variant.prefilter and len(h) else full
        index, values = variant.select(product(centred, w_enc, b_enc, buffer or Buffer()), k)
        pattern = Pattern.of(index, len(h), len(w_enc))
    return Survivors(pattern, _Encode.apply(w_enc, b_enc, b_dec, values, centred, pattern))


def decode(survivors: Survivors, w_dec: Tensor, b_dec: Tensor) -> Tensor:
    """The reconstruction [rows, d] of a batch from its survivors.

    Args:
        survivors: of the batch.
        w_dec: [latents, d].
        b_dec: [d].
    """
    return _Decode.apply(survivors.values, w_dec, survivors.pattern) + b_dec


def residuals(h: Tensor, survivors: Survivors, w_dec: Tensor, b_dec: Tensor, widths: list[int]) -> list[Tensor]:
    """Residuals h - h_hat [rows, d], one for the reconstruction from each prefix of the latents.

    Args:
        h: standardised rows [rows, d].
        survivors: of the batch.
        w_dec: [latents, d].
        b_dec: [d].
        widths: latents in each prefix, ascending; the last prefix is all latents.
    """
    if len(widths) == 1:
        return [h - decode(survivors, w_dec, b_dec)]
    left, start, found = h - b_dec, 0, []
    pattern, values = survivors
    for width in widths:
        group = ((pattern.latent >= start) & (pattern.latent < width)).nonzero().squeeze(1)
        part = Pattern(pattern.row[group], pattern.latent[group] - start, pattern.rows, width - start)
        left = left - _Decode.apply(values.index_select(0, group), w_dec[start:width], part)
        found.append(left)
        start = width
    return found


def auxiliary_loss(
    h: Tensor, residual: Tensor, dead: Tensor, w_enc: Tensor, b_enc: Tensor, w_dec: Tensor, b_dec: Tensor
) -> tuple[Tensor, Tensor]:
    """The auxiliary loss, as numerator and denominator: how badly dead latents alone reconstruct the residual.

    Each row uses the min(d/2, dead) largest positive pre-activations of dead latents. Only the dead latents' own
    weights get gradients.

    Args:
        h: standardised rows [rows, d].
        residual: h minus its reconstruction [rows, d], detached.
        dead: indices of the dead latents, int64 [dead], at least one.

    Returns:
        The squared error of that reconstruction, and the square of the residual, each summed over all entries.
    """
    # index_select, not [dead]: the gradient of indexing is far slower on a CPU
    pre = nn.functional.linear(h - b_dec.detach(), w_enc.index_select(0, dead), b_enc.index_select(0, dead)).relu()
    limit = h.shape[1] // 2
    if len(dead) > limit:
        pre = pre * (pre >= kth_largest(pre.detach(), limit)[:, None])
    left = pre @ w_dec.index_select(0, dead) - residual
    return left.square().sum(), residual.square().sum()


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
