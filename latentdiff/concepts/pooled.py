"""The firings of two sets side by side, sorted so that every latent is one stretch of ascending values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentdiff.concepts.sums import Floats, LatentStatistics

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pooled:
    """Two sets, latent by latent.

    Attributes:
        n_a, n_b: images of each set.
        count_a, count_b: [latents] how many of them fire each latent.
        mean_a, mean_b: [latents] mean activation over all images of the set, silent ones included.
        starts: [latents + 1] where the firings of each latent start in the arrays below.
        latent, value, in_a: [firings] latent, activation, and whether the image is of A; by latent, then value.
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
    in_a: npt.NDArray[np.bool_]

    @property
    def n(self) -> int:
        """Images of both sets."""
        return self.n_a + self.n_b

    @property
    def latents(self) -> int:
        """Latents of the SAE, firing or not."""
        return len(self.count_a)

    @property
    def count(self) -> Integers:
        """[latents] images of both sets that fire each latent."""
        return self.count_a + self.count_b

    @property
    def gap(self) -> Floats:
        """[latents] mean activation in A minus that in B; its sign is a finding's direction."""
        return self.mean_a - self.mean_b

    def total(self, per_firing: npt.NDArray[np.bool_]) -> Integers:
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


def pool(a: LatentStatistics, b: LatentStatistics) -> Pooled:
    """Put the firings of two sets side by side."""
    latent = np.concatenate([a.latent_of, b.latent_of])
    value = np.concatenate([a.values, b.values]).astype(float)
    in_a = np.arange(len(latent)) < len(a.rows)
    order = np.lexsort((value, latent))
    return Pooled(
        n_a=a.n,
        n_b=b.n,
        count_a=a.counts,
        count_b=b.counts,
        mean_a=a.sums / a.n,
        mean_b=b.sums / b.n,
        starts=a.starts + b.starts,
        latent=latent[order],
        value=value[order],
        in_a=in_a[order],
    )
