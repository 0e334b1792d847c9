"""Enrichment tests: are the images that show a thing mostly of one side? (docs/methods.md, 4 and 13)

How much images show a thing was fixed before anyone looked at the sides. Its score is the sum, over the images of a
side, of a power of that, less what is expected where the sides were dealt at random. Permuted sides say how small the
smallest p of all things gets by chance (min-P, Westfall and Young 1993), which costs far less than Bonferroni's
correction where things are correlated. Powers and things that promise more, whatever the sides, count for more
(weighted p values, Genovese, Roeder and Wasserman 2006).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from latentdiff.statistics.counts import Floats
from latentdiff.statistics.ranked_lists import Flags, Integers, RankedLists
from latentdiff.statistics.tails import log_tail

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Powers of how much images show a thing, with the share of the level that each has: the square sees what is rare, in
# the images that show it most; 0, whether images show it at all, what is common, of which there is evidence enough.
POWERS = {0: 0.05, 2: 0.95}
FEWEST = 5  # images that show a thing that is tested
CLOSED_FROM = 50_000  # images of both sides from which Bonferroni's bound stands for the permutations
_PERMUTED_AT_ONCE = 50
_LEAST_WEIGHT = 1e-6
_LEAST_SPREAD = 1e-6
_ROUNDING = 1e-9  # relative, by which p values that are equal differ


@dataclass(frozen=True, eq=False)
class Enrichment:
    """How sure each list is of one side.

    Attributes:
        first: [lists] whether the first side has more of it.
        power: [lists] the one of `POWERS` at which that is surest.
        p_value: [lists] there, one-sided and uncorrected; 1 where it is not tested.
        adjusted: [lists] corrected for every list, power and side (family-wise).
        cut: [lists] the largest p of each, at that power, that is significant at the level.
        plain_cut: the same of a list of weight 1, at the power with the largest share.
    """

    first: Flags
    power: Integers
    p_value: Floats
    adjusted: Floats
    cut: Floats
    plain_cut: float


def enrichment_test(
    lists: RankedLists,
    own: Flags,
    level: float,
    permutations: int = 400,
    seed: int = 0,
    strata: Integers | None = None,
    weights: Floats | None = None,
) -> Enrichment:
    """Tests every list for both sides.

    Args:
        lists: made without a look at the sides, of images in an order that does not know them either.
        own: [n] which images are of the first side.
        level: family-wise, of what counts as significant.
        permutations: of the sides; without strata unused where there are `CLOSED_FROM` images or more.
        seed: of the permutations.
        strata: [n] of each image: what differs between them counts for nothing. Sides are permuted inside them, and
            nothing else says how small a p is.
        weights: [lists] at least 0, larger for what promises more whatever the sides are; scaled to a mean of 1 over
            the lists that are tested.
    """
    scores = _Scores(lists, own, strata)
    tested = scores.tested
    weights = np.ones(len(lists)) if weights is None else np.where(tested, weights, 0.0)
    weights = np.maximum(weights / (weights[tested].mean() if tested.any() else 1.0), _LEAST_WEIGHT)
    of_tests = np.log(len(POWERS) * np.array(list(POWERS.values())))[:, None, None] + np.log(weights)
    log_p = scores.log_p(own[:, None])[..., 0]  # [powers, sides, lists]
    surest = (log_p - of_tests).reshape(2 * len(POWERS), len(lists)).argmin(0)
    power, side = np.divmod(surest, 2)
    at = (power, side, np.arange(len(lists)))
    p_value, weighted = np.exp(log_p[at]), np.exp((log_p - of_tests)[at])
    tests = 2 * len(POWERS) * max(int(tested.sum()), 1)
    adjusted, cut = np.minimum(weighted * tests, 1.0), level / tests
    if tested.any() and (strata is not None or (len(own) < CLOSED_FROM and permutations)):
        smallest = np.sort(list(_smallest(scores, own, permutations, seed, strata, of_tests[..., None])))
        by_permutation = (1 + np.searchsorted(smallest, weighted * (1 + _ROUNDING), side="right")) / (permutations + 1)
        place = int(level * (permutations + 1)) - 1
        chance = float(smallest[place]) * (1 - 2 * _ROUNDING) if place >= 0 else 0.0
        # what is surer than every permutation is as sure as the bound says; inside strata no bound holds
        adjusted = by_permutation if strata is not None else np.minimum(by_permutation, adjusted)
        cut = chance if strata is not None else max(chance, cut)
    return Enrichment(
        first=side == 0,
        power=np.array(list(POWERS))[power],
        p_value=np.where(tested, p_value, 1.0),
        adjusted=np.where(tested, adjusted, 1.0),
        cut=np.minimum(cut * np.exp(of_tests[power, 0, np.arange(len(lists))]), 1.0),
        plain_cut=cut * len(POWERS) * max(POWERS.values()),
    )


def permuted(
    own: Flags, permutations: int, seed: int, strata: Integers | None = None
) -> Iterator[npt.NDArray[np.bool_]]:
    """Sides dealt anew [n], inside strata where there are any.

    Args:
        own: [n] which images are of the first side.
        permutations: how many.
        seed: of the draws.
        strata: [n] of each image.
    """
    draw = np.random.default_rng(seed)
    parts = [np.arange(len(own))] if strata is None else [np.flatnonzero(strata == one) for one in np.unique(strata)]
    for _ in range(permutations):
        dealt = np.empty(len(own), bool)
        for part in parts:
            dealt[part] = own[part][draw.permutation(len(part))]
        yield dealt


def _smallest(
    scores: _Scores, own: Flags, permutations: int, seed: int, strata: Integers | None, log_weights: Floats
) -> Iterator[float]:
    """The smallest weighted p of all lists, powers and sides, of each permutation."""
    batch: list[Flags] = []
    for number, dealt in enumerate(permuted(own, permutations, seed, strata), 1):
        batch.append(dealt)
        if len(batch) == _PERMUTED_AT_ONCE or number == permutations:
            log_p = scores.log_p(np.stack(batch, axis=1)) - log_weights  # [powers, sides, lists, batch]
            yield from np.exp(log_p[:, :, scores.tested].min((0, 1, 2))).tolist()
            batch = []


def _members(n: int, strata: Integers | None) -> Floats | csr_array:
    """[n, strata] which images are in which stratum."""
    from scipy.sparse import csr_array

    if strata is None:
        return np.ones((n, 1))
    _, stratum = np.unique(strata, return_inverse=True)
    return csr_array((np.ones(n), (np.arange(n), stratum)))


def _dense(product: Floats | csr_array) -> Floats:
    return product if isinstance(product, np.ndarray) else np.asarray(product.toarray())


class _Scores:
    """Scores of all lists, with the moments they have where the sides are dealt at random.

    Attributes:
        tested: [lists] which enough images show.
    """

    def __init__(self, lists: RankedLists, own: Flags, strata: Integers | None) -> None:
        from scipy.sparse import csr_array

        lengths = lists.lengths
        most = np.append(lists.values, 1.0)[lists.starts[:-1]].astype(np.float64)  # of an empty list any value
        amount = lists.values / np.repeat(most, lengths)
        member = _members(lists.n, strata)
        size = member.sum(0)
        shape = (len(lists), lists.n)
        powers = [csr_array((amount**power, lists.images, lists.starts), shape=shape) for power in POWERS]
        self._powers = [_Moments.of(weights, member, (own @ member) / size, size) for weights in powers]
        self.tested = (lengths >= FEWEST) & np.any([of.spread > _LEAST_SPREAD for of in self._powers], axis=0)

    def log_p(self, own: npt.NDArray[np.bool_]) -> Floats:
        """log p that the first side has more of each list, and that the other has.

        Args:
            own: [n, k] which images are of the first side, k times.

        Returns:
            [powers, 2, lists, k]; 0 where a list is not tested.
        """
        sides = own.astype(np.float64)
        return np.where(self.tested[:, None], np.stack([of.log_p(sides) for of in self._powers]), 0.0)


class _Moments(NamedTuple):
    """Sums of one power over the first side's images, and how they are distributed where the sides are dealt."""

    weights: csr_array  # [lists, n]
    expected: Floats  # [lists]
    spread: Floats
    skewness: Floats

    @classmethod
    def of(cls, weights: csr_array, member: Floats | csr_array, share: Floats, size: Floats) -> _Moments:
        """From what each stratum's images show, and the first side's share of them."""
        total = [_dense(weights.power(k) @ member) for k in (1, 2, 3)]  # [lists, strata] each
        mean = total[0] / size
        squares = total[1] - size * mean**2
        cubes = total[2] - 3 * mean * total[1] + 2 * size * mean**3
        variance = (squares * (share * (1 - share) * size / np.maximum(size - 1, 1))).sum(1)
        third = (cubes * (share * (1 - share) * (1 - 2 * share))).sum(1)
        spread = np.sqrt(np.maximum(variance, 0.0))
        skewness = np.divide(third, spread**3, out=np.zeros(len(spread)), where=spread > _LEAST_SPREAD)
        return cls(weights, (total[0] * share).sum(1), spread, skewness)

    def log_p(self, own: Floats) -> Floats:
        """[2, lists, k] of k ways [n, k] in which the sides may lie."""
        excess = self.weights @ own - self.expected[:, None]
        z = excess / np.maximum(self.spread, _LEAST_SPREAD)[:, None]
        skewness = self.skewness[:, None]
        tails = np.stack([log_tail(z, skewness), log_tail(-z, -skewness)])
        return np.where(self.spread[:, None] > _LEAST_SPREAD, tails, 0.0)  # what all images show alike says nothing
