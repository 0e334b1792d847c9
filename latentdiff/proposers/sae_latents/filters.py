"""What is kept from view, and what is shown as one (docs/methods.md, 4). Everything is tested before."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from latentdiff.proposers.pooled_activations import Floats, Integers

SAME_DIRECTION = 0.9  # cosine of decoder rows above which two latents are shown as one
SAME_IMAGES = 0.5  # Jaccard index of the images that fire them, likewise

ACTIVE, IMPURE, UNNAMED = "among the most active", "low monosemanticity", "weak name"


def filter_latents(
    tested: Integers, count: Integers, purity: Floats, cosine: Floats, *, active: float, impure: float, unnamed: float
) -> dict[str, npt.NDArray[np.bool_]]:
    """Which latents to keep from view, by reason; one that several rules hide is listed under the first.

    Args:
        tested: [k] latents that fire; the shares below are shares of them.
        count: [latents] images that fire each latent.
        purity: [latents] monosemanticity, NaN where undefined (hidden first).
        cosine: [latents] cosine of the best word, NaN where there is none (hidden first).
        active: share to hide that fires most often.
        impure: share to hide with the lowest monosemanticity.
        unnamed: share to hide with the lowest cosine.

    Returns:
        For each rule whose share is above 0, a mask [latents].
    """
    rules = {
        ACTIVE: (active, -count),
        IMPURE: (impure, np.nan_to_num(purity, nan=-np.inf)),
        UNNAMED: (unnamed, np.nan_to_num(cosine, nan=-np.inf)),
    }
    taken = np.zeros(len(count), dtype=bool)
    hidden = {}
    for reason, (share, key) in rules.items():
        if share > 0:
            mask = np.zeros(len(count), dtype=bool)
            mask[tested[np.argsort(key[tested], kind="stable")][: round(share * len(tested))]] = True
            hidden[reason] = mask & ~taken
            taken |= mask
    return hidden


def deduplicate(
    ranked: Integers, fire_together: Callable[[int], Integers], count: Integers, directions: npt.NDArray[np.floating]
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Latents with those that say the same behind them: equal directions, or firing on the same images.

    Args:
        ranked: [k] latents of one side, best first.
        fire_together: for a latent, [latents] how many images fire both it and each latent.
        count: [latents] images that fire each latent.
        directions: [latents, dimension] decoder rows, unit length.

    Yields:
        The best-ranked latent that is left, and those that say the same, in rank order.
    """
    waiting = ranked
    while len(waiting):
        first, rest = int(waiting[0]), waiting[1:]
        both = fire_together(first)[rest]
        jaccard = both / np.maximum(count[rest] + count[first] - both, 1)
        alike = (directions[rest] @ directions[first] > SAME_DIRECTION) | (jaccard > SAME_IMAGES)
        yield first, tuple(rest[alike].tolist())
        waiting = rest[~alike]
