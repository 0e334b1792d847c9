"""Brushes for what stands, grows, hangs or falls outdoors."""

from __future__ import annotations

import math
from random import Random

from latentdiff.images.worlds.pen import BLACK, STEEL, WHITE, WOOD, Pen, muted, near, pick, shade, vivid


def tree(pen: Pen, rng: Random) -> None:
    """A leafy tree, a conifer or a palm."""
    kind, bark = rng.randrange(3), near(rng, (96, 68, 44))
    leaf = pick(rng, ((54, 110, 48), (90, 140, 50), (40, 84, 60), (196, 120, 40)))
    if kind == 0:
        pen.poly(((-0.1, 0.1), (0.1, 0.1), (0.16, 1.0), (-0.16, 1.0)), bark)
        for _ in range(11):
            a, r = rng.uniform(0, 6.28), rng.uniform(0.1, 0.46)
            tone = shade(leaf, rng.uniform(0.65, 1.3))
            pen.ellipse(r * math.cos(a) * 1.2, -0.34 + r * math.sin(a), 0.32, 0.27, tone)
    elif kind == 1:
        pen.rect(-0.08, 0.6, 0.08, 1.0, bark)
        for i in range(4):
            y, w = -1.0 + 0.38 * i, 0.3 + 0.13 * i
            skirt = ((0, y), (w, y + 0.56), (0.3 * w, y + 0.48), (-0.3 * w, y + 0.56), (-w, y + 0.52))
            pen.poly(skirt, shade(leaf, 0.8))
            pen.poly(((0, y), (0.1, y + 0.5), (-w, y + 0.52)), leaf)
    else:
        pen.line(((0.14, 1.0), (0.02, 0.3), (-0.02, -0.4)), 0.13, bark)
        for i in range(8):
            a = math.pi * i / 7
            dx, dy = 0.8 * math.cos(a), -0.45 * math.sin(a)
            frond = ((0, -0.44), (dx * 0.6, dy - 0.62), (dx, dy - 0.1), (dx * 0.5, dy - 0.4))
            pen.poly(frond, shade(leaf, 0.8 + 0.06 * i))


def bench(pen: Pen, rng: Random) -> None:
    """A park bench with slats."""
    wood, iron = (near(rng, WOOD, 34) if rng.random() < 0.7 else vivid(rng)), (44, 46, 50)
    for x in (-0.74, 0.74):
        pen.line(((x - 0.1, -0.5), (x, 0.1), (x, 0.62)), 0.09, iron)
        pen.line(((x - 0.02, 0.1), (x + 0.14, 0.1), (x + 0.18, 0.7)), 0.09, iron)
        pen.line(((x - 0.04, -0.14), (x + 0.2, -0.14), (x + 0.2, 0.1)), 0.06, iron)
    for y in (-0.5, -0.32, -0.14):
        pen.line(((-0.98, y), (0.94, y)), 0.12, wood)
    for i, y in enumerate((0.06, 0.18)):
        pen.line(((-0.96 + 0.02 * i, y), (0.98 + 0.02 * i, y)), 0.11, shade(wood, 1.15))


def traffic_light(pen: Pen, rng: Random) -> None:
    """Three lamps on a pole, one of them lit."""
    pen.rect(-0.06, 0.3, 0.06, 1.0, near(rng, (90, 92, 96)))
    case = (30, 32, 34) if rng.random() < 0.6 else (210, 170, 40)
    pen.rect(-0.32, -0.96, 0.32, 0.4, case)
    pen.rect(-0.32, -0.96, 0.32, -0.9, shade(case, 0.5))
    lit = rng.randrange(3)
    for i, colour in enumerate(((255, 40, 30), (255, 190, 30), (40, 230, 90))):
        y = -0.7 + 0.42 * i
        if i == lit:
            pen.ellipse(0, y, 0.22, 0.22, shade(colour, 0.7))
        pen.ellipse(0, y, 0.18, 0.18, colour if i == lit else shade(colour, 0.32))
        pen.arc(0, y, 0.22, 0.2, math.pi, 2 * math.pi, 0.06, BLACK)
        for s in (-1, 1):
            pen.poly(((s * 0.32, y - 0.14), (s * 0.5, y - 0.1), (s * 0.32, y + 0.12)), shade(case, 0.8))


def hydrant(pen: Pen, rng: Random) -> None:
    """A fire hydrant: cap, two nozzles, flange."""
    paint = pick(rng, ((200, 40, 36), (226, 180, 40), (50, 90, 170), (210, 210, 206)))
    dark = shade(paint, 0.66)
    pen.rect(-0.5, 0.8, 0.5, 0.96, dark)
    for s in (-1, 1):
        pen.rect(min(s * 0.3, s * 0.66), -0.18, max(s * 0.3, s * 0.66), 0.14, dark)
        pen.rect(min(s * 0.58, s * 0.7), -0.24, max(s * 0.58, s * 0.7), 0.2, shade(paint, 0.8))
    pen.rect(-0.34, -0.5, 0.34, 0.84, paint)
    pen.rect(0.14, -0.5, 0.34, 0.84, dark)
    pen.rect(-0.24, -0.46, -0.12, 0.8, shade(paint, 1.35))
    pen.ellipse(0, -0.5, 0.36, 0.36, paint)
    pen.rect(-0.44, -0.54, 0.44, -0.42, dark)
    pen.rect(-0.1, -0.98, 0.1, -0.8, dark)
    pen.ellipse(0, 0.0, 0.2, 0.2, dark)
    pen.ellipse(0, 0.0, 0.12, 0.12, shade(paint, 1.2))
    pen.rect(-0.42, 0.5, 0.42, 0.6, dark)


def fence(pen: Pen, rng: Random) -> None:
    """Pickets on two rails."""
    paint = near(rng, WHITE, 12) if rng.random() < 0.45 else near(rng, WOOD, 44)
    for y in (-0.2, 0.2):
        pen.line(((-1.5, y), (1.5, y)), 0.1, shade(paint, 0.75))
    step = rng.choice((0.27, 0.33))
    for i in range(round(2.8 / step) + 1):
        x = -1.4 + step * i
        pen.poly(((x - 0.09, 0.5), (x - 0.09, -0.4), (x, -0.56), (x + 0.09, -0.4), (x + 0.09, 0.5)), paint)
        pen.line(((x + 0.07, -0.38), (x + 0.07, 0.5)), 0.03, shade(paint, 0.6))


def flower(pen: Pen, rng: Random) -> None:
    """A blossom of petals on a stem with leaves."""
    petal, heart = vivid(rng) if rng.random() < 0.8 else WHITE, pick(rng, ((240, 200, 60), (90, 60, 30)))
    stem = near(rng, (70, 130, 56))
    pen.line(((0, -0.3), (0.06, 0.3), (0, 1.0)), 0.08, stem)
    pen.ellipse(0.26, 0.6, 0.3, 0.11, stem, -0.6)
    pen.ellipse(-0.24, 0.74, 0.28, 0.1, shade(stem, 0.8), 0.6)
    count = rng.choice((5, 6, 8, 10))
    for i in range(count):
        a = 2 * math.pi * i / count
        tone = shade(petal, 0.85 if i % 2 else 1.1)
        pen.ellipse(0.38 * math.cos(a), -0.38 + 0.38 * math.sin(a), 0.32, 1.15 / count + 0.04, tone, a)
    pen.ball(0, -0.38, 0.2, heart)


def tent(pen: Pen, rng: Random) -> None:
    """A ridge tent with an open door."""
    cloth = vivid(rng)
    pen.poly(((-0.3, -0.6), (0.5, -0.7), (1.0, 0.5), (0.44, 0.66)), shade(cloth, 0.66))
    pen.poly(((-0.3, -0.6), (0.44, 0.66), (-1.0, 0.66)), cloth)
    pen.poly(((-0.3, -0.4), (0.04, 0.66), (-0.5, 0.66)), (36, 32, 30))
    pen.poly(((-0.3, -0.4), (-0.5, 0.66), (-0.66, 0.62)), shade(cloth, 1.3))
    pen.line(((-0.3, -0.6), (-0.3, -0.76)), 0.05, BLACK)
    for x in (-1.0, 0.44):
        pen.line(((x * 0.3 - 0.2, -0.3), (x * 1.2, 0.74)), 0.025, WHITE)


def balloon(pen: Pen, rng: Random) -> None:
    """One to three round balloons on strings."""
    for i in range(rng.randint(1, 3)):
        x, y, paint = (0.0, -0.5, 0.5)[i], (-0.42, -0.2, -0.28)[i], vivid(rng)
        r = rng.uniform(0.38, 0.5)
        pen.line(((x, y + r), (x * 0.5 + 0.06, 0.55), (0, 1.0)), 0.03, (210, 210, 210))
        pen.ball(x, y, r, paint, 1.2 * r)
        pen.poly(((x, y + 1.15 * r), (x - 0.09, y + 1.36 * r), (x + 0.09, y + 1.36 * r)), shade(paint, 0.7))


def flag(pen: Pen, rng: Random) -> None:
    """A striped or crossed flag waving from a pole."""
    colours = [vivid(rng) if rng.random() < 0.65 else near(rng, WHITE, 8) for _ in range(3)]
    wave = rng.uniform(0.05, 0.12)
    xs = [-0.7 + 1.6 * i / 8 for i in range(9)]

    def band(top: float, bottom: float, left: int, right: int) -> list[tuple[float, float]]:
        part = range(left, right + 1)
        upper = [(xs[i], top + wave * math.sin(0.9 * i)) for i in part]
        return upper + [(xs[i], bottom + wave * math.sin(0.9 * i)) for i in reversed(part)]

    kind = rng.randrange(3)
    for i in range(3):
        if kind == 1:
            pen.poly(band(-0.86, 0.16, 0 if i == 0 else 3 * i - 1, min(8, 3 * i + 2)), colours[i])
        else:
            pen.poly(band(-0.86 + 0.34 * i, -0.52 + 0.34 * i, 0, 8), colours[i if kind == 0 else 0])
    if kind == 2:
        pen.poly(band(-0.46, -0.24, 0, 8), colours[1])
        pen.poly(band(-0.86, 0.16, 2, 3), colours[1])
    pen.line(((-0.74, -0.98), (-0.74, 1.0)), 0.09, near(rng, STEEL))
    pen.ellipse(-0.74, -0.98, 0.08, 0.08, (220, 190, 80))


def mushroom(pen: Pen, rng: Random) -> None:
    """A spotted cap on a pale stem."""
    cap = pick(rng, ((204, 44, 36), (150, 96, 56), (220, 130, 50), (200, 180, 140)))
    pale = near(rng, (230, 220, 200), 10)
    pen.poly(((-0.2, 0.0), (0.2, 0.0), (0.3, 0.9), (-0.3, 0.9)), pale)
    pen.poly(((0.04, 0.0), (0.2, 0.0), (0.3, 0.9), (0.06, 0.9)), shade(pale, 0.8))
    pen.poly(((-0.28, 0.26), (0.28, 0.26), (0.2, 0.4), (-0.2, 0.4)), shade(pale, 0.9))
    dome = [(-0.92 * math.cos(math.pi * i / 14), 0.1 - 0.9 * math.sin(math.pi * i / 14)) for i in range(15)]
    pen.poly([*dome, (0.5, 0.22), (-0.5, 0.22)], cap)
    pen.poly([*dome[9:], (0.5, 0.22), (0.3, 0.1)], shade(cap, 0.75))
    pen.ellipse(0, 0.12, 0.6, 0.1, shade(pale, 0.7))
    spots = ((-0.5, -0.16, 0.12), (-0.1, -0.5, 0.14), (0.36, -0.3, 0.13), (-0.06, -0.12, 0.1), (0.64, -0.02, 0.08))
    for x, y, r in spots:
        pen.ellipse(x, y, r, 0.8 * r, pale)


def butterfly(pen: Pen, rng: Random) -> None:
    """Four patterned wings around a thin body."""
    wing, spot = vivid(rng), vivid(rng) if rng.random() < 0.5 else WHITE
    for s in (-1, 1):
        pen.poly(((0, -0.1), (s * 0.3, -0.76), (s * 0.92, -0.86), (s * 0.9, -0.2), (s * 0.3, 0.1)), BLACK)
        pen.poly(((s * 0.06, -0.12), (s * 0.34, -0.66), (s * 0.82, -0.76), (s * 0.8, -0.26), (s * 0.3, 0.02)), wing)
        pen.poly(((0, 0.0), (s * 0.7, 0.02), (s * 0.74, 0.5), (s * 0.4, 0.84), (s * 0.1, 0.4)), BLACK)
        lower = ((s * 0.06, 0.06), (s * 0.6, 0.1), (s * 0.62, 0.46), (s * 0.4, 0.7), (s * 0.14, 0.36))
        pen.poly(lower, shade(wing, 0.85))
        pen.ellipse(s * 0.6, -0.5, 0.13, 0.13, spot)
        pen.ellipse(s * 0.42, 0.34, 0.11, 0.11, spot)
        pen.line(((0, -0.4), (s * 0.22, -0.92)), 0.03, BLACK)
    pen.ellipse(0, 0, 0.07, 0.5, (40, 30, 26))


def moon(pen: Pen, rng: Random) -> None:
    """A crescent, or a full moon with craters, in its own dark piece of sky."""
    glow = pick(rng, ((250, 240, 200), (236, 236, 240), (240, 200, 120)), 8)
    sky = pick(rng, ((16, 18, 44), (30, 26, 60), (10, 14, 24), (40, 60, 100)), 8)
    pen.ellipse(0, 0, 1.0, 1.0, sky)
    for _ in range(5):
        a = rng.uniform(0, 6.28)
        pen.ellipse(0.86 * math.cos(a), 0.86 * math.sin(a), 0.04, 0.04, WHITE)
    pen.ellipse(0, 0, 0.7, 0.7, glow)
    if rng.random() < 0.6:
        pen.ellipse(0.3, -0.08, 0.6, 0.6, sky)
    else:
        for x, y, r in ((-0.2, -0.2, 0.17), (0.26, 0.1, 0.2), (-0.1, 0.36, 0.12), (0.2, -0.36, 0.1)):
            pen.ellipse(x, y, r, r, shade(glow, 0.8))


def snow(pen: Pen, rng: Random) -> None:
    """Flakes over the whole frame, the near ones six-armed."""
    for _ in range(rng.randint(50, 90)):
        x, y, r = rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0.008, 0.022)
        pen.rect(x - r, y - r, x + r, y + r, WHITE)
    for _ in range(rng.randint(7, 12)):
        x, y, r, turn = rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0.05, 0.1), rng.random()
        for i in range(3):
            dx, dy = r * math.cos(turn + 1.047 * i), r * math.sin(turn + 1.047 * i)
            pen.line(((x - dx, y - dy), (x + dx, y + dy)), 0.016, WHITE)


def rain(pen: Pen, rng: Random) -> None:
    """Slanted streaks over the whole frame."""
    slant, length = rng.uniform(-0.09, 0.09), rng.uniform(0.12, 0.24)
    for _ in range(rng.randint(60, 110)):
        x, y, part = rng.uniform(-1, 1), rng.uniform(-1.1, 1), rng.uniform(0.6, 1.2)
        end = (x + slant * part, y + length * part)
        pen.line(((x, y), end), 0.008, muted(rng) if rng.random() < 0.15 else (196, 212, 228))
