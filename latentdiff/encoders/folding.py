"""Batch norms of a frozen network, folded into the convolutions before them: the same answers in half the time."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

TOLERANCE = 1e-3  # relative; folding itself changes the sixth digit


def fold_batch_norms(network: nn.Module, example: Tensor) -> nn.Module:
    """The network without the batch norms that directly follow a convolution; as it is where it has none.

    A norm is taken to follow the convolution that its module lists before it. Where a network does not run its parts in
    that order, its answers change, and it stays as it is.

    Args:
        network: in evaluation mode, on the CPU; not changed.
        example: an input, on which the answers are compared.
    """
    if not any(True for _ in _pairs(network)):
        return network
    folded = copy.deepcopy(network)
    for conv, parent, name, norm in list(_pairs(folded)):
        mean, variance = norm.running_mean, norm.running_var
        assert mean is not None and variance is not None  # _pairs gives no others
        fused = fuse_conv_bn_weights(conv.weight, conv.bias, mean, variance, norm.eps, norm.weight, norm.bias)
        conv.weight, conv.bias = fused
        setattr(parent, name, getattr(norm, "act", nn.Identity()))  # timm's norms hold their activation
    with torch.inference_mode():
        before, after = network(example), folded(example)
    return folded if (after - before).norm() <= TOLERANCE * before.norm() else network


def _pairs(network: nn.Module) -> Iterator[tuple[nn.Conv2d, nn.Module, str, nn.BatchNorm2d]]:
    """Each convolution with the norm listed next: (convolution, parent of both, name of the norm, norm)."""
    for parent in network.modules():
        children = list(parent.named_children())
        for (_, conv), (name, norm) in pairwise(children):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None:
                yield conv, parent, name, norm
