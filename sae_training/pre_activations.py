"""Pre-activations, the one dense product of a training step: in full, or in bf16 as a prefilter.

Some hardware multiplies bf16 several times as fast as fp32. There, a rough product and a bound on its rounding errors
tell which entries can exceed a floor, and only these are computed exactly. The result equals the full product's.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from sae_training.codes import Pattern

BF16_ROUNDING = 2.0**-8  # relative
# both factors are rounded, then the result; 1 % more covers terms of second order
FACTOR_ERROR, RESULT_ERROR = 2.02 * BF16_ROUNDING, 1.02 * BF16_ROUNDING
MAXIMUM_CANDIDATE_SHARE = 0.05  # of the entries; with more, the full product is faster than exact values one by one


class PreActivations(Protocol):
    """Pre-activations [rows, latents] of a batch."""

    rows: int

    def some(self, count: int) -> Tensor:
        """About `count` rows [some, latents], spread over the batch; perhaps rounded."""

    def above(self, floor: Tensor) -> tuple[Tensor, Tensor]:
        """Entries above a floor: positions in the flattened block, int64 [nnz] ascending, and exact values [nnz].

        Args:
            floor: at least 0; one number [], or one per row [rows, 1].
        """


class Buffer:
    """Memory for one block, reused from step to step: allocating it anew takes as long as half a product."""

    def __init__(self) -> None:
        self._kept: dict[torch.dtype, Tensor] = {}

    def block(self, rows: int, latents: int, like: Tensor, dtype: torch.dtype) -> Tensor:
        """Uninitialised [rows, latents] on the device of `like`; the same memory in every call."""
        kept = self._kept.get(dtype)
        if kept is None or kept.numel() < rows * latents or kept.device != like.device:
            kept = self._kept[dtype] = torch.empty(rows * latents, dtype=dtype, device=like.device)
        return kept[: rows * latents].view(rows, latents)


class Full:
    """All pre-activations, exact.

    Args:
        block: [rows, latents].
    """

    def __init__(self, block: Tensor) -> None:
        self.block, self.rows = block, len(block)

    def some(self, count: int) -> Tensor:
        """See `PreActivations`."""
        return self.block[:: max(1, self.rows // count)]

    def above(self, floor: Tensor) -> tuple[Tensor, Tensor]:
        """See `PreActivations`."""
        index = positions_above(self.block, floor)
        return index, self.block.flatten()[index]


class Prefiltered:
    """Pre-activations from a bf16 product; entries above a floor are computed exactly.

    Args:
        centred: h - b_dec, float32 [rows, d].
        w_enc: [latents, d].
        b_enc: [latents].
        buffer: for the product.
    """

    def __init__(self, centred: Tensor, w_enc: Tensor, b_enc: Tensor, buffer: Buffer) -> None:
        self._weights, self._buffer, self.rows = (centred, w_enc, b_enc), buffer, len(centred)
        self._rough = buffer.block(self.rows, len(w_enc), centred, torch.bfloat16)
        torch.addmm(b_enc.bfloat16(), centred.bfloat16(), w_enc.bfloat16().T, out=self._rough)
        # |x.w - rounded(x).rounded(w)| <= 2 u |x| |w| (Cauchy-Schwarz); the sum with the bias is rounded once more
        largest = torch.linalg.vector_norm(w_enc, dim=1) * torch.linalg.vector_norm(centred, dim=1).max()
        self._margin = (FACTOR_ERROR + RESULT_ERROR) * largest + 2 * RESULT_ERROR * b_enc.abs()  # [latents]

    def some(self, count: int) -> Tensor:
        """See `PreActivations`."""
        return self._rough[:: max(1, self.rows // count)].float()

    def above(self, floor: Tensor) -> tuple[Tensor, Tensor]:
        """See `PreActivations`; takes one floor for all rows."""
        assert floor.ndim == 0, "a floor for each row takes the whole block: Variant(prefilter=False)"
        least = floor - self._margin
        if not bool((least > 0).all()):
            return self._full().above(floor)
        # positive bf16 numbers sort like their bits, and integers compare faster; -1 rounds the floor down
        bits = least.bfloat16().view(torch.int16) - 1
        candidates = positions_above(self._rough.view(torch.int16), bits)
        if len(candidates) > MAXIMUM_CANDIDATE_SHARE * self._rough.numel():
            return self._full().above(floor)
        values = self._exact(candidates)
        keep = values > floor
        return candidates[keep], values[keep]

    def _exact(self, index: Tensor) -> Tensor:
        centred, w_enc, b_enc = self._weights
        pattern = Pattern.of(index, *self._rough.shape)
        return pattern.dot(centred, w_enc) + b_enc[pattern.latent]

    def _full(self) -> Full:
        return full(*self._weights, self._buffer)


def full(centred: Tensor, w_enc: Tensor, b_enc: Tensor, buffer: Buffer) -> Full:
    """The exact product, written into the buffer.

    Args:
        centred: h - b_dec [rows, d].
        w_enc: [latents, d].
        b_enc: [latents].
        buffer: for the product.
    """
    block = buffer.block(len(centred), len(w_enc), centred, centred.dtype)
    return Full(torch.addmm(b_enc, centred, w_enc.T, out=block))


def has_fast_bf16(device: torch.device) -> bool:
    """Whether a device has instructions for bf16 products."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= 8
    # not `is_bf16_supported`, which is also true where bf16 is emulated
    return device.type == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def positions_above(block: Tensor, floor: Tensor) -> Tensor:
    """Where entries are above a floor: positions in the flattened block, ascending, int64 [nnz]."""
    if block.device.type == "cpu":  # numpy compares twice as fast as torch and finds the few hits four times as fast
        return torch.from_numpy(np.flatnonzero(block.numpy() > floor.numpy()))
    return (block > floor).flatten().nonzero().squeeze(1)
