"""Who survives in training (docs/methods.md, 1): a registry of rules from pre-activations to surviving entries.

A rule takes pre-activations [rows, latents] and k, and returns the positions of the survivors in the flattened block,
ascending, int64 [nnz]; only positive entries survive. At inference all variants use one threshold (calibration.py).
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from sae_training.errors import SaeError

Rule = Callable[[Tensor, int], Tensor]

SAMPLED_ROWS = 64  # whose k-th largest entry tells about where the batch's lies
SLACK = 1.3  # entries taken from the sample per entry wanted: the guess is low, so that few batches need a second look


def batch_topk(pre: Tensor, k: int) -> Tensor:
    """The rows * k largest positive entries of the whole batch; entries equal to the smallest of them survive too.

    A few rows give a threshold that is surely a little low; the exact selection is then among the entries above it,
    a hundredth of the batch. Where the guess was too high after all, the selection is among all positive entries.

    Args:
        pre: pre-activations [rows, latents].
        k: survivors per row, on average.
    """
    flat, count = pre.flatten(), k * len(pre)
    floor = _low_guess(pre, k)
    index = _true(flat > floor)
    if len(index) < count and floor > 0:
        index = _true(flat > 0)
    surplus = len(index) - count
    if surplus <= 0:
        return index
    values = flat[index]
    return index[values >= values.kthvalue(surplus + 1).values]


def topk(pre: Tensor, k: int) -> Tensor:
    """The k largest entries of each row, as far as they are positive, and entries equal to the smallest of them.

    Args:
        pre: pre-activations [rows, latents].
        k: survivors per row, at most.
    """
    return _true(((pre >= kth_largest(pre, k)[:, None]) & (pre > 0)).flatten())


VARIANTS: dict[str, Rule] = {"batch_topk": batch_topk, "topk": topk}


def variant(name: str) -> Rule:
    """The rule of that name.

    Raises:
        SaeError: no such name; says the nearest one and lists all.
    """
    if name in VARIANTS:
        return VARIANTS[name]
    near = difflib.get_close_matches(name, VARIANTS, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise SaeError(f"unknown sparsity variant '{name}'{hint} (valid: {', '.join(sorted(VARIANTS))})")


def _low_guess(pre: Tensor, k: int) -> float:
    sample = pre[:: max(1, len(pre) // SAMPLED_ROWS)]
    wanted = math.ceil(SLACK * k * len(sample))
    if wanted >= sample.numel():
        return 0.0
    return max(0.0, float(sample.flatten().topk(wanted, sorted=False).values.min()))


def kth_largest(block: Tensor, k: int) -> Tensor:
    """Of each row of a block [rows, width] the k-th largest entry, [rows]."""
    place = block.shape[1] - k
    if block.device.type == "cpu":  # numpy's partition is twenty times as fast
        return torch.from_numpy(np.partition(block.numpy(), place, axis=1)[:, place])
    return block.kthvalue(place + 1, dim=1).values


def _true(mask: Tensor) -> Tensor:
    """Where a mask holds, ascending, int64 [nnz]."""
    if mask.device.type == "cpu":  # numpy finds the few True in a long mask four times as fast
        return torch.from_numpy(np.flatnonzero(mask.numpy()))
    return mask.nonzero().squeeze(1)
