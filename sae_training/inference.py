"""Which latents fire at inference, and how rows are normalised first: two registries (docs/methods.md, 1).

Both look at one row alone, so that codes do not depend on the batch.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from sae_training.registry import choose

# pre-activations [rows, latents], threshold [] or [latents], k -> bool [rows, latents]
Rule = Callable[[Tensor, Tensor, int], Tensor]
Normaliser = Callable[[Tensor], tuple[Tensor, Tensor]]  # rows [rows, d] -> normalised, shift and spread [rows, 2]

EPSILON = 1e-5  # the value of SAELens, msae and OpenAI's code


def above_threshold(pre: Tensor, threshold: Tensor, k: int) -> Tensor:
    """Entries above the threshold: one for all latents, or one for each (JumpReLU)."""
    return pre > threshold


def topk(pre: Tensor, threshold: Tensor, k: int) -> Tensor:
    """The positive ones among the k largest entries of each row; entries equal to the smallest of them count too."""
    return _largest(pre, k) & (pre > 0)


def topk_abs(pre: Tensor, threshold: Tensor, k: int) -> Tensor:
    """The positive ones among the k entries of each row with the largest absolute value."""
    return _largest(pre.abs(), k) & (pre > 0)


def groupmax(pre: Tensor, threshold: Tensor, k: int) -> Tensor:
    """The largest entry of each of k groups of consecutive latents, where it is positive."""
    groups = pre.unflatten(1, (k, -1))
    return ((groups == groups.amax(dim=2, keepdim=True)) & (groups > 0)).flatten(1)


def layer_norm(h: Tensor) -> tuple[Tensor, Tensor]:
    """Each row minus its mean, over its standard deviation."""
    shift = h.mean(dim=1, keepdim=True)
    centred = h - shift
    spread = centred.std(dim=1, keepdim=True)
    return centred / (spread + EPSILON), torch.cat([shift, spread], dim=1)


def constant_norm(h: Tensor) -> tuple[Tensor, Tensor]:
    """Each row at length sqrt(d)."""
    spread = torch.linalg.vector_norm(h, dim=1, keepdim=True) / h.shape[1] ** 0.5
    return h / spread, torch.cat([torch.zeros_like(spread), spread], dim=1)


RULES: dict[str, Rule] = {"threshold": above_threshold, "topk": topk, "topk_abs": topk_abs, "groupmax": groupmax}
NORMALISERS: dict[str, Normaliser | None] = {"none": None, "layer_norm": layer_norm, "constant_norm": constant_norm}


def rule(name: str) -> Rule:
    """The rule of that name.

    Raises:
        SaeError: no such name; says the nearest one and lists all.
    """
    return choose("rule of inference", name, RULES)


def normaliser(name: str) -> Normaliser | None:
    """The normaliser of that name; None leaves rows as they are.

    Raises:
        SaeError: no such name; says the nearest one and lists all.
    """
    return choose("normalisation of rows", name, NORMALISERS)


def _largest(values: Tensor, k: int) -> Tensor:
    # by value, not by topk's positions: among equal entries these may depend on the batch
    return values >= values.topk(k).values[:, -1:]
