"""What is kept from view, and what is shown as one (docs/methods.md, 4). Everything is tested before."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from latentdiff.concepts.pooled import Floats, Integers
from latentdiff.concepts.sums import LatentStatistics

SAME_DIRECTION = 0.9  # cosine of decoder rows above which two latents are shown as one
SAME_IMAGES = 0.5  # Jaccard index of the images that fire them, likewise

ACTIVE, IMPURE, UNNAMED = "among the most active", "low monosemanticity", "weak name"


def hide(
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


def group(
    ranked: Integers, most: int, decoder: npt.NDArray[np.floating], a: LatentStatistics, b: LatentStatistics
) -> list[tuple[int, tuple[int, ...]]]:
    """Latents of one side with those that say the same behind them: equal directions, or firing on the same images.

    Args:
        ranked: [k] latents of the side, best first.
        most: groups to form.
        decoder: [latents, dimension] decoder rows.
        a: firings of A.
        b: firings of B.

    Returns:
        At most `most` pairs of the best-ranked latent of a group and its other members, in rank order.
    """
    groups: list[tuple[int, tuple[int, ...]]] = []
    directions = decoder / np.linalg.norm(decoder, axis=1, keepdims=True)
    waiting = ranked
    while len(waiting) and len(groups) < most:
        head, rest = int(waiting[0]), waiting[1:]
        alike = directions[rest] @ directions[head] > SAME_DIRECTION
        alike |= _jaccard(head, a, b)[rest] > SAME_IMAGES
        groups.append((head, tuple(rest[alike].tolist())))
        waiting = rest[~alike]
    return groups


def _jaccard(latent: int, *sets: LatentStatistics) -> Floats:
    """[latents] images of all sets that fire both it and `latent`, over those that fire either."""
    both = np.zeros(sets[0].latents, dtype=np.int64)
    for one in sets:
        shown = np.zeros(len(one.selected), dtype=bool)
        shown[one.firings(latent)[0]] = True
        firings = np.flatnonzero(shown[one.rows])
        both += np.bincount(np.searchsorted(one.starts, firings, side="right") - 1, minlength=one.latents)
    fired = np.sum([one.counts for one in sets], axis=0)
    return both / np.maximum(fired + fired[latent] - both, 1)
