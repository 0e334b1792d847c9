"""Satellite tiles: land of some kind from above, with what is built, grown or flows on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

from PIL import ImageDraw

from latentdiff.images.worlds.brushes import buildings
from latentdiff.images.worlds.brushes import land as landscape
from latentdiff.images.worlds.pen import Box, Colour, Pen, by_name, muted, near, pick, shade
from latentdiff.images.worlds.scene import (
    CANVAS,
    SCALE,
    Concept,
    Painting,
    Streams,
    World,
    colour_field,
    develop,
    listing,
)

OBJECTS = by_name(  # in the order they are laid on one another
    landscape.forest, landscape.circular_fields, landscape.orchard, landscape.river, buildings.railway,
    buildings.runway, landscape.ships, buildings.bridge, buildings.houses, buildings.parking_lot,
    landscape.solar_panels, landscape.greenhouse, buildings.storage_tanks, buildings.tennis_court,
    buildings.baseball_field, buildings.stadium, buildings.roundabout, buildings.swimming_pool, buildings.airplane,
    landscape.wind_turbines,
)  # fmt: skip
LONG = {"river", "runway", "railway"}
LAND: dict[str, tuple[Colour, ...]] = {  # as a caption calls it
    "farmland": ((120, 130, 70), (150, 130, 80), (90, 120, 60)),
    "a desert": ((196, 160, 110), (170, 130, 90), (210, 186, 140)),
    "a city": ((130, 128, 124), (150, 140, 130), (110, 108, 112)),
    "grassland": ((110, 140, 70), (90, 120, 70), (130, 140, 90)),
    "a snowy landscape": ((196, 200, 208), (176, 184, 194)),
    "the coast": ((90, 120, 120), (150, 150, 120), (60, 90, 110)),
}


def paint(streams: Streams, present: Sequence[Concept]) -> Painting:
    """One tile with the concepts given."""
    arrays, rng = streams.arrays("scene"), streams.random("scene")
    land = _land(rng)
    tone = pick(rng, LAND[land], 30)
    tile = colour_field(arrays, rng.choice((4, 7, 10)), arrays.normal(tone, 14.0), rng.uniform(16, 42), CANVAS)
    draw = ImageDraw.Draw(tile, "RGB")
    turn = rng.uniform(0, math.pi)
    if land == "a city":
        _blocks(Pen(draw, CANVAS / 2, CANVAS / 2, CANVAS / 2, turn), rng)
    elif land in ("farmland", "grassland") or rng.random() < 0.3:
        _patchwork(Pen(draw, CANVAS / 2, CANVAS / 2, CANVAS / 2, turn), rng, tone)
    for _ in range(rng.randint(10, 40)):
        x, y, r = rng.randrange(CANVAS), rng.randrange(CANVAS), rng.randint(1, 5)
        draw.ellipse((x, y, x + r, y + r), fill=shade(tone, rng.choice((0.55, 0.75, 1.3))))
    names = {concept.name for concept in present}
    boxes = {name: _place(draw, streams.random(name), name) for name in OBJECTS if name in names}
    return develop(tile, arrays, rng.uniform(2.0, 9.0), rng.uniform(0.75, 1.05)), boxes


def describe(streams: Streams, present: Sequence[Concept]) -> str:
    """The caption of a tile: what is on it in any order, and sometimes the land."""
    rng, land = streams.random("caption"), _land(streams.random("scene"))
    mentions = [c.mention for c in present]
    rng.shuffle(mentions)
    view = rng.choice(("A satellite image", "A satellite photo", "An aerial view"))
    where = rng.choice(("", f" near {land}" if land == "the coast" else f" in {land}"))
    return f"{view} of {listing(mentions)}{where}." if mentions else f"{view} of {land}."


def _land(scene: Random) -> str:
    """What land it is: the first thing the scene's stream decides."""
    return scene.choice(tuple(LAND))


def _place(draw: ImageDraw.ImageDraw, rng: Random, name: str) -> Box:
    """Draw one object, turned any way; long ones cross the tile."""
    half = SCALE * rng.uniform(14, 24)
    margin = 0.7 * half
    x, y, light = rng.uniform(margin, CANVAS - margin), rng.uniform(margin, CANVAS - margin), rng.uniform(0.7, 1.15)
    if name in LONG:
        half *= 1.5
    pen = Pen(draw, x, y, half, rng.uniform(0, 2 * math.pi), rng.random() < 0.5, light)
    OBJECTS[name](pen, rng)
    return pen.box


def _patchwork(pen: Pen, rng: Random, tone: Colour) -> None:
    """Fields of different crops, some ploughed, with tracks between them."""
    right = -1.5
    while right < 1.5:
        left, right = right, right + rng.uniform(0.35, 0.9)
        y = -1.5
        while y < 1.5:
            high = rng.uniform(0.3, 0.9)
            if rng.random() < 0.6:
                crop = near(rng, tone, 44)
                pen.rect(left, y, right - 0.03, y + high - 0.03, crop)
                if rng.random() < 0.4:
                    for i in range(1, 7):
                        x = left + (right - left) * i / 7
                        pen.line(((x, y), (x, y + high)), 0.015, shade(crop, 0.8))
            y += high


def _blocks(pen: Pen, rng: Random) -> None:
    """Flat roofs in blocks along a grid of streets."""
    step = rng.uniform(0.34, 0.6)
    count = math.ceil(1.5 / step)
    for i in range(-count, count):
        for j in range(-count, count):
            x, y, wide, high = step * i, step * j, step * rng.uniform(0.5, 0.85), step * rng.uniform(0.5, 0.85)
            if rng.random() < 0.8:
                roof = muted(rng)
                pen.rect(x + 0.02, y + 0.02, x + wide + 0.03, y + high + 0.03, (40, 40, 44))
                pen.rect(x, y, x + wide, y + high, roof)


def _seen(name: str, prevalence: float, *words: str, mention: str = "") -> Concept:
    return Concept(name, words, prevalence, mention=mention)


SATELLITE = World(
    "satellite",
    (
        _seen("river", 0.12, "rivers", "stream"),
        _seen("runway", 0.07, "runways", "airstrip"),
        _seen("ships", 0.08, "ship", "boats", "boat", mention="ships"),
        _seen("solar panels", 0.07, "solar panel", "panels", "solar", mention="solar panels"),
        _seen("orchard", 0.08, "orchards", "plantation", mention="an orchard"),
        _seen("roundabout", 0.06, "roundabouts", "traffic circle"),
        _seen("stadium", 0.06, "stadiums", "arena"),
        _seen("storage tanks", 0.07, "storage tank", "tanks", "tank", mention="storage tanks"),
        _seen("greenhouse", 0.06, "greenhouses", "glasshouse"),
        _seen("swimming pool", 0.07, "swimming pools", "pool", "pools"),
        _seen("bridge", 0.07, "bridges"),
        _seen("airplane", 0.08, "airplanes", "aircraft", "plane", "jet", mention="an airplane"),
        _seen("circular fields", 0.06, "circular field", "irrigated fields", mention="circular fields"),
        _seen("forest", 0.12, "forests", "woods", "woodland"),
        _seen("houses", 0.12, "house", "homes", "residential", mention="houses"),
        _seen("parking lot", 0.07, "parking lots", "car park", "parking"),
        _seen("tennis court", 0.05, "tennis courts", "tennis"),
        _seen("wind turbines", 0.05, "wind turbine", "turbines", "windmills", mention="wind turbines"),
        _seen("railway", 0.07, "railways", "railroad", "train tracks"),
        _seen("baseball field", 0.05, "baseball fields", "baseball", "baseball diamond"),
    ),
    "a satellite image",
    paint,
    describe,
)
