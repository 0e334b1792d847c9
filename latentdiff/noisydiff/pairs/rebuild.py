"""Any pair anew from its recipe and what is known of the images: the same ids, whatever the order of the rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from latentdiff.noisydiff.pairs import null_pairs
from latentdiff.noisydiff.pairs.pair import Pair
from latentdiff.noisydiff.pairs.registry import BUILDERS
from latentdiff.registry import choose


def rebuild(pair: Pair, known: Any) -> Pair:
    """The pair that the recipe describes; equal to `pair` where the images are the same.

    Args:
        pair: its id, recipe and seed are used.
        known: what its builder started from: labels or classes by id, ids (null pairs), or groups (published pairs).

    Raises:
        LatentDiffError: no such builder, or the images no longer suffice.
    """
    recipe = dict(pair.recipe)
    rebuilders = {builder.name: builder.rebuild for builder in BUILDERS.values()} | {
        null_pairs.NAME: null_pairs.rebuild
    }
    again = choose("builder", recipe.pop("builder", ""), rebuilders)
    return replace(again(known, recipe, pair.seed), id=pair.id)
