"""All worlds by name, and one image of any of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from latentdiff.images.worlds.everyday import EVERYDAY
from latentdiff.images.worlds.radiographs import RADIOGRAPHS
from latentdiff.images.worlds.satellite import SATELLITE
from latentdiff.images.worlds.scene import RenderedImage, World, render_world
from latentdiff.registry import choose

WORLDS: dict[str, World] = {world.name: world for world in (EVERYDAY, RADIOGRAPHS, SATELLITE)}
AS_USUAL: Mapping[str, float] = MappingProxyType({})


def render(world: str, seed: int, index: int, prevalence: Mapping[str, float] = AS_USUAL) -> RenderedImage:
    """Image `index` of a world, the same for the same arguments (docs/methods.md, 12).

    Args:
        world: a name in `WORLDS`.
        seed, index: which image; no two are alike.
        prevalence: concepts' shares, each 0 to 1, where they differ from the world's own.

    Raises:
        LatentDiffError: an unknown world or concept, or prevalences that no image can have.
    """
    return render_world(choose("world", world, WORLDS), seed, index, prevalence)
