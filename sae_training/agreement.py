"""How much of one sparse autoencoder another one found too (docs/methods.md, 1): latents with a like direction."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from sae_training.errors import SaeError
from sae_training.model import SparseAutoencoder

SAME = 0.7  # cosine of two decoder rows above which they count as one latent
BANDS = (0.0, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # of firing density; a band takes in its upper end
BLOCK = 1024  # rows of one product: never [m, m]


class Band(NamedTuple):
    """The latents of a range of firing densities."""

    above: float  # below 0: the band of those that never fire
    up_to: float
    latents: int
    share: float  # of them with a match; NaN where there are none


class Agreement(NamedTuple):
    """How many latents of one SAE have a match in another."""

    share: float  # of all latents
    bands: tuple[Band, ...]  # the silent, then rare to frequent; empty where densities are not known


def seed_agreement(a: SparseAutoencoder, b: SparseAutoencoder, density: Tensor | None = None) -> Agreement:
    """Share of the latents of `a` whose decoder row has a cosine above 0.7 with some decoder row of `b`.

    Args:
        a: whose latents are looked for.
        b: where they are looked for.
        density: [a.m] share of rows that fire each latent of `a`, for the shares by band.

    Raises:
        SaeError: the two take rows of different width.
    """
    if a.d != b.d:
        raise SaeError(f"the SAEs take rows of width {a.d} and {b.d}: compare SAEs of one encoder")
    matched = nearest_cosine(a.W_dec.detach(), b.W_dec.detach()) > SAME
    bands: tuple[Band, ...] = ()
    if density is not None:
        edges = (-1.0, *BANDS)
        density = density.to(matched.device)
        bands = tuple(_band(low, high, matched[(density > low) & (density <= high)]) for low, high in pairwise(edges))
    return Agreement(float(matched.double().mean()), bands)


def nearest_cosine(a: Tensor, b: Tensor) -> Tensor:
    """Each row's largest cosine with a row of the other, [rows of a].

    Args:
        a: [rows, d], of any length but 0.
        b: [other rows, d], likewise.
    """
    a, b = (torch.nn.functional.normalize(rows, dim=1) for rows in (a, b))
    return torch.cat([(block @ b.T).amax(dim=1) for block in a.split(BLOCK)])


def _band(above: float, up_to: float, matched: Tensor) -> Band:
    return Band(above, up_to, len(matched), float(matched.double().mean()))
