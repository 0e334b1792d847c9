"""Brushes for land and water seen from above, and what uses them."""

from __future__ import annotations

import math
from random import Random

from latentdiff.images.worlds.pen import WHITE, Colour, Pen, pick, shade, vivid

WATER: tuple[Colour, ...] = ((40, 76, 104), (60, 104, 112), (84, 110, 96), (30, 50, 78), (120, 130, 110))
ASPHALT: tuple[Colour, ...] = ((84, 84, 88), (120, 118, 116), (60, 60, 64), (150, 148, 142))
LEAF: tuple[Colour, ...] = ((44, 76, 40), (64, 96, 50), (34, 60, 44), (90, 104, 52))
DARK: Colour = (34, 36, 34)


def river(pen: Pen, rng: Random) -> None:
    """A winding band of water with pale banks, across the frame."""
    water, bank = pick(rng, WATER), pick(rng, ((170, 156, 120), (110, 124, 80), (196, 186, 160)))
    width, swing, phase = rng.uniform(0.2, 0.4), rng.uniform(0.25, 0.5), rng.uniform(0, 6.28)
    line = [(-2.6 + 0.2 * i, swing * math.sin(0.52 * i + phase)) for i in range(27)]
    pen.line(line, width + 0.12, bank)
    pen.line(line, width, water)
    pen.line([(x, y - 0.12 * width) for x, y in line], 0.25 * width, shade(water, 1.2))


def forest(pen: Pen, rng: Random) -> None:
    """Crowns close together, with an irregular edge."""
    leaf = pick(rng, LEAF)
    for _ in range(58):
        a, d = rng.uniform(0, 6.28), 0.95 * math.sqrt(rng.random())
        x, y, r = d * math.cos(a), d * math.sin(a), rng.uniform(0.1, 0.2)
        pen.ellipse(x + 0.05, y + 0.06, r, r, shade(leaf, 0.45))
        pen.ellipse(x, y, r, r, shade(leaf, rng.uniform(0.75, 1.35)))


def orchard(pen: Pen, rng: Random) -> None:
    """Round trees on a regular grid."""
    soil, leaf = pick(rng, ((150, 124, 84), (120, 128, 70), (176, 150, 110))), pick(rng, LEAF)
    step = rng.uniform(0.3, 0.4)
    count = int(2 / step)
    pen.rect(-1.0, -1.0, 1.0, 1.0, soil)
    r = 0.36 * step
    for i in range(count):
        for j in range(count):
            x, y = -0.98 + step * (i + 0.5), -0.98 + step * (j + 0.5)
            pen.ellipse(x + 0.05, y + 0.05, r, r, shade(soil, 0.5))
            pen.ellipse(x, y, r, r, shade(leaf, rng.uniform(0.85, 1.2)))


def circular_fields(pen: Pen, rng: Random) -> None:
    """Discs of centre-pivot irrigation, in different stages of growth."""
    crops: tuple[Colour, ...] = ((70, 120, 50), (110, 150, 60), (150, 130, 80), (50, 90, 50), (196, 180, 110))
    pen.rect(-1.0, -1.0, 1.0, 1.0, pick(rng, ((190, 166, 120), (170, 140, 100), (150, 150, 100))))
    for x in (-0.5, 0.5):
        for y in (-0.5, 0.5):
            crop = pick(rng, crops)
            pen.ellipse(x, y, 0.47, 0.47, crop)
            pen.ring(x, y, 0.3, 0.03, shade(crop, 0.85))
            a = rng.uniform(0, 6.28)
            if rng.random() < 0.5:
                wedge = [(x + 0.47 * math.cos(a + 0.2 * i), y + 0.47 * math.sin(a + 0.2 * i)) for i in range(8)]
                pen.poly([(x, y), *wedge], pick(rng, crops))
            pen.line(((x, y), (x + 0.46 * math.cos(a), y + 0.46 * math.sin(a))), 0.03, (220, 214, 190))


def greenhouse(pen: Pen, rng: Random) -> None:
    """Long glass roofs side by side, bright ridges."""
    glass = pick(rng, ((190, 214, 216), (220, 228, 224), (150, 186, 190)), 14)
    count = rng.randint(4, 6)
    pen.rect(-0.94, -0.78, 1.06, 0.96, DARK)
    for i in range(count):
        y, high = -0.86 + 1.74 * i / count, 1.74 / count
        pen.rect(-1.0, y, 1.0, y + high * 0.5, glass)
        pen.rect(-1.0, y + high * 0.5, 1.0, y + high * 0.94, shade(glass, 0.72))
        pen.line(((-1.0, y + high * 0.5), (1.0, y + high * 0.5)), 0.03, (250, 252, 252))
        for j in range(1, 10):
            pen.line(((-1 + 0.2 * j, y), (-1 + 0.2 * j, y + high * 0.94)), 0.02, (120, 150, 130))


def solar_panels(pen: Pen, rng: Random) -> None:
    """Rows of dark blue panels with a fine grid."""
    blue = pick(rng, ((30, 44, 96), (40, 60, 120), (24, 30, 60)), 14)
    rows, high = rng.randint(4, 6), rng.uniform(0.2, 0.26)
    pen.rect(-1.0, -0.9, 1.0, -0.86 + rows * 0.36, pick(rng, ((170, 160, 130), (130, 140, 90))))
    for i in range(rows):
        y = -0.84 + 0.36 * i
        pen.rect(-0.92, y + 0.04, 0.96, y + high + 0.05, DARK)
        pen.rect(-0.94, y, 0.94, y + high, blue)
        pen.line(((-0.94, y + 0.04), (0.94, y + 0.04)), 0.03, shade(blue, 1.7))
        for j in range(9):
            x = -0.94 + 0.235 * j
            pen.line(((x, y), (x, y + high)), 0.03, (170, 180, 200))
        pen.line(((-0.94, y + high / 2), (0.94, y + high / 2)), 0.02, (150, 160, 190))


def wind_turbines(pen: Pen, rng: Random) -> None:
    """White three-bladed rotors with long shadows, on tracks."""
    pen.line(((-1.0, 0.5), (0.2, 0.2), (1.0, -0.6)), 0.07, (190, 178, 150))
    for x, y in ((-0.5, 0.3), (0.5, -0.3)):
        turn = rng.uniform(0, 2)
        pen.ellipse(x, y + 0.02, 0.12, 0.12, (196, 186, 164))
        pen.line(((x, y), (x + 0.4, y + 0.5)), 0.05, DARK)
        for i in range(3):
            a = turn + 2.094 * i
            pen.line(((x + 0.4, y + 0.5), (x + 0.4 + 0.34 * math.cos(a), y + 0.5 + 0.34 * math.sin(a))), 0.04, DARK)
        for i in range(3):
            a = turn + 2.094 * i
            pen.line(((x, y), (x + 0.5 * math.cos(a), y + 0.5 * math.sin(a))), 0.075, (248, 248, 250))
        pen.ellipse(x, y, 0.07, 0.07, (248, 248, 250))


def ships(pen: Pen, rng: Random) -> None:
    """Hulls with wakes on a patch of water."""
    water = pick(rng, WATER[:4])
    count = 14
    shore = [(rng.uniform(0.95, 1.2), 2 * math.pi * i / count) for i in range(count)]
    pen.poly([(r * math.cos(a), r * math.sin(a)) for r, a in shore], water)
    for i in range(rng.randint(2, 4)):
        y, x = (-0.55, -0.1, 0.3, 0.66)[i], rng.uniform(-0.35, 0.3)
        hull, long = pick(rng, ((200, 60, 50), (230, 230, 226), (70, 74, 84), (180, 150, 110))), rng.uniform(0.3, 0.5)
        stern, bow = x - long, x + 0.6 * long
        pen.poly(((stern, y), (stern - 0.5, y - 0.14), (stern - 0.3, y), (stern - 0.5, y + 0.14)), shade(water, 1.5))
        pen.poly(((stern, y - 0.1), (bow, y - 0.1), (x + long, y), (bow, y + 0.1), (stern, y + 0.1)), hull)
        pen.rect(x - 0.85 * long, y - 0.06, x - 0.5 * long, y + 0.06, WHITE)
        for j in range(3):
            left = x + long * (-0.35 + 0.32 * j)
            pen.rect(left, y - 0.06, left + 0.22 * long, y + 0.06, vivid(rng))
