"""Worlds as an image source: `world:everyday?images=1000&seed=1&traffic_light=0.04`.

Images are drawn when they are read; the address of one is its source's with `#INDEX`, and is enough to draw it again.
With `sketch=0.5` half of them are line drawings, which the column `style` says; what they show stays the same.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import parse_qsl, quote_plus

from PIL import Image

from latentdiff.errors import LatentDiffError
from latentdiff.images.records import ImageRecord
from latentdiff.images.worlds.catalogue import WORLDS, render
from latentdiff.images.worlds.scene import Streams, describe_world, prevalences
from latentdiff.images.worlds.styles import IN_COLOUR, STYLES, drawn_style
from latentdiff.registry import choose

PREFIX = "world:"
IMAGES = 1000  # where a spec does not say
CACHE_VERSION = 1  # goes up when a renderer changes any pixel


@dataclass(frozen=True)
class WorldSpec:
    """What a world's address says."""

    world: str
    images: int
    seed: int
    prevalence: Mapping[str, float]  # only of the concepts that were named
    styles: Mapping[str, float] = field(default_factory=dict)  # shares of STYLES, only of those that were named

    def __str__(self) -> str:
        shares = {**self.styles, **self.prevalence}
        named = (f"{quote_plus(name.replace(' ', '_'))}={value!r}" for name, value in shares.items())
        return f"{PREFIX}{self.world}?{'&'.join((f'images={self.images}', f'seed={self.seed}', *named))}"

    def describe(self, index: int) -> tuple[list[str], str]:
        """Labels and caption of image `index`."""
        return describe_world(WORLDS[self.world], self.seed, index, self.prevalence)

    def style(self, index: int) -> str:
        """What image `index` looks like: one of STYLES, or in colour."""
        return drawn_style(Streams(self.world, self.seed, index).random("style").random(), self.styles)

    def png(self, index: int) -> bytes:
        """Image `index` as a PNG file, lightly compressed."""
        file = io.BytesIO()
        pixels, style = render(self.world, self.seed, index, self.prevalence).pixels, self.style(index)
        if style != IN_COLOUR:
            pixels = STYLES[style](pixels)
        Image.fromarray(pixels).save(file, "PNG", compress_level=1)
        return file.getvalue()


class WorldSource:
    """The images of a rendered world, with `labels` and `caption` as metadata, and `style` where one is asked for.

    Args:
        spec: `world:NAME`, then optionally `?images=N&seed=S&STYLE=SHARE&CONCEPT=PREVALENCE&...`; a space in a
            concept's name is written `_`, `+` or `%20`.

    Raises:
        LatentDiffError: an unknown world or concept, or a value that is no number in its range.
    """

    def __init__(self, spec: str) -> None:
        self.spec = spec
        self.world = parse_spec(spec)
        self.count: int | None = self.world.images

    def __iter__(self) -> Iterator[ImageRecord]:
        for index in range(self.world.images):
            labels, caption = self.world.describe(index)
            read = partial(self.world.png, index)
            metadata = {"labels": labels, "caption": caption}
            if self.world.styles:
                metadata["style"] = self.world.style(index)
            yield ImageRecord(str(index), f"{self.world}#{index}", read, metadata)

    def stamp(self) -> str:
        """A digest of the parameters and of the renderers' edition."""
        return hashlib.sha256(f"{self.world}/{CACHE_VERSION}".encode()).hexdigest()


def read_world(uri: str) -> bytes:
    """The PNG file behind the address of one rendered image, `world:...#INDEX`.

    Raises:
        LatentDiffError: the address names no image.
    """
    spec, _, index = uri.partition("#")
    world = parse_spec(spec)
    if not index.isdecimal() or int(index) >= world.images:
        raise LatentDiffError(f"'{uri}' names no image; end it in #0 to #{world.images - 1}")
    return world.png(int(index))


def parse_spec(spec: str) -> WorldSpec:
    """Take a world's address apart.

    Raises:
        LatentDiffError: an unknown world or concept, a key given twice, or a value that is no number in its range.
    """
    name, _, query = spec.removeprefix(PREFIX).partition("?")
    world = choose("world", name, WORLDS)
    counts, prevalence, styles = {"images": IMAGES, "seed": 0}, dict[str, float](), dict[str, float]()
    seen = set[str]()
    for key, value in parse_qsl(query, keep_blank_values=True):
        concept = key.replace("_", " ")
        if concept in seen:
            raise LatentDiffError(f"'{spec}' gives '{key}' twice; leave one out")
        seen.add(concept)
        if key in counts:
            counts[key] = _whole_number(spec, key, value, 1 if key == "images" else 0)
        elif key in STYLES:
            styles[key] = _share(spec, key, value)
        else:
            prevalence[world.concept(concept).name] = _share(spec, key, value)
    prevalences(world, prevalence)
    if sum(styles.values()) > 1:
        raise LatentDiffError(
            f"'{spec}': the shares of {', '.join(styles)} add up to more than 1; an image has one style"
        )
    ordered = {c.name: prevalence[c.name] for c in world.concepts if c.name in prevalence}
    chosen = {style: styles[style] for style in STYLES if style in styles}
    return WorldSpec(name, counts["images"], counts["seed"], ordered, chosen)


def _whole_number(spec: str, key: str, value: str, least: int) -> int:
    if not value.isdecimal() or int(value) < least:
        raise LatentDiffError(f"'{key}={value}' in '{spec}': give a whole number from {least} up")
    return int(value)


def _share(spec: str, key: str, value: str) -> float:
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise LatentDiffError(f"'{key}={value}' in '{spec}': give a share between 0 and 1, such as 0.04")
    return share
