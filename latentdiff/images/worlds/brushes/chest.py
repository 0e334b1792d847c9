"""Brushes for findings and devices on chest films, in the patient's frame: chest within [-1, 1], heart on the right."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

from latentdiff.images.worlds.pen import Pen, Point, grey

METAL = grey(250)


def lung_spot(rng: Random, reach: float = 1.0) -> Point:
    """A place within one of the lungs."""
    a, r = rng.uniform(0, 2 * math.pi), reach * math.sqrt(rng.random())
    return rng.choice((-1, 1)) * (0.47 + 0.2 * r * math.cos(a)), -0.14 + 0.5 * r * math.sin(a)


def curve(points: list[Point], steps: int = 9) -> list[Point]:
    """A smooth line through the first and last point, drawn towards those between (Bezier)."""
    line = []
    for i in range(steps + 1):
        t, layer = i / steps, points
        while len(layer) > 1:
            layer = [(x + t * (u - x), y + t * (v - y)) for (x, y), (u, v) in pairwise(layer)]
        line.append(layer[0])
    return line


def nodule(pen: Pen, rng: Random) -> None:
    """A round spot in a lung."""
    x, y = lung_spot(rng)
    r = rng.uniform(0.13, 0.21)
    pen.ellipse(x, y, r, r * rng.uniform(0.9, 1.1), grey(rng.uniform(100, 150)), rng.random())
    pen.ellipse(x, y, 0.6 * r, 0.6 * r, grey(rng.uniform(140, 170)))


def effusion(pen: Pen, rng: Random) -> None:
    """Fluid that fills the lower part of a lung, higher at its outer edge."""
    s, level = rng.choice((-1, 1)), rng.uniform(-0.1, 0.25)
    top = curve([(s * 0.12, level + 0.22), (s * 0.5, level + 0.22), (s * 0.86, level - 0.3)])
    pen.poly([*top, (s * 0.88, 0.72), (s * 0.1, 0.72)], grey(rng.uniform(105, 150)))


def consolidation(pen: Pen, rng: Random) -> None:
    """A patchy cloud in one lung."""
    x, y = lung_spot(rng, 0.6)
    for _ in range(14):
        dx, dy = rng.gauss(0, 0.13), rng.gauss(0, 0.17)
        pen.ellipse(x + dx, y + dy, rng.uniform(0.04, 0.11), rng.uniform(0.04, 0.1), grey(rng.uniform(60, 135)))


def cardiomegaly(pen: Pen, rng: Random) -> None:
    """A heart that takes most of the chest's width."""
    level = grey(rng.uniform(95, 130))
    pen.ellipse(0.16, 0.3, rng.uniform(0.52, 0.62), rng.uniform(0.34, 0.42), level, 0.3)
    pen.ellipse(0.02, 0.05, 0.26, 0.34, level)


def pneumothorax(pen: Pen, rng: Random) -> None:
    """Air beside a shrunken lung: a black rim and a fine line where the lung ends."""
    s, depth = rng.choice((-1, 1)), rng.uniform(0.12, 0.26)
    outer = [(s * 0.3, -0.78), (s * 1.04, -0.75), (s * 0.92, 0.55)]
    inner = [(s * 0.3, -0.7), (s * (0.98 - 2 * depth), -0.56), (s * (0.84 - depth), 0.5)]
    pen.poly(curve(outer) + curve(inner)[::-1], grey(20))
    pen.line(curve(inner), 0.035, grey(200))


def fracture(pen: Pen, rng: Random) -> None:
    """A rib broken in two displaced pieces with a step between them."""
    s, y, gap = rng.choice((-1, 1)), rng.uniform(-0.5, 0.3), rng.uniform(0.09, 0.16)
    x = s * rng.uniform(0.42, 0.62)
    inner = ((x - s * 0.36, y - 0.16), (x - s * 0.02, y))
    outer = ((x + s * 0.02, y + gap), (x + s * 0.3, y + 0.3 + gap))
    for ends in (inner, outer):
        pen.line(ends, 0.12, grey(215))
        pen.line(ends, 0.05, grey(150))
    pen.line(((x - s * 0.06, y + gap), (x + s * 0.08, y - 0.04)), 0.05, grey(20))


def pacemaker(pen: Pen, rng: Random) -> None:
    """A metal can below the collarbone, its leads down to the heart."""
    s = 1 if rng.random() < 0.7 else -1
    x, y = s * rng.uniform(0.5, 0.68), rng.uniform(-0.62, -0.42)
    end = (rng.uniform(0.1, 0.36), rng.uniform(0.3, 0.5))
    for drop in (0.0, -0.22)[: rng.randint(1, 2)]:
        pen.line(curve([(x, y), (s * 0.2, -1.0), (-0.22, -0.3), (end[0] + drop, end[1] + drop)]), 0.035, METAL)
    r = rng.uniform(0.17, 0.22)
    pen.ellipse(x, y, r, r * 0.9, METAL)
    pen.rect(x - r, y - r * 0.9, x + r, y, METAL)
    pen.rect(x - 0.6 * r, y - 0.5 * r, x + 0.5 * r, y + 0.3 * r, grey(165))
    pen.ellipse(x, y + 0.3 * r, 0.4 * r, 0.3 * r, grey(150))


def tube(pen: Pen, rng: Random) -> None:
    """An airway tube: two parallel lines from the mouth to above the windpipe's fork."""
    x, end, lean = rng.uniform(-0.06, 0.06), rng.uniform(-0.35, -0.1), rng.uniform(-0.08, 0.08)
    for dx in (-0.055, 0.055):
        pen.line(((x + dx + lean, -1.3), (x + dx, -0.8), (x + dx, end)), 0.035, METAL)
    pen.line(((x + lean, -1.3), (x, -0.8), (x, end)), 0.06, grey(110))
    pen.ellipse(x, end - 0.14, 0.11, 0.08, grey(150))


def catheter(pen: Pen, rng: Random) -> None:
    """A thin line from neck or shoulder into the great vein, with a port."""
    s = rng.choice((-1, 1))
    port = (s * rng.uniform(0.45, 0.75), rng.uniform(-0.3, -0.05))
    end = (-0.12, rng.uniform(0.0, 0.25))
    pen.line(curve([port, (s * 0.9, -1.25), (s * 0.1, -1.1), (-0.2, -0.5), end], 12), 0.04, METAL)
    pen.poly([(port[0] + dx * 0.13, port[1] + dy * 0.13) for dx, dy in ((-1, 0.8), (1, 0.8), (0, -1))], METAL)
    pen.ellipse(*port, 0.06, 0.05, grey(120))


def sternal_wires(pen: Pen, rng: Random) -> None:
    """Loops of wire down the breastbone."""
    count = rng.randint(5, 7)
    for i in range(count):
        x, y = rng.uniform(-0.02, 0.02), -0.55 + 1.0 * i / (count - 1)
        pen.ring(x, y, 0.1, 0.035, METAL, 0.055)
        pen.line(((x, y + 0.03), (x + rng.uniform(-0.06, 0.06), y + 0.11)), 0.04, METAL)


def electrodes(pen: Pen, rng: Random) -> None:
    """Stickers on the skin with wires that leave the film."""
    for x, y in rng.sample(((-0.66, -0.55), (0.66, -0.55), (-0.66, 0.5), (0.7, 0.5), (0.0, 0.66), (0.3, 0.05)), 4):
        x, y = x + rng.uniform(-0.1, 0.1), y + rng.uniform(-0.1, 0.1)
        pen.line(curve([(x, y), (x * 1.3, y + 0.4), (x * 0.6, 1.0), (0.3, 1.4)]), 0.025, grey(215))
        pen.ellipse(x, y, 0.1, 0.1, grey(190))
        pen.ellipse(x, y, 0.05, 0.05, METAL)


def valve(pen: Pen, rng: Random) -> None:
    """The ring of an artificial heart valve with its struts."""
    x, y, r, turn = rng.uniform(0.0, 0.25), rng.uniform(0.1, 0.36), rng.uniform(0.12, 0.17), rng.uniform(0, 3)
    points = [(x + r * math.cos(a + turn), y + 0.8 * r * math.sin(a + turn)) for a in (0.0, 2.1, 4.2)]
    pen.ring(x, y, r, 0.065, METAL, 0.8 * r)
    for px, py in points:
        pen.line(((px, py), (px + 0.5 * (px - x) + 0.05, py - 0.1)), 0.05, METAL)
    pen.line((points[0], points[1]), 0.035, METAL)


def spinal_rods(pen: Pen, rng: Random) -> None:
    """Two rods along the spine with pairs of screws."""
    top, bottom = rng.uniform(-0.75, -0.35), rng.uniform(0.25, 0.8)
    for s in (-1, 1):
        pen.line(((s * 0.1, top), (s * 0.085, (top + bottom) / 2), (s * 0.11, bottom)), 0.055, METAL)
        for i in range(4):
            y = top + 0.05 + (bottom - top - 0.1) * i / 3
            pen.line(((s * 0.1, y), (s * 0.27, y - 0.07)), 0.05, METAL)
            pen.ellipse(s * 0.1, y, 0.055, 0.05, METAL)


def clips(pen: Pen, rng: Random) -> None:
    """A cluster of small surgical clips."""
    x, y = lung_spot(rng, 0.8)
    for _ in range(rng.randint(6, 10)):
        cx, cy, a = x + rng.gauss(0, 0.13), y + rng.gauss(0, 0.13), rng.uniform(0, 3.1)
        dx, dy = 0.06 * math.cos(a), 0.06 * math.sin(a)
        pen.line(((cx - dx, cy - dy), (cx + dx, cy + dy)), 0.045, METAL)


def necklace(pen: Pen, rng: Random) -> None:
    """Beads round the neck with a pendant."""
    width, drop = rng.uniform(0.3, 0.46), rng.uniform(0.3, 0.6)
    beads = curve([(-width, -1.0), (-0.8 * width, -1.0 + 2 * drop), (0.8 * width, -1.0 + 2 * drop), (width, -1.0)], 20)
    for x, y in beads:
        pen.ellipse(x, y, 0.04, 0.04, METAL)
    x, y = beads[10]
    pen.poly(((x, y), (x + 0.09, y + 0.12), (x, y + 0.24), (x - 0.09, y + 0.12)), METAL)


def implant(pen: Pen, rng: Random) -> None:
    """An artificial shoulder joint: a ball on a stem."""
    s = rng.choice((-1, 1))
    x, y = s * rng.uniform(0.7, 0.84), rng.uniform(-0.68, -0.5)
    pen.ellipse(x - s * 0.04, y - 0.04, 0.16, 0.16, METAL)
    pen.poly(((x - s * 0.08, y), (x + s * 0.12, y - 0.08), (x + s * 0.2, y + 0.62), (x + s * 0.13, y + 0.64)), METAL)
    towards_spine = 0.0 if s < 0 else math.pi
    pen.arc(x - s * 0.12, y - 0.04, 0.16, 0.2, towards_spine - 1.2, towards_spine + 1.2, 0.05, METAL)
