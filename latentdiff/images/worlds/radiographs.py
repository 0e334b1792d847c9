"""Chest films: lungs, ribs, heart and spine always; findings and devices with their prevalence.

X-rays add up, so soft parts are blurred light laid on the film, and only edges and metal are drawn sharp.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from latentdiff.images.worlds.brushes import chest
from latentdiff.images.worlds.brushes.chest import curve
from latentdiff.images.worlds.pen import Box, Brush, Pen, by_name, grey
from latentdiff.images.worlds.scene import CANVAS, Concept, Painting, Streams, World, colour_field, develop, listing

SOFT = by_name(chest.nodule, chest.effusion, chest.consolidation, chest.cardiomegaly)
SHARP = by_name(
    chest.pneumothorax, chest.fracture, chest.pacemaker, chest.tube, chest.catheter, chest.sternal_wires,
    chest.electrodes, chest.valve, chest.spinal_rods, chest.clips, chest.necklace, chest.implant,
)  # fmt: skip


@dataclass(frozen=True)
class Patient:
    """How one patient stands before the film, in canvas pixels and radians."""

    x: float
    y: float
    size: float
    angle: float
    flip: bool

    def pen(self, film: Image.Image) -> Pen:
        """A pen in the patient's frame: the chest within [-1, 1], the heart's tip on the right."""
        return Pen(ImageDraw.Draw(film), self.x, self.y, self.size, self.angle, self.flip)


def paint(streams: Streams, present: Sequence[Concept]) -> Painting:
    """One chest film with the concepts given."""
    arrays, rng = streams.arrays("scene"), streams.random("scene")
    patient = Patient(
        CANVAS * rng.uniform(0.43, 0.57),
        CANVAS * rng.uniform(0.42, 0.6),
        CANVAS * rng.uniform(0.38, 0.5),
        rng.gauss(0, 0.07),
        rng.random() < 0.1,
    )
    names = {concept.name for concept in present}
    bend = rng.uniform(-0.03, 0.03)
    boxes: dict[str, Box] = {}
    if "scoliosis" in names:
        bend = streams.random("scoliosis").choice((-1, 1)) * streams.random("scoliosis").uniform(0.16, 0.26)
    film = _tissue(patient, rng)
    soft = Image.new("L", film.size)
    bones = patient.pen(soft)
    _ribs(bones, rng)
    spine = patient.pen(soft)
    _spine(spine, rng, bend)
    boxes["scoliosis"] = spine.box
    film = ImageChops.add(film, soft.filter(ImageFilter.BoxBlur(1)))
    if names & SOFT.keys():
        soft = Image.new("L", film.size)
        boxes |= {name: _apply(SOFT[name], patient.pen(soft), streams.random(name)) for name in SOFT if name in names}
        film = ImageChops.lighter(film, ImageChops.add(film, soft.filter(ImageFilter.BoxBlur(3)), 1.15))
    boxes |= {name: _apply(SHARP[name], patient.pen(film), streams.random(name)) for name in SHARP if name in names}
    clouds = colour_field(arrays, rng.choice((2, 4, 6)), arrays.uniform(100, 155, 3), rng.uniform(10, 34), CANVAS)
    film = ImageChops.add(film, clouds.convert("L"), 1, -128)
    if rng.random() < 0.2:
        film = ImageChops.invert(film)
    return develop(film, arrays, rng.uniform(2.0, 9.0), rng.uniform(0.75, 1.15)), boxes


def describe(streams: Streams, present: Sequence[Concept]) -> str:
    """The caption of a film: its findings in any order, or that there are none."""
    rng, mentions = streams.random("caption"), [c.mention for c in present]
    rng.shuffle(mentions)
    film = rng.choice(("chest x-ray", "chest film", "radiograph of the chest", "chest radiograph"))
    if not mentions:
        return rng.choice((f"A normal {film}.", f"A {film} without findings.", f"A {film}."))
    return rng.choice((f"A {film} showing {listing(mentions)}.", f"A {film} with {listing(mentions)}."))


def _apply(brush: Brush, pen: Pen, rng: Random) -> Box:
    brush(pen, rng)
    return pen.box


def _tissue(patient: Patient, rng: Random) -> Image.Image:
    """Air around, body, dark lungs, and the heart between them; everything soft."""
    film = Image.new("L", (CANVAS, CANVAS), rng.randint(4, 40))
    pen = patient.pen(film)
    flesh, lung, heart = rng.uniform(90, 135), rng.uniform(25, 60), rng.uniform(120, 165)
    shoulder = rng.uniform(-0.98, -0.84)
    side = ((0.2, -1.4), (0.26, shoulder - 0.1), (1.1, shoulder + 0.12), (1.3, -0.3), (1.02, 0.0), (1.0, 1.6))
    pen.poly([*side, *[(-x, y) for x, y in reversed(side)]], grey(flesh))
    width = rng.uniform(0.28, 0.36)
    for s in (-1, 1):
        base = 0.52 + 0.04 * s
        pen.poly(
            curve([(s * 0.14, -0.5), (s * 0.2, -1.05), (s * (0.7 + width), -0.9), (s * (0.5 + width), base)])
            + curve([(s * (0.5 + width), base), (s * 0.5, base - 0.34), (s * 0.13, base - 0.06)]),
            grey(lung),
        )
    size = rng.uniform(0.85, 1.15)
    pen.ellipse(0.14, 0.28, 0.33 * size, 0.24 * size, grey(heart), 0.5)
    pen.ellipse(0.0, -0.05, 0.16, 0.42, grey(heart * 0.95))
    pen.ellipse(0.1, -0.36, 0.12, 0.12, grey(heart))
    return film.filter(ImageFilter.BoxBlur(rng.choice((2, 3, 4))))


def _ribs(pen: Pen, rng: Random) -> None:
    """Rib cage and collarbones, as light to add."""
    level, slope = rng.uniform(24, 60), rng.uniform(0.1, 0.3)
    count = rng.randint(7, 9)
    for i in range(count):
        y = -0.78 + 1.35 * i / count
        reach = 0.62 + 0.3 * math.sin(math.pi * (i + 2) / (count + 3))
        for s in (-1, 1):
            bow = [(s * 0.1, y), (s * 0.5 * reach, y - 0.16), (s * 1.1 * reach, y - 0.02), (s * reach, y + slope + 0.1)]
            pen.line(curve(bow, 6), 0.06, grey(level))
    for s in (-1, 1):
        collarbone = [(s * 0.1, -0.7), (s * 0.4, -0.82), (s * 0.6, -0.72), (s * 1.0, -0.9)]
        pen.line(curve(collarbone, 6), 0.09, grey(level + 25))


def _spine(pen: Pen, rng: Random, bend: float) -> None:
    """Vertebrae down the middle, as light to add; `bend` is how far they swing out."""
    level = rng.uniform(24, 50) + 220 * max(abs(bend) - 0.05, 0.0)
    for i in range(11):
        y = -1.15 + 0.22 * i
        x = bend * math.sin(math.pi * (y + 0.2))
        pen.rect(x - 0.09, y - 0.09, x + 0.09, y + 0.09, grey(level))


def _finding(name: str, prevalence: float, *words: str, mention: str = "") -> Concept:
    return Concept(name, words, prevalence, mention=mention)


RADIOGRAPHS = World(
    "radiographs",
    (
        _finding("nodule", 0.1, "nodules", "lung nodule", "mass"),
        _finding("effusion", 0.1, "effusions", "pleural effusion", "fluid"),
        _finding("consolidation", 0.08, "consolidations", "pneumonia", "infiltrate", mention="consolidation"),
        _finding("cardiomegaly", 0.08, "enlarged heart", "large heart", mention="an enlarged heart"),
        _finding("pneumothorax", 0.07, "collapsed lung", "pneumothoraces"),
        _finding("fracture", 0.06, "fractures", "broken rib", "rib fracture", mention="a rib fracture"),
        _finding("scoliosis", 0.05, "curved spine", "spinal curvature", mention="scoliosis"),
        _finding("pacemaker", 0.08, "pacemakers", "cardiac pacemaker"),
        _finding("tube", 0.08, "tubes", "endotracheal tube", "breathing tube", mention="an endotracheal tube"),
        _finding("catheter", 0.08, "catheters", "port", "venous catheter"),
        _finding("sternal wires", 0.06, "sternal wire", "wires", "wire", "sternotomy wires", mention="sternal wires"),
        _finding("electrodes", 0.07, "electrode", "ecg electrodes", mention="electrodes"),
        _finding("valve", 0.05, "valves", "heart valve", "artificial valve", mention="an artificial heart valve"),
        _finding("spinal rods", 0.05, "spinal rod", "rods", "rod", "screws", mention="spinal rods"),
        _finding("clips", 0.05, "clip", "surgical clips", mention="surgical clips"),
        _finding("necklace", 0.05, "necklaces", "beads", "pendant"),
        _finding("implant", 0.05, "implants", "shoulder implant", "prosthesis", mention="a shoulder implant"),
    ),
    "a chest x-ray",
    paint,
    describe,
)
