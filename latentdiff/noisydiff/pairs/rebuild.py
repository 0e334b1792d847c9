"""Any pair anew from its recipe and what is known of the images: the same ids, whatever the order of the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from latentdiff.noisydiff.pairs.annotations import annotation_pair
from latentdiff.noisydiff.pairs.classes import ClassSettings, class_pair
from latentdiff.noisydiff.pairs.null_pairs import half_pair
from latentdiff.noisydiff.pairs.pair import Pair
from latentdiff.noisydiff.pairs.published import Definition, closed_pair, visdiff_pairs
from latentdiff.noisydiff.pairs.worlds import world_pair
from latentdiff.registry import choose


def rebuild(pair: Pair, known: Any) -> Pair:
    """The pair that the recipe describes; equal to `pair` where the images are the same.

    Args:
        pair: its id, recipe and seed are used.
        known: what its builder started from: labels or classes by id, ids (halves), or groups (external pairs).

    Raises:
        LatentDiffError: no such builder, or the images no longer suffice.
    """
    settings = dict(pair.recipe)
    builder = choose("builder", settings.pop("builder", ""), BUILDERS)
    return replace(builder(known, settings, pair.seed), id=pair.id)


def _classes(known: Any, recipe: dict[str, Any], seed: int) -> Pair:
    planted = recipe.pop("planted")
    return class_pair(known, planted, ClassSettings(**recipe, seed=seed))


def _visdiffbench(known: Any, recipe: Mapping[str, Any], seed: int) -> Pair:
    return visdiff_pairs([Definition(**recipe)], known)[0]


BUILDERS: dict[str, Callable[[Any, dict[str, Any], int], Pair]] = {
    "annotations": lambda known, recipe, seed: annotation_pair(known, **recipe, seed=seed),
    "worlds": lambda known, recipe, seed: world_pair(known, **recipe, seed=seed),
    "classes": _classes,
    "halves": lambda known, recipe, seed: half_pair(known, **recipe, seed=seed),
    "visdiffbench": _visdiffbench,
    "closed": lambda known, recipe, seed: closed_pair(known, **recipe),
}
