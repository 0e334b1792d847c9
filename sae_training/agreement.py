"""Which latents of one sparse autoencoder have a match of like direction in another (docs/methods.md, 1)."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from sae_training.errors import SaeError
from sae_training.model import SparseAutoencoder

MATCHING_COSINE = 0.7  # of two decoder rows
DENSITY_BAND_ENDS = (0.0, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # a band includes its upper end; the first holds density 0 alone
BLOCK_ROWS = 1024  # so that no product is [latents, latents]


class Band(NamedTuple):
    """The latents of a range of firing densities."""

    above: float  # negative: the band of those that never fire
    up_to: float
    latents: int
    share: float  # of them with a match; NaN where there are none


class Agreement(NamedTuple):
    """How many latents of one SAE have a match in another."""

    share: float  # of all latents
    bands: tuple[Band, ...]  # those that never fire, then rare to frequent; empty where densities are not known


def seed_agreement(a: SparseAutoencoder, b: SparseAutoencoder, density: Tensor | None = None) -> Agreement:
    """Share of the latents of `a` whose decoder row has a cosine above 0.7 with some decoder row of `b`.

    Args:
        a: its latents are looked for ...
        b: ... among the latents of this one.
        density: [latents of a] share of rows that fire each latent of `a`, for the shares by band.

    Raises:
        SaeError: the two take rows of different width.
    """
    if a.d_in != b.d_in:
        raise SaeError(f"the SAEs take rows of width {a.d_in} and {b.d_in}: compare SAEs of one encoder")
    matched = nearest_cosine(a.W_dec.detach(), b.W_dec.detach()) > MATCHING_COSINE
    bands: tuple[Band, ...] = ()
    if density is not None:
        edges = (-1.0, *DENSITY_BAND_ENDS)
        density = density.to(matched.device)
        bands = tuple(_band(low, high, matched[(density > low) & (density <= high)]) for low, high in pairwise(edges))
    return Agreement(float(matched.double().mean()), bands)


def nearest_cosine(a: Tensor, b: Tensor) -> Tensor:
    """Each row's largest cosine with a row of the other, [rows of a].

    Args:
        a: [rows, d], not zero.
        b: [other rows, d], not zero.
    """
    a, b = (torch.nn.functional.normalize(rows, dim=1) for rows in (a, b))
    return torch.cat([(block @ b.T).amax(dim=1) for block in a.split(BLOCK_ROWS)])


def _band(above: float, up_to: float, matched: Tensor) -> Band:
    return Band(above, up_to, len(matched), float(matched.double().mean()))
