"""What a rendered world is, and how one image of it comes about from a seed and an index.

Every concept has a random stream of its own, so that changing one concept's prevalence changes nothing else in any
image. The worlds show that the machinery works; they are no evidence about photographs (docs/methods.md, 12).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np
from PIL import Image

from latentdiff.errors import LatentDiffError
from latentdiff.images.worlds.pen import Box

SIDE = 96  # pixels of a finished image
SCALE = 2  # drawn larger, then averaged down: smooth edges
CANVAS = SIDE * SCALE


@dataclass(frozen=True)
class Concept:
    """Something that may be in an image of a world."""

    name: str
    words: tuple[str, ...]  # all that count as naming it, its name first
    prevalence: float
    is_parent: bool = False  # an image has exactly one of the world's parents
    mention: str = ""  # how a caption says it; "" takes the name with its article

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", (self.name, *self.words))
        if not self.mention:
            article = "an " if self.name[0] in "aeiou" else "a "
            object.__setattr__(self, "mention", article + self.name)


@dataclass(frozen=True)
class RenderedImage:
    """One image with its labels."""

    pixels: np.ndarray  # [96, 96, 3] uint8
    labels: tuple[str, ...]  # in the order of the world's concepts
    caption: str
    boxes: tuple[tuple[str, float, float, float, float], ...]  # label, left, top, width, height in pixels


@dataclass(frozen=True)
class Streams:
    """The random streams of one image, each by name and independent of all others."""

    world: str
    seed: int
    index: int

    def random(self, name: str) -> Random:
        """A stream of scalars for one concept or one part of the scene."""
        return Random(f"{self.world}/{self.seed}/{self.index}/{name}")

    def arrays(self, name: str) -> np.random.Generator:
        """A stream of arrays."""
        entropy = [zlib.crc32(self.world.encode()), self.seed, self.index, zlib.crc32(name.encode())]
        return np.random.default_rng(np.random.SeedSequence(entropy))


Painting = tuple[np.ndarray, Mapping[str, Box]]  # [96, 96, 3] uint8, and where its concepts lie in canvas pixels


@dataclass(frozen=True)
class World:
    """A family of rendered images."""

    name: str
    concepts: tuple[Concept, ...]
    context: str  # what such an image is called in a prompt
    paint: Callable[[Streams, Sequence[Concept]], Painting] = field(repr=False)
    describe: Callable[[Streams, Sequence[Concept]], str] = field(repr=False)  # the caption

    def concept(self, name: str) -> Concept:
        """The concept called `name`.

        Raises:
            LatentDiffError: the world has no such concept; lists those it has.
        """
        for concept in self.concepts:
            if concept.name == name:
                return concept
        names = ", ".join(concept.name for concept in self.concepts)
        raise LatentDiffError(f"world '{self.name}' has no concept '{name}' (valid: {names})")


def render_world(world: World, seed: int, index: int, prevalence: Mapping[str, float]) -> RenderedImage:
    """Image `index` of a world (docs/methods.md, 12).

    Raises:
        LatentDiffError: an unknown concept, or prevalences that no image can have.
    """
    streams = Streams(world.name, seed, index)
    present = draw_presence(world, streams, prevalences(world, prevalence))
    pixels, placed = world.paint(streams, present)
    boxes = []
    for concept in present:
        left, top, right, bottom = (min(max(v / SCALE, 0.0), float(SIDE)) for v in placed[concept.name])
        boxes.append((concept.name, left, top, right - left, bottom - top))
    labels = tuple(concept.name for concept in present)
    return RenderedImage(pixels, labels, world.describe(streams, present), tuple(boxes))


def describe_world(world: World, seed: int, index: int, prevalence: Mapping[str, float]) -> tuple[list[str], str]:
    """Labels and caption of an image, without drawing it."""
    streams = Streams(world.name, seed, index)
    present = draw_presence(world, streams, prevalences(world, prevalence))
    return [concept.name for concept in present], world.describe(streams, present)


def prevalences(world: World, changed: Mapping[str, float]) -> dict[str, float]:
    """Every concept's prevalence; parents that were not named share what the named ones leave.

    Raises:
        LatentDiffError: an unknown concept, a number outside [0, 1], or parents that do not add up to one.
    """
    for name, value in changed.items():
        world.concept(name)
        if not 0.0 <= value <= 1.0:
            raise LatentDiffError(f"prevalence of '{name}' is {value:g}; give a share between 0 and 1")
    result = {c.name: float(changed.get(c.name, c.prevalence)) for c in world.concepts}
    parents = [c for c in world.concepts if c.is_parent]
    if parents and any(c.name in changed for c in parents):
        free = [c.name for c in parents if c.name not in changed]
        left = 1.0 - sum(changed.get(c.name, 0.0) for c in parents)
        if left < -1e-9 or (left > 1e-9 and not free):
            names = ", ".join(c.name for c in parents)
            raise LatentDiffError(f"prevalences of {names} add up to {1 - left:g}; every image has exactly one of them")
        total = sum(result[name] for name in free)
        for name in free:
            result[name] *= max(left, 0.0) / total
    return result


def draw_presence(world: World, streams: Streams, prevalence: Mapping[str, float]) -> list[Concept]:
    """The concepts of one image, in the world's order.

    Parents race: each has an exponential time of its own, divided by its prevalence, and the first one wins. So a
    higher prevalence of one parent only ever replaces others by it.
    """
    uniforms = streams.arrays("presence").random(len(world.concepts))
    times = {
        c.name: -math.log1p(-u) / prevalence[c.name]
        for c, u in zip(world.concepts, uniforms, strict=True)
        if c.is_parent and prevalence[c.name] > 0
    }
    first = min(times, key=times.__getitem__, default=None)
    return [
        c
        for c, u in zip(world.concepts, uniforms, strict=True)
        if (c.name == first if c.is_parent else u < prevalence[c.name])
    ]


def colour_field(rng: np.random.Generator, cells: int, mean: np.ndarray, spread: float, size: int) -> Image.Image:
    """Soft clouds of colour: `cells` x `cells` random colours around `mean`, blown up to `size` pixels.

    They drown what a thumbnail would otherwise give away.
    """
    grey = rng.normal(0.0, spread, (cells, cells, 1))
    colours = mean + grey + rng.normal(0.0, 0.6 * spread, (cells, cells, 3))
    small = Image.fromarray(colours.clip(0, 255).astype(np.uint8))
    return small.resize((size, size), Image.Resampling.BICUBIC)


def develop(canvas: Image.Image, rng: np.random.Generator, grain: float, gain: float = 1.0) -> np.ndarray:
    """The canvas as a finished image: averaged down, lit unevenly, grain, and in colour a cast.

    Returns:
        [96, 96, 3] uint8.
    """
    small = np.atleast_3d(np.asarray(canvas.reduce(SCALE), dtype=np.float32))
    ramp = np.linspace(-1.0, 1.0, SIDE, dtype=np.float32)
    across, down = (np.float32(tilt) for tilt in rng.uniform(-0.22, 0.22, 2))
    light = (1.0 + across * ramp)[None, :, None] * (1.0 + down * ramp)[:, None, None]
    cast = np.asarray(gain * rng.uniform(0.8, 1.2) * rng.uniform(0.9, 1.1, small.shape[2]), dtype=np.float32)
    noise = np.float32(grain) * rng.standard_normal(small.shape, dtype=np.float32)
    lit = small * (light * cast) + noise + np.float32(rng.uniform(-14.0, 14.0))
    return np.broadcast_to(lit.clip(0, 255).astype(np.uint8), (SIDE, SIDE, 3)).copy()


def listing(mentions: Sequence[str]) -> str:
    """ "a cup", "a cup and a kite", "a cup, a kite and a tent"."""
    if len(mentions) < 2:
        return "".join(mentions)
    return f"{', '.join(mentions[:-1])} and {mentions[-1]}"
