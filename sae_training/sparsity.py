"""Which entries survive in training (docs/methods.md, 1): a registry of variants.

A rule takes the pre-activations of a batch and k. It returns the survivors, all of them positive: positions in the
flattened block [rows, latents], int64 [nnz] ascending, and values [nnz]. At inference all variants use one threshold.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sae_training import distributed
from sae_training.pre_activations import Full, PreActivations
from sae_training.registry import choose

Rule = Callable[[PreActivations, int], tuple[Tensor, Tensor]]

SAMPLED_ROWS = 64  # for a guess of the batch's smallest survivor
SAMPLED_ENTRIES_PER_SURVIVOR = 1.3  # above 1: the guess is low, so that few batches need a second selection
PIECES_PER_SURVIVOR = 8  # of a row


def batch_topk(pre: PreActivations, k: int) -> tuple[Tensor, Tensor]:
    """The rows * k largest positive entries of the whole batch, over all processes; ties with the smallest survive too.

    A few rows give a floor that is most likely a little low, and the exact selection is among the entries above it, a
    hundredth of the batch. Where the floor turns out too high, the selection is among all positive entries.

    Args:
        pre: of the batch, or of this process's share of it.
        k: survivors per row, on average.
    """
    sample = pre.some(SAMPLED_ROWS)
    wanted = k * int(distributed.total(torch.tensor(pre.rows, device=sample.device)))
    floor = distributed.smallest(_low_guess(sample, k))
    index, values = pre.above(floor)
    everywhere = distributed.gather(values)
    if len(everywhere) < wanted and floor > 0:
        index, values = pre.above(torch.zeros_like(floor))
        everywhere = distributed.gather(values)
    surplus = len(everywhere) - wanted
    if surplus <= 0:
        return index, values
    keep = values >= everywhere.kthvalue(surplus + 1).values
    return index[keep], values[keep]


def topk(pre: PreActivations, k: int) -> tuple[Tensor, Tensor]:
    """The positive ones among the k largest entries of each row; ties with the smallest survive too.

    Args:
        pre: of the batch.
        k: survivors per row, at most.
    """
    assert isinstance(pre, Full)  # a floor for each row needs the whole block
    latents = pre.block.shape[1]
    index, values = pre.above(_row_floors(pre.block, k))
    row = index.div(latents, rounding_mode="floor")
    order = values.argsort(descending=True)
    order = order[row[order].argsort(stable=True)]  # by row, the largest first
    counts = torch.bincount(row, minlength=pre.rows)
    last = counts.cumsum(0) - counts + k - 1  # position of each row's k-th largest, if it has so many
    least = torch.where(counts > k, values[order[last.clamp(0, max(0, len(order) - 1))]], 0) if len(order) else values
    keep = values >= least[row]
    return index[keep], values[keep]


@dataclass(frozen=True)
class Variant:
    """How a batch becomes sparse, and which prefixes of the latents must reconstruct it."""

    select: Rule
    prefixes: tuple[float, ...] = (1.0,)  # shares of the latents, ascending, each of which reconstructs on its own
    prefilter: bool = True  # whether a bf16 product may find the candidates

    def widths(self, latents: int) -> list[int]:
        """Number of latents of each prefix; the last is all of them."""
        widths = [max(1, int(share * latents)) for share in self.prefixes[:-1]]
        return sorted({*widths, latents})


VARIANTS: dict[str, Variant] = {
    "batch_topk": Variant(batch_topk),
    "topk": Variant(topk, prefilter=False),
    # groups of .0625, .125, .25, .5625 of the latents, as Pach et al. 2025 use for CLIP
    "matryoshka_batch_topk": Variant(batch_topk, prefixes=(0.0625, 0.1875, 0.4375, 1.0)),
}


def variant(name: str) -> Variant:
    """The variant of that name.

    Raises:
        SaeError: no such name; says the nearest one and lists all.
    """
    return choose("sparsity variant", name, VARIANTS)


def _low_guess(sample: Tensor, k: int) -> Tensor:
    wanted = math.ceil(SAMPLED_ENTRIES_PER_SURVIVOR * k * len(sample))
    if wanted >= sample.numel():
        return sample.new_zeros(())
    return kth_largest(sample.reshape(1, -1), wanted).squeeze(0).clamp_min(0)


def _row_floors(block: Tensor, k: int) -> Tensor:
    """Floors [rows, 1], at least 0, that k entries of the row surely exceed: the k-th largest maximum of its pieces."""
    latents = block.shape[1]
    width = max(1, latents // (PIECES_PER_SURVIVOR * k))
    pieces = latents // width
    largest = block[:, : pieces * width].unflatten(1, (pieces, width)).amax(dim=2)
    floor = kth_largest(largest, k)[:, None]
    return torch.nextafter(floor, torch.full_like(floor, -math.inf)).clamp_min(0)


def kth_largest(block: Tensor, k: int) -> Tensor:
    """The k-th largest entry of each row of a block [rows, width], [rows]."""
    place = block.shape[1] - k
    if block.device.type == "cpu":  # numpy's partition is twenty times as fast
        return torch.from_numpy(np.partition(block.numpy(), place, axis=1)[:, place])
    return block.kthvalue(place + 1, dim=1).values
