"""Everyday scenes: one parent (an animal, a person, a vehicle) with attributes around it, somewhere.

The parents and attributes follow Noisy-Diff's pairs (docs/methods.md, 8 and 12).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from PIL import ImageDraw

from latentdiff.images.worlds.brushes import belongings, household, outdoors, parents
from latentdiff.images.worlds.pen import Box, Pen, by_name, hsv, muted, near, pick, shade, vivid
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

PARENTS = by_name(
    parents.dog, parents.cat, parents.horse, parents.person, parents.bicycle, parents.motorcycle, parents.car,
    parents.boat,
)  # fmt: skip
ATTRIBUTES = by_name(
    belongings.backpack, belongings.suitcase, belongings.umbrella, belongings.hat, belongings.ball, belongings.kite,
    belongings.surfboard, belongings.skateboard, belongings.guitar, household.tv, household.laptop, household.lamp,
    household.clock, household.chair, household.book, household.cup, household.bottle, household.apple,
    household.banana, household.pizza, outdoors.tree, outdoors.bench, outdoors.traffic_light, outdoors.hydrant,
    outdoors.fence, outdoors.flower, outdoors.tent, outdoors.balloon, outdoors.flag, outdoors.mushroom,
    outdoors.butterfly, outdoors.moon,
)  # fmt: skip
WEATHER = by_name(outdoors.snow, outdoors.rain)
UPRIGHT = {"tree", "bench", "fence", "traffic light", "hydrant", "tent", "chair", "lamp", "tv", "flower", "balloon"}
SLIM = {"surfboard", "bottle", "guitar", "bench", "skateboard", "traffic light", "tree", "chair", "kite"}
SETTINGS: dict[str, tuple[str, ...]] = {
    "park": ("in a park", "on the grass", "in a meadow"),
    "street": ("on a street", "in the city", "by the road"),
    "beach": ("on a beach", "by the sea", "on the sand"),
    "room": ("in a room", "indoors", "at home"),
    "night": ("at night", "in the dark", "on a street at night"),
    "studio": ("", "in front of a plain wall", "on a coloured background"),
}


def paint(streams: Streams, present: Sequence[Concept]) -> Painting:
    """One everyday scene with the concepts given."""
    arrays, rng = streams.arrays("scene"), streams.random("scene")
    setting = _setting(rng)
    wash = colour_field(arrays, rng.choice((3, 5, 7)), arrays.uniform(40, 215, 3), rng.uniform(15, 50), CANVAS)
    draw = ImageDraw.Draw(wash, "RGB")
    SCENERY[setting](draw, rng)
    parent = next(concept for concept in present if concept.is_parent)
    boxes: dict[str, Box] = {parent.name: _start(draw, streams.random(parent.name), parent.name)}
    for concept in sorted(present, key=lambda c: c.name in WEATHER):
        own = streams.random(concept.name)
        if concept.name in WEATHER:
            WEATHER[concept.name](Pen(draw, CANVAS / 2, CANVAS / 2, CANVAS / 2), own)
            boxes[concept.name] = (0.0, 0.0, float(CANVAS), float(CANVAS))
        elif not concept.is_parent:
            boxes[concept.name] = _add(draw, own, concept.name, boxes[parent.name])
    gain = rng.uniform(0.75, 0.95) if setting == "night" else rng.uniform(0.85, 1.15)
    return develop(wash, arrays, rng.uniform(2.0, 8.0), gain), boxes


def describe(streams: Streams, present: Sequence[Concept]) -> str:
    """The caption of a scene: the parent, the attributes in any order, the place."""
    rng, where = streams.random("caption"), SETTINGS[_setting(streams.random("scene"))]
    parent = next(c.mention for c in present if c.is_parent)
    rest = [c.mention for c in present if not c.is_parent]
    rng.shuffle(rest)
    place = rng.choice(where)
    forms = (
        f"{parent} with {listing(rest)} {place}" if rest else f"{parent} {place}",
        f"a photo of {listing([parent, *rest])} {place}",
        f"there is {listing([*rest, parent])} {place}",
        f"{listing([parent, *rest])} {place}",
    )
    text = rng.choice(forms).strip()
    return text[0].upper() + text[1:] + "."


def _setting(scene: Random) -> str:
    """Where it takes place: the first thing the scene's stream decides."""
    return scene.choice(tuple(SETTINGS))


def _start(draw: ImageDraw.ImageDraw, rng: Random, name: str) -> Box:
    """Draw the parent."""
    half = SCALE * rng.uniform(23, 33)
    x, y = (rng.uniform(0.8 * half, CANVAS - 0.8 * half) for _ in range(2))
    pen = Pen(draw, x, y, half, rng.gauss(0, 0.05), rng.random() < 0.5, rng.uniform(0.75, 1.15))
    PARENTS[name](pen, rng)
    return pen.box


def _add(draw: ImageDraw.ImageDraw, rng: Random, name: str, parent: Box) -> Box:
    """Draw one attribute; of a few places it takes the one that hides least of the parent."""
    half = SCALE * rng.uniform(15.5, 23.0) * (1.2 if name in SLIM else 1.0)
    low, high = 0.75 * half, CANVAS - 0.75 * half
    spots = [(rng.uniform(low, high), rng.uniform(low, high)) for _ in range(4)]
    x, y = min(spots, key=lambda spot: _overlap(parent, spot, half))
    angle = rng.gauss(0, 0.06 if name in UPRIGHT else 0.22)
    pen = Pen(draw, x, y, half, angle, rng.random() < 0.5, rng.uniform(0.85, 1.15))
    ATTRIBUTES[name](pen, rng)
    return pen.box


def _overlap(box: Box, spot: tuple[float, float], half: float) -> float:
    width = min(box[2], spot[0] + half) - max(box[0], spot[0] - half)
    height = min(box[3], spot[1] + half) - max(box[1], spot[1] - half)
    return max(width, 0.0) * max(height, 0.0)


def _ground(draw: ImageDraw.ImageDraw, rng: Random, colour: tuple[int, int, int], blades: int) -> int:
    """A ground with flecks, from a horizon somewhere down to the lower edge."""
    horizon = rng.randint(int(0.3 * CANVAS), int(0.75 * CANVAS))
    tilt = rng.randint(-14, 14)
    draw.polygon(((0, horizon + tilt), (CANVAS, horizon - tilt), (CANVAS, CANVAS), (0, CANVAS)), fill=colour)
    for _ in range(blades):
        x, y = rng.randrange(CANVAS), rng.randrange(horizon, CANVAS)
        draw.line((x, y, x + rng.randint(-4, 4), y + rng.randint(-8, 4)), fill=near(rng, colour, 44), width=2)
    return horizon


def _park(draw: ImageDraw.ImageDraw, rng: Random) -> None:
    _ground(draw, rng, pick(rng, ((84, 130, 60), (120, 150, 70), (60, 96, 54), (150, 130, 80))), 40)


def _street(draw: ImageDraw.ImageDraw, rng: Random) -> None:
    x = -rng.randint(0, 40)
    while x < CANVAS:
        width, wall = rng.randint(36, 80), muted(rng)
        top = rng.randint(-20, 70)
        draw.rectangle((x, top, x + width, CANVAS), fill=wall)
        pane = shade(wall, rng.choice((0.5, 1.5)))
        for wx in range(x + 6, x + width - 8, 16):
            for wy in range(max(top, 0) + 8, 130, 22):
                draw.rectangle((wx, wy, wx + 8, wy + 12), fill=pane)
        x += width
    road = near(rng, (96, 96, 100), 40)
    horizon = _ground(draw, rng, road, 12)
    y = (horizon + CANVAS) // 2
    for x in range(rng.randint(-30, 0), CANVAS, 44):
        draw.line((x, y, x + 22, y), fill=shade(road, 1.7), width=4)


def _beach(draw: ImageDraw.ImageDraw, rng: Random) -> None:
    horizon = _ground(draw, rng, pick(rng, ((50, 110, 160), (70, 150, 160), (60, 90, 120))), 10)
    shore = rng.randint(horizon + 10, CANVAS + 20)
    sand = pick(rng, ((216, 190, 140), (196, 160, 110), (230, 214, 180)))
    crest = [(x, shore + rng.randint(-5, 5)) for x in range(0, CANVAS + 24, 24)]
    draw.polygon([*crest, (CANVAS, CANVAS), (0, CANVAS)], fill=sand)
    draw.line(crest, fill=(240, 244, 246), width=4)


def _room(draw: ImageDraw.ImageDraw, rng: Random) -> None:
    paper = muted(rng)
    if rng.random() < 0.7:
        step = rng.randint(12, 34)
        for x in range(rng.randint(0, step), CANVAS, step):
            draw.line((x, 0, x, CANVAS), fill=paper, width=rng.randint(2, 8))
    floor = pick(rng, ((150, 104, 62), (110, 80, 60), (176, 170, 160), (120, 60, 60)), 30)
    horizon = _ground(draw, rng, floor, 0)
    for i in range(1, 4):
        y = horizon + i * (CANVAS - horizon) // 4
        draw.line((0, y, CANVAS, y), fill=shade(floor, 0.8), width=2)
    if rng.random() < 0.4:
        x, y = rng.randint(0, 130), rng.randint(0, 50)
        draw.rectangle((x, y, x + 46, y + 40), fill=vivid(rng), outline=paper, width=5)


def _night(draw: ImageDraw.ImageDraw, rng: Random) -> None:
    sky = hsv(rng.uniform(0.55, 0.8), rng.uniform(0.2, 0.7), rng.uniform(0.1, 0.35))
    draw.rectangle((0, 0, CANVAS, CANVAS), fill=sky)
    for _ in range(rng.randint(6, 26)):
        x, y, r = rng.randrange(CANVAS), rng.randrange(CANVAS // 2), rng.randint(1, 3)
        draw.rectangle((x, y, x + r, y + r), fill=(236, 226, 180))
    _ground(draw, rng, hsv(rng.random(), 0.3, rng.uniform(0.15, 0.35)), 12)


def _studio(draw: ImageDraw.ImageDraw, rng: Random) -> None:
    for _ in range(rng.randint(0, 5)):
        x, y, w = rng.randrange(CANVAS), rng.randrange(CANVAS), rng.randint(20, 90)
        draw.polygon(((x, y), (x + w, y + rng.randint(-40, 40)), (x + rng.randint(-40, 40), y + w)), fill=muted(rng))


SCENERY: dict[str, Callable[[ImageDraw.ImageDraw, Random], None]] = {
    "park": _park,
    "street": _street,
    "beach": _beach,
    "room": _room,
    "night": _night,
    "studio": _studio,
}


def _parent(name: str, prevalence: float, *words: str) -> Concept:
    return Concept(name, words, prevalence, is_parent=True)


def _attribute(name: str, prevalence: float, *words: str, mention: str = "") -> Concept:
    return Concept(name, words, prevalence, mention=mention)


EVERYDAY = World(
    "everyday",
    (
        _parent("dog", 0.18, "dogs", "puppy", "hound"),
        _parent("cat", 0.16, "cats", "kitten", "kitty"),
        _parent("person", 0.14, "people", "man", "woman", "human"),
        _parent("bicycle", 0.12, "bicycles", "bike", "bikes", "cycle"),
        _parent("motorcycle", 0.1, "motorcycles", "motorbike", "motorbikes"),
        _parent("car", 0.12, "cars", "automobile"),
        _parent("horse", 0.1, "horses", "pony", "stallion"),
        _parent("boat", 0.08, "boats", "sailboat", "ship", "yacht"),
        _attribute("backpack", 0.08, "backpacks", "rucksack", "knapsack"),
        _attribute("tv", 0.06, "television", "tvs", "televisions", "tv set"),
        _attribute("surfboard", 0.06, "surfboards", "surf board"),
        _attribute("umbrella", 0.1, "umbrellas", "parasol"),
        _attribute("ball", 0.1, "balls", "football", "soccer ball", "basketball"),
        _attribute("kite", 0.07, "kites"),
        _attribute("chair", 0.08, "chairs"),
        _attribute("cup", 0.07, "cups", "mug", "mugs", "coffee cup"),
        _attribute("book", 0.07, "books"),
        _attribute("clock", 0.06, "clocks", "alarm clock", "wall clock"),
        _attribute("apple", 0.06, "apples"),
        _attribute("banana", 0.06, "bananas"),
        _attribute("bottle", 0.07, "bottles"),
        _attribute("suitcase", 0.06, "suitcases", "luggage"),
        _attribute("guitar", 0.05, "guitars", "acoustic guitar"),
        _attribute("laptop", 0.06, "laptops", "notebook computer"),
        _attribute("pizza", 0.05, "pizzas"),
        _attribute("skateboard", 0.05, "skateboards"),
        _attribute("hat", 0.06, "hats", "cowboy hat"),
        _attribute("lamp", 0.05, "lamps", "table lamp", "lampshade"),
        _attribute("tree", 0.15, "trees"),
        _attribute("bench", 0.08, "benches", "park bench"),
        _attribute("traffic light", 0.06, "traffic lights", "traffic signal", "stoplight"),
        _attribute("hydrant", 0.05, "hydrants", "fire hydrant", "fire hydrants"),
        _attribute("fence", 0.08, "fences", "picket fence"),
        _attribute("flower", 0.1, "flowers", "blossom", "daisy"),
        _attribute("tent", 0.05, "tents"),
        _attribute("balloon", 0.06, "balloons"),
        _attribute("flag", 0.06, "flags"),
        _attribute("mushroom", 0.04, "mushrooms", "toadstool"),
        _attribute("butterfly", 0.05, "butterflies"),
        _attribute("moon", 0.04, "crescent moon", "full moon", mention="the moon"),
        _attribute("snow", 0.06, "snowfall", "snowflakes", "snowy", "snowing", mention="falling snow"),
        _attribute("rain", 0.06, "rainfall", "rainy", "raining", mention="rain"),
    ),
    "a photo",
    paint,
    describe,
)
