"""Brushes for what is built, seen from above; shadows fall to the lower right of each frame."""

from __future__ import annotations

import math
from random import Random

from latentdiff.images.worlds.brushes.land import ASPHALT, DARK, LEAF, WATER
from latentdiff.images.worlds.pen import BLACK, WHITE, Pen, muted, near, pick, shade, vivid


def runway(pen: Pen, rng: Random) -> None:
    """A long strip with threshold bars, centre line and a taxiway."""
    tar = pick(rng, ASPHALT)
    paint = WHITE if sum(tar) < 400 else (250, 250, 250)
    pen.rect(-1.5, 0.42, 1.3, 0.54, shade(tar, 0.9))
    for x in (-1.2, 0.0, 1.2):
        pen.line(((x, 0.1), (x + 0.1, 0.5)), 0.12, shade(tar, 0.9))
    pen.rect(-1.7, -0.2, 1.7, 0.2, tar)
    for s in (-1, 1):
        for i in range(6):
            y = -0.15 + 0.06 * i
            pen.line(((s * 1.62, y), (s * 1.36, y)), 0.03, paint)
        for y in (-0.1, 0.1):
            pen.line(((s * 1.1, y), (s * 0.92, y)), 0.06, paint)
        pen.line(((-1.7, s * 0.19), (1.7, s * 0.19)), 0.02, paint)
    for i in range(-4, 5):
        pen.line(((0.2 * i - 0.06, 0), (0.2 * i + 0.06, 0)), 0.03, paint)


def roundabout(pen: Pen, rng: Random) -> None:
    """A ring of road with a green island and four arms."""
    tar, green = pick(rng, ASPHALT), pick(rng, LEAF)
    turn = rng.uniform(0, 1.57)
    for i in range(rng.choice((3, 4, 4))):
        c, s = math.cos(turn + 1.571 * i), math.sin(turn + 1.571 * i)
        pen.line(((0.5 * c, 0.5 * s), (1.6 * c, 1.6 * s)), 0.3, tar)
        for r in (0.9, 1.15, 1.4):
            pen.line(((r * c, r * s), ((r + 0.12) * c, (r + 0.12) * s)), 0.04, WHITE)
    pen.ellipse(0, 0, 0.7, 0.7, tar)
    pen.ring(0, 0, 0.54, 0.03, WHITE)
    pen.ellipse(0, 0, 0.36, 0.36, WHITE)
    pen.ellipse(0, 0, 0.32, 0.32, green)
    pen.ellipse(0.04, 0.04, 0.13, 0.13, shade(green, 0.5))
    pen.ellipse(0, 0, 0.12, 0.12, shade(green, 1.4))
    for _ in range(3):
        a = rng.uniform(0, 6.28)
        pen.ellipse(0.54 * math.cos(a), 0.54 * math.sin(a), 0.08, 0.05, vivid(rng), a + 1.57)


def stadium(pen: Pen, rng: Random) -> None:
    """An oval of stands around a striped pitch, often with a running track."""
    roof, grass = near(rng, (206, 206, 208), 30), near(rng, (70, 140, 60))
    pen.ellipse(0.08, 0.1, 1.0, 0.8, DARK)
    pen.ellipse(0, 0, 1.0, 0.8, roof)
    pen.ring(0, 0, 0.9, 0.05, shade(roof, 0.7), 0.7)
    pen.ellipse(0, 0, 0.82, 0.62, vivid(rng))
    for i in range(20):
        c, s = math.cos(math.pi * i / 10), math.sin(math.pi * i / 10)
        pen.line(((0.7 * c, 0.52 * s), (0.99 * c, 0.79 * s)), 0.025, shade(roof, 0.6))
    pen.ellipse(0, 0, 0.66, 0.47, (176, 84, 60) if rng.random() < 0.6 else shade(grass, 0.7))
    pen.rect(-0.46, -0.28, 0.46, 0.28, grass)
    for i in range(4):
        x = -0.46 + 0.23 * i
        pen.rect(x, -0.28, x + 0.115, 0.28, shade(grass, 1.2))
    pen.line(((-0.46, -0.28), (0.46, -0.28), (0.46, 0.28), (-0.46, 0.28), (-0.46, -0.28)), 0.03, WHITE)
    pen.line(((0, -0.28), (0, 0.28)), 0.03, WHITE)
    pen.ring(0, 0, 0.1, 0.03, WHITE)


def storage_tanks(pen: Pen, rng: Random) -> None:
    """White cylinders with shadows, in rows."""
    pen.rect(-1.0, -1.0, 1.0, 1.0, near(rng, (150, 140, 124)))
    count = rng.choice((2, 3))
    step = 2 / count
    paint = near(rng, (232, 230, 224), 14) if rng.random() < 0.75 else pick(rng, ((170, 120, 90), (120, 150, 160)))
    for i in range(count):
        for j in range(count):
            x, y, r = -1 + step * (i + 0.46), -1 + step * (j + 0.46), 0.38 * step * rng.uniform(0.75, 1)
            pen.ellipse(x + 0.34 * r, y + 0.34 * r, r, r, DARK)
            pen.ellipse(x, y, r, r, shade(paint, 0.75))
            pen.ellipse(x - 0.06 * r, y - 0.06 * r, 0.9 * r, 0.9 * r, paint)
            pen.ellipse(x, y, 0.14 * r, 0.14 * r, shade(paint, 0.5))
            pen.line(((x, y), (x + 0.8 * r, y + 0.3 * r)), 0.04, shade(paint, 0.6))


def swimming_pool(pen: Pen, rng: Random) -> None:
    """Turquoise water in a pale deck with loungers: lanes, kidney or rectangle."""
    blue, deck = pick(rng, ((60, 190, 214), (90, 206, 220), (50, 150, 210)), 14), near(rng, (210, 198, 180))
    pen.rect(-0.95, -0.8, 0.95, 0.8, deck)
    kind = rng.randrange(3)
    if kind == 0:
        pen.rect(-0.74, -0.52, 0.74, 0.52, shade(blue, 0.7))
        pen.rect(-0.7, -0.46, 0.74, 0.52, blue)
        for i in range(1, 6):
            y = -0.46 + 0.163 * i
            pen.line(((-0.7, y), (0.72, y)), 0.03, WHITE)
    elif kind == 1:
        for x, y, r in ((-0.36, 0.06, 0.42), (0.36, -0.1, 0.38), (0.0, 0.0, 0.3)):
            pen.ellipse(x, y, r + 0.05, r + 0.05, WHITE)
        for x, y, r in ((-0.36, 0.06, 0.42), (0.36, -0.1, 0.38), (0.0, 0.0, 0.3)):
            pen.ellipse(x, y, r, r, blue)
        pen.ellipse(-0.4, 0.0, 0.2, 0.16, shade(blue, 1.15))
    else:
        pen.rect(-0.64, -0.4, 0.64, 0.4, WHITE)
        pen.rect(-0.58, -0.34, 0.58, 0.34, blue)
        pen.poly(((-0.58, -0.34), (0.1, -0.34), (-0.2, 0.34), (-0.58, 0.34)), shade(blue, 1.15))
    for i in range(5):
        pen.rect(-0.7 + 0.3 * i, 0.6, -0.54 + 0.3 * i, 0.75, WHITE if i % 2 else vivid(rng))


def bridge(pen: Pen, rng: Random) -> None:
    """A road over water, with railings, piers and a shadow."""
    water, road = pick(rng, WATER[:4]), near(rng, (176, 174, 170), 30)
    pen.poly(((-0.55, -1.0), (0.5, -1.05), (0.62, 0.0), (0.5, 1.0), (-0.62, 1.05), (-0.5, 0.0)), water)
    for y in (-0.7, 0.5, 0.8):
        pen.line(((-0.3, y), (0.1, y - 0.05)), 0.04, shade(water, 1.4))
    pen.rect(-0.9, 0.12, 1.0, 0.36, shade(water, 0.45))
    for x in (-0.5, 0.0, 0.5):
        pen.rect(x - 0.06, -0.26, x + 0.06, 0.28, shade(road, 0.6))
    pen.rect(-1.2, -0.2, 1.2, 0.2, road)
    for y in (-0.19, 0.19):
        pen.line(((-1.2, y), (1.2, y)), 0.05, shade(road, 0.5))
    for i in range(6):
        pen.line(((-1.1 + 0.4 * i, 0), (-0.9 + 0.4 * i, 0)), 0.035, WHITE)
    for _ in range(3):
        x = rng.uniform(-1, 1)
        pen.rect(x, 0.05, x + 0.16, 0.13, vivid(rng))


def airplane(pen: Pen, rng: Random) -> None:
    """A jet from above on its stand, with a shadow."""
    pen.rect(-1.0, -1.0, 1.0, 1.0, pick(rng, ASPHALT))
    pen.line(((-1.0, 0.7), (1.0, 0.7)), 0.04, (220, 190, 60))
    body, tail = near(rng, (236, 236, 238), 10), vivid(rng)
    for d, colour in ((0.09, DARK), (0.0, body)):
        for s in (-1, 1):
            tip, fin = d + s * 0.88, d + s * 0.36
            pen.poly(((d, d - 0.28), (tip, d + 0.26), (tip, d + 0.38), (d, d + 0.14)), colour)
            pen.poly(((d, d + 0.6), (fin, d + 0.84), (fin, d + 0.92), (d, d + 0.82)), colour)
        pen.ellipse(d, d, 0.13, 0.94, colour)
    for s in (-1, 1):
        pen.rect(s * 0.36 - 0.06, -0.1, s * 0.36 + 0.06, 0.14, (90, 92, 98))
        pen.line(((s * 0.1, -0.16), (s * 0.84, 0.31)), 0.03, shade(body, 0.75))
    pen.ellipse(0, -0.78, 0.07, 0.06, (50, 60, 80))
    pen.poly(((-0.04, 0.56), (0.04, 0.56), (0.05, 0.96), (-0.05, 0.96)), tail)


def houses(pen: Pen, rng: Random) -> None:
    """Gabled roofs with gardens along a street."""
    pen.rect(-1.1, -0.12, 1.1, 0.12, pick(rng, ASPHALT))
    for i in range(4):
        for s in (-1, 1):
            x, y = -0.78 + 0.52 * i + rng.uniform(-0.05, 0.05), s * rng.uniform(0.48, 0.6)
            w, h = rng.uniform(0.16, 0.21), rng.uniform(0.17, 0.24)
            roof = pick(rng, ((170, 84, 60), (120, 70, 56), (110, 110, 116), (186, 150, 120)))
            pen.line(((x + w, y), (x + w, 0)), 0.06, (190, 186, 178))
            pen.rect(x - w + 0.06, y - h + 0.07, x + w + 0.07, y + h + 0.07, DARK)
            pen.rect(x - w, y - h, x + w, y, shade(roof, 1.15))
            pen.rect(x - w, y, x + w, y + h, shade(roof, 0.75))
            pen.line(((x - w, y), (x + w, y)), 0.03, shade(roof, 1.4))
            pen.ellipse(x - 0.24, y + s * 0.2, 0.08, 0.08, pick(rng, LEAF))


def parking_lot(pen: Pen, rng: Random) -> None:
    """Rows of cars in marked bays."""
    tar = pick(rng, ASPHALT)
    pen.rect(-1.0, -0.9, 1.0, 0.9, tar)
    for y in (-0.66, -0.26, 0.26, 0.66):
        for i in range(10):
            x = -0.92 + 0.185 * i
            pen.line(((x, y - 0.17), (x, y + 0.17)), 0.02, WHITE)
            if rng.random() < 0.75:
                paint = muted(rng) if rng.random() < 0.6 else vivid(rng)
                pen.rect(x + 0.035, y - 0.14, x + 0.155, y + 0.14, paint)
                pen.rect(x + 0.05, y - 0.07, x + 0.14, y - 0.02, BLACK)


def tennis_court(pen: Pen, rng: Random) -> None:
    """One or two courts with white lines and a net."""
    floor, rim = pick(rng, ((60, 110, 170), (176, 90, 60), (70, 140, 90))), pick(rng, ((70, 130, 80), (120, 70, 60)))
    pen.rect(-0.98, -0.98, 0.98, 0.98, rim)
    for x in (-0.49, 0.49):
        a, b, c = x - 0.34, x + 0.34, 0.76
        pen.rect(a, -c, b, c, floor)
        pen.line(((a, -c), (b, -c), (b, c), (a, c), (a, -c)), 0.04, WHITE)
        for dx in (-0.25, 0.25):
            pen.line(((x + dx, -c), (x + dx, c)), 0.03, WHITE)
        for y in (-0.4, 0.4):
            pen.line(((x - 0.25, y), (x + 0.25, y)), 0.03, WHITE)
        pen.line(((x, -0.4), (x, 0.4)), 0.03, WHITE)
        pen.line(((a - 0.06, 0), (b + 0.06, 0)), 0.05, BLACK)


def railway(pen: Pen, rng: Random) -> None:
    """Two tracks with sleepers on ballast, sometimes with a train."""
    ballast, bow = pick(rng, ((130, 116, 104), (100, 94, 90), (160, 146, 130))), rng.uniform(-0.2, 0.2)
    xs = [-2.4 + 0.12 * i for i in range(41)]

    def track(offset: float) -> list[tuple[float, float]]:
        return [(x, offset + bow * x * x / 2) for x in xs]

    pen.line(track(0)[::4], 0.66, ballast)
    for y in (-0.16, 0.16):
        for x, sy in track(y):
            pen.line(((x, sy - 0.11), (x, sy + 0.11)), 0.04, (70, 54, 44))
        for dy in (-0.055, 0.055):
            pen.line(track(y + dy)[::4], 0.025, (216, 216, 220))
    if rng.random() < 0.5:
        paint = vivid(rng)
        for i in range(4):
            part = track(-0.16)[10 + 5 * i : 15 + 5 * i]
            pen.line((part[0], part[-1]), 0.2, paint)
            pen.line((part[0], part[-1]), 0.08, shade(paint, 1.3))


def baseball_field(pen: Pen, rng: Random) -> None:
    """A sand infield in a fan of grass, with bases."""
    grass, sand = near(rng, (84, 150, 66)), near(rng, (196, 150, 100))
    fan = [(1.7 * math.cos(a), 0.85 - 1.7 * math.sin(a)) for a in (0.785 + 0.13 * i for i in range(13))]
    pen.poly([(0, 0.95), *[(x * 1.08, y * 1.05) for x, y in fan]], shade(sand, 0.9))
    pen.poly([(0, 0.85), *fan], grass)
    inner = [(0.9 * math.cos(a), 0.85 - 0.9 * math.sin(a)) for a in (0.785 + 0.13 * i for i in range(13))]
    pen.poly([(0, 0.95), *inner], sand)
    pen.poly(((0, 0.74), (0.36, 0.36), (0, -0.02), (-0.36, 0.36)), grass)
    pen.ellipse(0, 0.36, 0.08, 0.08, sand)
    for x, y in ((0, 0.82), (0.44, 0.36), (0, -0.1), (-0.44, 0.36)):
        pen.rect(x - 0.04, y - 0.04, x + 0.04, y + 0.04, WHITE)
    for s in (-1, 1):
        pen.line(((0, 0.85), (s * 1.2, -0.35)), 0.025, WHITE)
