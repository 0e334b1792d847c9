"""The firings of two groups side by side, sorted once so that every latent is one stretch of ascending values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentdiff.proposers.latent_statistics import Floats, LatentStatistics

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PooledActivations:
    """Two groups, latent by latent.

    Attributes:
        n_a, n_b: images of each group.
        count_a, count_b: [latents] how many of them fire each latent.
        mean_a, mean_b: [latents] mean activation over all images of the group, silent ones included.
        starts: [latents + 1] where the firings of each latent start in the arrays below.
        latent, value, in_a, row: [firings] latent, activation, whether the image is of A, and its row in the set of
            its side; by latent, then value.
    """

    n_a: int
    n_b: int
    count_a: Integers
    count_b: Integers
    mean_a: Floats
    mean_b: Floats
    starts: Integers
    latent: Integers
    value: Floats
    in_a: Flags
    row: npt.NDArray[np.uint32]

    @property
    def n(self) -> int:
        """Images of both groups."""
        return self.n_a + self.n_b

    @property
    def latents(self) -> int:
        """Latents of the SAE, firing or not."""
        return len(self.count_a)

    @property
    def count(self) -> Integers:
        """[latents] images of both groups that fire each latent."""
        return self.count_a + self.count_b

    @property
    def gap(self) -> Floats:
        """[latents] mean activation in A minus that in B; its sign is a finding's direction."""
        return self.mean_a - self.mean_b

    def total(self, per_firing: Flags) -> Integers:
        """[latents] how many firings of each latent are true in a mask [firings]."""
        return np.bincount(self.latent[per_firing], minlength=self.latents)

    def ranked_value(self, rank: Integers, among: Integers) -> Floats:
        """[latents] the value at an ascending rank (0 = smallest) among a latent's firings and zeros.

        Args:
            rank: [latents] below `among`.
            among: [latents] how many values each latent has: its firings, and zeros for what is more.
        """
        position = rank - (among - self.count)
        here = np.clip(self.starts[:-1] + position, 0, max(len(self.value) - 1, 0))
        return np.where(position >= 0, np.append(self.value, 0.0)[here], 0.0)


def pool(a: LatentStatistics, b: LatentStatistics) -> PooledActivations:
    """Put the firings of two sets side by side."""
    latent = np.concatenate([a.latent_of, b.latent_of])
    value = np.concatenate([a.values, b.values])
    in_a = np.arange(len(latent)) < len(a.rows)
    row = np.concatenate([a.rows, b.rows])
    order = np.argsort(_sort_key(latent, value), kind="stable")
    latent, value, in_a, row = latent[order], value[order].astype(float), in_a[order], row[order]
    count_a, count_b = (np.bincount(of, minlength=a.latents) for of in (latent[in_a], latent[~in_a]))
    return PooledActivations(
        n_a=a.n,
        n_b=b.n,
        count_a=count_a,
        count_b=count_b,
        mean_a=np.bincount(latent[in_a], value[in_a], a.latents) / a.n,
        mean_b=np.bincount(latent[~in_a], value[~in_a], a.latents) / b.n,
        starts=np.concatenate([[0], np.cumsum(count_a + count_b)]),
        latent=latent,
        value=value,
        in_a=in_a,
        row=row,
    )


def _sort_key(latent: Integers, value: npt.NDArray[np.float32]) -> npt.NDArray[np.uint64]:
    """[firings] one number that sorts by latent, then by value: faster than sorting by two columns.

    The bits of a float sort as the float does once the sign bit is flipped, and below zero all others too.
    """
    bits = value.view(np.uint32)
    ascending = np.where(bits >> 31, ~bits, bits | np.uint32(2**31))
    return latent.astype(np.uint64) << np.uint64(32) | ascending
