"""What all builders share: random order by seed and names alone, and the number of images for a scarcity."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import SIDES
from latentdiff.naming.wordnet import read_wordnet
from latentdiff.noisydiff.pairs.pair import Pair, Truth

T = TypeVar("T")


class TooFewImages(LatentDiffError):
    """The images do not suffice for one pair; those for others may."""


@dataclass(frozen=True)
class Parts:
    """One side before its scarcity is set. Both parts are in random order; images are taken from the beginning."""

    background: tuple[str, ...]
    planted: tuple[str, ...]  # the images that show the side's truth


def shuffled(ids: Iterable[str], seed: int, *names: str) -> list[str]:
    """Random order, the same for the same ids, seed and names, in whatever order the ids come.

    Args:
        ids: of images, each once.
        seed: of the benchmark, 0 or more.
        names: what the order is for; other names give another order.
    """
    if seed < 0:
        raise LatentDiffError(f"the seed is {seed}; use 0 or more")
    key = int.from_bytes(hashlib.blake2b("\0".join(names).encode(), digest_size=8).digest(), "little")
    ordered = sorted(ids)
    return [ordered[i] for i in np.random.default_rng([seed, key]).permutation(len(ordered))]


def halves(ids: Iterable[str], seed: int, *names: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Two disjoint random halves; of an odd number the second gets one more."""
    order = shuffled(ids, seed, *names)
    return tuple(order[: len(order) // 2]), tuple(order[len(order) // 2 :])


def matched(items: Iterable[str], seed: int, *names: str) -> Iterator[tuple[str, str]]:
    """All pairs of different items, each once, so that the first pairs hold every item equally often.

    Rounds of a tournament: in each round every item meets another one (of an odd number one rests).
    """
    order: list[str | None] = list(shuffled(items, seed, *names))
    if len(order) % 2:
        order.append(None)
    for _ in range(len(order) - 1):
        for one, other in zip(order[: len(order) // 2], reversed(order), strict=False):
            if one is not None and other is not None:
                yield one, other
        order = [order[0], order[-1], *order[1:-1]]


def counts(background: int, planted: int, scarcity: float | None, size: int | None = None) -> tuple[int, int]:
    """How many images of each kind make a side of this scarcity.

    Args:
        background, planted: images there are.
        scarcity: share of planted images, between 0 and 1; None: all images, as the data have it.
        size: images of the side, None for as many as can be had.

    Returns:
        Background and planted images to take; of the planted ones half an image more or less than exact, at most.

    Raises:
        TooFewImages: there are not so many.
    """
    check_share(scarcity, size)
    total, few = background + planted, planted
    if scarcity is not None:
        largest = min(background / (1 - scarcity), planted / scarcity)
        total = size or int(largest + 1e-9)  # 3 / 0.01 may come out just below 300
        few = round(scarcity * total)
    if not 1 <= few <= planted or not 1 <= total - few <= background:
        share = "any share" if scarcity is None else f"a share of {scarcity:g}"
        raise TooFewImages(
            f"{background} images of background and {planted} of what is planted are too few for {share}"
            f"{f' in {size} images' if size else ''}; give more images or another scarcity"
        )
    return total - few, few


def check_share(scarcity: float | None, size: int | None) -> None:
    """Scarcity and size must be possible.

    Raises:
        LatentDiffError: they are not.
    """
    if scarcity is not None and not 0.0 < scarcity < 1.0:
        raise LatentDiffError(f"the scarcity is {scarcity:g}; give a share between 0 and 1, such as 0.02")
    if size is not None and (size < 2 or scarcity is None):
        raise LatentDiffError(f"the size of a side is {size}; it needs 2 or more images, and a scarcity")


def assemble(
    name: str, parent: str, sides: Sequence[Parts], truths: Sequence[Truth], recipe: Mapping[str, Any], seed: int
) -> Pair:
    """The pair that is made of as many images of each side as the recipe's scarcity and size ask for.

    Raises:
        TooFewImages: there are not so many.
    """
    ids, shares, planted = [], [], []
    for side in sides:
        many, few = counts(len(side.background), len(side.planted), recipe["scarcity"], recipe["size"])
        # sorted, so that the order tells nothing
        ids.append(tuple(sorted((*side.background[:many], *side.planted[:few]))))
        shares.append(few / (many + few))
        planted.append(few)
    truth, shown = dict(zip(SIDES, truths, strict=True)), dict(zip(SIDES, planted, strict=True))
    return Pair(name, parent, ids[0], ids[1], truth, sum(shares) / 2, seed, recipe, shown)


def first_built(candidates: Iterable[T], build: Callable[[T], Pair], count: int) -> list[Pair]:
    """The first `count` pairs that can be built; candidates with too few images are passed over.

    Raises:
        LatentDiffError: there are not so many.
    """
    pairs: list[Pair] = []
    reason = ""
    for candidate in candidates:
        if len(pairs) == count:
            break
        try:
            pairs.append(build(candidate))
        except TooFewImages as error:
            reason = f" (for one, {error})"
    if len(pairs) < count:
        raise LatentDiffError(f"{count} pairs were asked for, {len(pairs)} can be built{reason}")
    return pairs


def truth_of(name: str) -> Truth:
    """What a label says: a WordNet id stands for its first name, other labels for themselves and what they mean."""
    nouns = read_wordnet()
    if name in nouns.nouns:
        phrase = nouns[name].lemmas[0]
        return Truth(phrase, (phrase,), name)
    phrase = " ".join(name.replace("_", " ").split())
    return Truth(phrase, (phrase,), nouns.meant(phrase))
