"""Brushes for what is in a room or on a table."""

from __future__ import annotations

import math
from random import Random

from latentdiff.images.worlds.pen import BLACK, STEEL, WHITE, WOOD, Pen, hsv, muted, near, pick, shade, vivid


def tv(pen: Pen, rng: Random) -> None:
    """A flat screen on a foot, or an old set with an antenna; a picture on it."""
    old = rng.random() < 0.35
    case = near(rng, WOOD) if old else near(rng, (30, 30, 34), 14)
    pen.rect(-1.0, -0.62, 1.0, 0.6, case)
    right = 0.56 if old else 0.9
    sky, land = hsv(rng.uniform(0.5, 0.7), 0.6, 0.95), vivid(rng)
    pen.rect(-0.9, -0.52, right, 0.48, sky)
    pen.poly(((-0.9, 0.48), (-0.9, 0.1), (-0.4, -0.2), (0.0, 0.12), (right, 0.0), (right, 0.48)), land)
    pen.ellipse(0.2, -0.26, 0.14, 0.14, (250, 230, 120))
    pen.poly(((-0.82, -0.5), (-0.56, -0.5), (-0.76, 0.3), (-0.88, 0.3)), shade(sky, 1.2))
    if old:
        for y in (-0.3, 0.05):
            pen.ellipse(0.78, y, 0.11, 0.11, STEEL)
        for side in (-1, 1):
            pen.line(((0, -0.62), (side * 0.4, -1.0)), 0.05, STEEL)
            pen.line(((side * 0.6, 0.6), (side * 0.7, 0.86)), 0.1, BLACK)
    else:
        pen.rect(-0.08, 0.6, 0.08, 0.76, case)
        pen.poly(((-0.5, 0.84), (-0.3, 0.74), (0.3, 0.74), (0.5, 0.84)), case)


def laptop(pen: Pen, rng: Random) -> None:
    """An open screen behind a keyboard."""
    case = near(rng, (176, 178, 182), 30) if rng.random() < 0.7 else near(rng, (50, 50, 54))
    glow = hsv(rng.random(), rng.uniform(0.2, 0.7), 0.9)
    pen.rect(-0.74, -0.78, 0.74, 0.2, shade(case, 0.8))
    pen.rect(-0.66, -0.7, 0.66, 0.12, glow)
    pen.rect(-0.5, -0.56, 0.1, -0.1, WHITE)
    for y in (-0.46, -0.34, -0.22):
        pen.line(((-0.42, y), (0.0, y)), 0.05, (90, 90, 100))
    pen.poly(((-0.74, 0.2), (0.74, 0.2), (1.0, 0.72), (-1.0, 0.72)), case)
    pen.poly(((-0.66, 0.26), (0.66, 0.26), (0.78, 0.5), (-0.78, 0.5)), (44, 44, 48))
    for y, w in ((0.34, 0.7), (0.42, 0.74)):
        pen.line(((-w, y), (w, y)), 0.02, case)
    for i in range(-4, 5):
        pen.line(((0.155 * i, 0.26), (0.18 * i, 0.5)), 0.02, case)
    pen.rect(-0.2, 0.55, 0.2, 0.68, shade(case, 0.85))


def lamp(pen: Pen, rng: Random) -> None:
    """A table lamp with a shade and a foot."""
    cloth, foot = vivid(rng) if rng.random() < 0.5 else near(rng, (236, 220, 170)), muted(rng)
    pen.line(((0, 0.0), (0, 0.84)), 0.1, foot)
    pen.ball(0, 0.5, 0.22, foot, 0.26)
    pen.ellipse(0, 0.88, 0.42, 0.1, shade(foot, 0.8))
    pen.poly(((-0.34, -0.9), (0.34, -0.9), (0.72, 0.06), (-0.72, 0.06)), cloth)
    pen.poly(((-0.1, -0.9), (0.1, -0.9), (0.22, 0.06), (-0.22, 0.06)), shade(cloth, 1.3))
    pen.ellipse(0, 0.06, 0.72, 0.1, (255, 244, 196))


def clock(pen: Pen, rng: Random) -> None:
    """A round wall clock or an alarm clock with bells."""
    rim = vivid(rng) if rng.random() < 0.6 else near(rng, (50, 50, 54))
    if rng.random() < 0.45:
        for s in (-1, 1):
            pen.ellipse(s * 0.48, -0.74, 0.28, 0.2, rim, s * 0.6)
            pen.line(((s * 0.44, 0.6), (s * 0.62, 0.96)), 0.13, shade(rim, 0.6))
    pen.ellipse(0, 0, 0.86, 0.86, rim)
    pen.ellipse(0, 0, 0.7, 0.7, near(rng, (240, 238, 228), 8))
    for i in range(12):
        x, y = math.sin(math.pi * i / 6), math.cos(math.pi * i / 6)
        pen.line(((0.54 * x, 0.54 * y), (0.65 * x, 0.65 * y)), 0.05 if i % 3 else 0.09, BLACK)
    hour = rng.uniform(0, 12)
    for a, length, width in ((math.pi * hour / 6, 0.34, 0.1), (2 * math.pi * (hour % 1), 0.54, 0.07)):
        pen.line(((0, 0), (length * math.sin(a), -length * math.cos(a))), width, BLACK)
    pen.ellipse(0, 0, 0.07, 0.07, (200, 40, 40))


def chair(pen: Pen, rng: Random) -> None:
    """A wooden chair, seen a little from the side."""
    wood = near(rng, WOOD, 34) if rng.random() < 0.6 else vivid(rng)
    dark = shade(wood, 0.66)
    for x, y in ((-0.28, 0.72), (0.62, 0.72)):
        pen.line(((x, 0.1), (x, y)), 0.1, dark)
    pen.poly(((-0.5, 0.24), (0.44, 0.24), (0.66, 0.02), (-0.28, 0.02)), shade(wood, 1.12))
    pen.poly(((-0.5, 0.24), (0.44, 0.24), (0.44, 0.34), (-0.5, 0.34)), dark)
    for x in (-0.46, 0.4):
        pen.line(((x, 0.3), (x, 0.98)), 0.11, wood)
    for x, top in ((-0.5, -0.96), (-0.28, -0.98)):
        pen.line(((x - 0.04, top), (x, 0.2)), 0.1, wood)
    pen.line(((0.62, -0.98), (0.62, 0.04)), 0.1, wood)
    for y in (-0.86, -0.56, -0.26):
        pen.line(((-0.32, y), (0.62, y)), 0.13, wood)


def book(pen: Pen, rng: Random) -> None:
    """Open with lines of text, or closed with a title."""
    cover, page = vivid(rng), near(rng, (238, 230, 208), 8)
    if rng.random() < 0.6:
        for s in (-1, 1):
            pen.poly(((0, -0.44), (s * 0.98, -0.6), (s * 0.98, 0.58), (0, 0.7)), cover)
            pen.poly(((0, -0.5), (s * 0.3, -0.64), (s * 0.9, -0.6), (s * 0.9, 0.48), (s * 0.3, 0.44), (0, 0.6)), page)
            for i in range(6):
                y = -0.44 + 0.15 * i
                pen.line(((s * 0.14, y), (s * 0.8, y - 0.04)), 0.04, (110, 104, 96))
        pen.line(((0, -0.5), (0, 0.62)), 0.04, (150, 140, 120))
    else:
        pen.poly(((-0.62, -0.86), (0.5, -0.86), (0.7, -0.7), (0.7, 0.96), (-0.42, 0.96)), page)
        pen.poly(((-0.62, -0.86), (0.5, -0.86), (0.5, 0.8), (-0.62, 0.8)), cover)
        pen.rect(-0.62, -0.86, -0.48, 0.8, shade(cover, 0.6))
        pen.rect(-0.32, -0.56, 0.34, -0.2, page)
        for y in (-0.46, -0.34):
            pen.line(((-0.24, y), (0.26, y)), 0.05, BLACK)
        pen.line(((-0.52, 0.82), (0.62, 0.9)), 0.03, (150, 140, 120))


def cup(pen: Pen, rng: Random) -> None:
    """A mug with a handle, coffee in it, sometimes steam."""
    clay = vivid(rng) if rng.random() < 0.6 else near(rng, WHITE, 10)
    if rng.random() < 0.4:
        pen.ellipse(-0.1, 0.86, 0.86, 0.14, (120, 112, 104))
    pen.ring(0.56, 0.16, 0.3, 0.13, shade(clay, 0.85))
    pen.poly(((-0.66, -0.36), (0.5, -0.36), (0.42, 0.7), (-0.58, 0.7)), clay)
    pen.ellipse(-0.08, 0.7, 0.5, 0.14, clay)
    pen.poly(((-0.66, -0.36), (-0.4, -0.36), (-0.38, 0.8), (-0.56, 0.74)), shade(clay, 0.75))
    pen.poly(((0.1, -0.3), (0.26, -0.3), (0.24, 0.74), (0.1, 0.76)), shade(clay, 1.2))
    pen.ellipse(-0.08, -0.36, 0.58, 0.18, shade(clay, 1.2))
    pen.ellipse(-0.08, -0.34, 0.48, 0.13, (70, 42, 26))
    if rng.random() < 0.6:
        for x in (-0.24, 0.1):
            pen.line(((x, -0.5), (x + 0.1, -0.64), (x - 0.02, -0.78), (x + 0.08, -0.94)), 0.05, WHITE)


def bottle(pen: Pen, rng: Random) -> None:
    """Neck, shoulders, label and cap."""
    glass = pick(rng, ((40, 110, 60), (110, 60, 24), (120, 170, 210), (190, 40, 50), (210, 214, 216)))
    half = ((0.13, -0.7), (0.15, -0.36), (0.36, -0.12), (0.36, 0.94))
    pen.poly([*half, *((-x, y) for x, y in reversed(half))], glass)
    pen.poly(((0.18, -0.06), (0.3, 0.0), (0.3, 0.9), (0.18, 0.9)), shade(glass, 0.65))
    pen.line(((-0.26, -0.04), (-0.26, 0.86)), 0.07, shade(glass, 1.6))
    label = near(rng, WHITE, 10) if rng.random() < 0.6 else vivid(rng)
    pen.rect(-0.36, 0.18, 0.36, 0.62, label)
    pen.line(((-0.24, 0.3), (0.24, 0.3)), 0.08, vivid(rng))
    pen.line(((-0.24, 0.46), (0.2, 0.46)), 0.05, BLACK)
    pen.rect(-0.16, -0.96, 0.16, -0.7, vivid(rng))


def apple(pen: Pen, rng: Random) -> None:
    """Red, green or yellow, with a stalk and a leaf."""
    skin = pick(rng, ((200, 34, 40), (120, 180, 50), (222, 186, 60), (170, 30, 46)))
    for x in (-0.26, 0.26):
        pen.ellipse(x, 0.14, 0.56, 0.7, shade(skin, 0.8))
    for x in (-0.3, 0.2):
        pen.ellipse(x, 0.1, 0.48, 0.62, skin)
    pen.ellipse(-0.4, -0.16, 0.16, 0.22, shade(skin, 1.35))
    pen.ellipse(0, -0.46, 0.24, 0.1, shade(skin, 0.55))
    pen.line(((0, -0.46), (0.04, -0.7), (0.12, -0.9)), 0.09, (90, 60, 34))
    pen.ellipse(0.36, -0.76, 0.28, 0.12, (80, 150, 60), -0.4)


def banana(pen: Pen, rng: Random) -> None:
    """A bunch of curved yellow fruits."""
    skin = pick(rng, ((238, 206, 60), (226, 190, 50), (200, 206, 80)))
    for i in reversed(range(rng.randint(1, 3))):
        drop = 0.2 * i
        low = [(0.96 * math.cos(a), -0.5 + drop + 1.0 * math.sin(a)) for a in (0.25 + 0.29 * j for j in range(10))]
        high = [(0.8 * math.cos(a), -0.56 + drop + 0.62 * math.sin(a)) for a in (2.9 - 0.29 * j for j in range(10))]
        tone = shade(skin, 1.0 - 0.13 * i)
        pen.poly(low + high, tone)
        pen.line(low[1:-1], 0.06, shade(tone, 0.72))
        pen.line([(x * 0.9, y - 0.16) for x, y in low[2:-2]], 0.05, shade(tone, 1.2))
        pen.ellipse(low[0][0] - 0.06, low[0][1] - 0.08, 0.09, 0.09, (84, 64, 30))
        pen.line(((low[-1][0], low[-1][1]), (-0.86, -0.62)), 0.14, (120, 104, 40))


def pizza(pen: Pen, rng: Random) -> None:
    """A whole pizza with slices of salami and a few leaves."""
    pen.ellipse(0, 0, 0.96, 0.96, near(rng, (196, 140, 76)))
    pen.ellipse(0, 0, 0.84, 0.84, near(rng, (206, 70, 40)))
    pen.ellipse(0, 0, 0.79, 0.79, near(rng, (242, 206, 110)))
    turn = rng.random()
    for i in range(7):
        a, r = turn + 0.9 * i, 0.52 if i else 0.06
        pen.ellipse(r * math.cos(a), r * math.sin(a), 0.16, 0.16, (176, 46, 36))
    for _ in range(6):
        a, r = rng.uniform(0, 6.28), rng.uniform(0.1, 0.7)
        pen.ellipse(r * math.cos(a), r * math.sin(a), 0.1, 0.05, (60, 120, 50), a)
    for a in (turn, turn + 1.57):
        dx, dy = 0.8 * math.cos(a), 0.8 * math.sin(a)
        pen.line(((-dx, -dy), (dx, dy)), 0.03, (150, 90, 50))
