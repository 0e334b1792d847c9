"""Null pairs (A = A): random halves of one set, between which there is no difference to find."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from latentdiff.errors import LatentDiffError
from latentdiff.noisydiff.pairs.pair import Pair, unique_ids
from latentdiff.noisydiff.pairs.sampling import shuffled

NAME = "halves"  # in a pair's recipe and id


def null_pairs(ids: Iterable[str], count: int = 100, size: int | None = None, seed: int = 0) -> list[Pair]:
    """Random halves of a set, cut anew for each pair.

    Args:
        ids: of the images, each once.
        count: pairs.
        size: images of each side; None: half of the set.
        seed: of all draws.

    Raises:
        LatentDiffError: the set has too few images, or an image twice.
    """
    ids = list(ids)
    return [null_pair(ids, number, size, seed) for number in range(count)]


def null_pair(ids: Iterable[str], number: int = 0, size: int | None = None, seed: int = 0) -> Pair:
    """One cut of many, the same for the same number and seed (the arguments of `null_pairs`).

    Raises:
        LatentDiffError: the set has too few images, or an image twice.
    """
    ids = list(ids)
    unique_ids(ids, "the set")
    order = shuffled(ids, seed, "halves", str(number))
    each = len(order) // 2 if size is None else size
    if each < 1 or 2 * each > len(order):
        raise LatentDiffError(
            f"two sides of {each} images cannot be cut from {len(order)}; give more, or a smaller size"
        )
    recipe = {"builder": NAME, "number": number, "size": size}
    a, b = tuple(sorted(order[:each])), tuple(sorted(order[each : 2 * each]))
    return Pair(f"{NAME}/{number:03d}", "", a, b, {}, 0.0, seed, recipe)


def rebuild(ids: Iterable[str], recipe: dict[str, Any], seed: int) -> Pair:
    """The pair of a recipe."""
    return null_pair(ids, **recipe, seed=seed)
