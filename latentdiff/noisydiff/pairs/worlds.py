"""Pairs from a rendered pool: one concept planted on each side, among scenes that show neither of the two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from latentdiff.errors import LatentDiffError
from latentdiff.images.worlds import WORLDS
from latentdiff.images.worlds.scene import World
from latentdiff.images.worlds.source import PREFIX, parse_spec
from latentdiff.noisydiff.pairs.annotations import contrast
from latentdiff.noisydiff.pairs.builder import Annotated, Builder, SetSource
from latentdiff.noisydiff.pairs.labels import Labels
from latentdiff.noisydiff.pairs.pair import Pair, Truth
from latentdiff.noisydiff.pairs.sampling import check_share, first_built, matched, truth_of
from latentdiff.registry import choose


@dataclass(frozen=True)
class WorldSettings:
    """Which pairs a rendered pool is made into."""

    pairs: int = 60
    scarcity: float | None = 0.02
    size: int | None = 1000  # images of each side; None: as many as can be had
    seed: int = 0

    def __post_init__(self) -> None:
        check_share(self.scarcity, self.size)


def world_pairs(labels: Labels, world: str, settings: WorldSettings = WorldSettings()) -> list[Pair]:
    """Pairs of a world's concepts, none of them a parent, every concept about equally often.

    Args:
        labels: the concepts in each image of a pool (`world:everyday?images=20000`), by id.
        world: its world, a name in `WORLDS`.

    Raises:
        LatentDiffError: an unknown world, or the pool has too few images for so many pairs.
    """
    concepts = [concept.name for concept in choose("world", world, WORLDS).concepts if not concept.is_parent]
    return first_built(
        matched(concepts, settings.seed, world),
        lambda both: world_pair(labels, world, both, settings.scarcity, settings.size, settings.seed),
        settings.pairs,
    )


def world_pair(
    labels: Labels,
    world: str,
    concepts: Sequence[str],
    scarcity: float | None = 0.02,
    size: int | None = 1000,
    seed: int = 0,
) -> Pair:
    """One pair; A shows the first of two concepts, B the other (the arguments of `annotation_pair`).

    Raises:
        LatentDiffError: an unknown world or concept.
        TooFewImages: the pool does not suffice.
    """
    a, b = concepts
    truths = [called_in(choose("world", world, WORLDS), name) for name in (a, b)]
    recipe = {"builder": "worlds", "world": world, "concepts": [a, b], "scarcity": scarcity, "size": size}
    pair = contrast(labels, "", (a, b), truths, recipe, seed)
    return replace(pair, id=world + pair.id)


def called_in(world: World, name: str) -> Truth:
    """What a concept of a world is called: all of its words count.

    Raises:
        LatentDiffError: the world has no such concept.
    """
    return Truth(name, world.concept(name).words, truth_of(name).wnid)


def _build(source: SetSource, settings: WorldSettings) -> list[Pair]:
    return world_pairs(source.labels(), _world(source).name, settings)


def _annotated(source: SetSource, settings: WorldSettings) -> Annotated:
    return Annotated.of(source.labels(), partial(called_in, _world(source)))


def _world(source: SetSource) -> World:
    if not source.images.startswith(PREFIX):
        raise LatentDiffError(f"the builder 'worlds' needs rendered images (world:...); it got {source.images}")
    return WORLDS[parse_spec(source.images).world]


def _rebuild(labels: Labels, recipe: dict[str, Any], seed: int) -> Pair:
    return world_pair(labels, **recipe, seed=seed)


BUILDER = Builder("worlds", _build, _rebuild, WorldSettings, _annotated)
