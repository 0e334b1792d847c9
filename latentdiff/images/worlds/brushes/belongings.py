"""Brushes for what one wears, carries and plays with."""

from __future__ import annotations

import math
from random import Random

from latentdiff.images.worlds.pen import BLACK, STEEL, WHITE, Pen, near, pick, shade, vivid


def backpack(pen: Pen, rng: Random) -> None:
    """A rounded bag with straps, a front pocket and zips."""
    cloth = vivid(rng)
    dark = shade(cloth, 0.55)
    pen.arc(0, -0.72, 0.2, 0.22, math.pi, 2 * math.pi, 0.1, dark)
    pen.arc(-0.6, 0.12, 0.24, 0.5, 1.54, 4.74, 0.13, dark)
    pen.arc(0.6, 0.12, 0.24, 0.5, -1.6, 1.6, 0.13, dark)
    pen.ellipse(0, -0.3, 0.6, 0.5, cloth)
    pen.rect(-0.6, -0.3, 0.6, 0.8, cloth)
    pen.ellipse(0, 0.8, 0.6, 0.12, cloth)
    pen.arc(0, -0.2, 0.48, 0.42, math.pi, 2 * math.pi, 0.06, dark)
    pen.poly(((-0.44, 0.16), (0.44, 0.16), (0.48, 0.76), (-0.48, 0.76)), shade(cloth, 0.78))
    pen.line(((-0.42, 0.3), (0.42, 0.3)), 0.06, BLACK)
    pen.rect(-0.06, -0.1, 0.06, 0.06, near(rng, STEEL))


def suitcase(pen: Pen, rng: Random) -> None:
    """A trolley case with ribs, or an old case with corners."""
    shell = vivid(rng)
    dark = shade(shell, 0.6)
    if rng.random() < 0.5:
        for x in (-0.2, 0.2):
            pen.line(((x, -0.5), (x, -0.98)), 0.06, near(rng, STEEL))
        pen.line(((-0.24, -0.96), (0.24, -0.96)), 0.11, BLACK)
        pen.poly(((-0.56, -0.44), (-0.48, -0.54), (0.48, -0.54), (0.56, -0.44), (0.56, 0.84), (-0.56, 0.84)), shell)
        for x in (-0.38, -0.19, 0.0, 0.19, 0.38):
            pen.line(((x, -0.44), (x, 0.76)), 0.06, dark)
        for x in (-0.4, 0.4):
            pen.ellipse(x, 0.92, 0.1, 0.1, BLACK)
    else:
        pen.line(((-0.24, -0.5), (-0.24, -0.74), (0.24, -0.74), (0.24, -0.5)), 0.1, BLACK)
        pen.rect(-0.94, -0.5, 0.94, 0.74, shell)
        pen.line(((-0.94, 0.0), (0.94, 0.0)), 0.05, dark)
        for x in (-0.5, 0.5):
            pen.rect(x - 0.08, -0.5, x + 0.08, 0.74, dark)
            pen.rect(x - 0.09, -0.06, x + 0.09, 0.1, (220, 190, 90))


def umbrella(pen: Pen, rng: Random) -> None:
    """An open canopy of coloured panels with a hooked handle."""
    first = vivid(rng)
    second = shade(first, 0.68) if rng.random() < 0.5 else vivid(rng)
    pen.line(((0, -0.5), (0, 0.74)), 0.07, (70, 56, 44))
    pen.arc(0.14, 0.76, 0.14, 0.16, math.pi, 0, 0.08, (70, 56, 44))
    count, top = 6, (0.0, -0.82)
    arch = [(-math.cos(math.pi * i / 24), -0.06 - 0.76 * math.sin(math.pi * i / 24)) for i in range(25)]
    for i in range(count):
        colour = first if i % 2 else second
        back = arch[4 * i : 4 * i + 5]  # the far side of the panel, seen over the top
        left, right = back[0][0], back[-1][0]
        pen.poly([top, *back, (right * 0.96, -0.06), ((left + right) / 2, -0.16), (left * 0.96, -0.06)], colour)
        a, b = -1 + 2 * i / count, -1 + 2 * (i + 1) / count
        pen.poly((top, (a, -0.05 + 0.03 * abs(a)), ((a + b) / 2, -0.14), (b, -0.05 + 0.03 * abs(b))), colour)
    for i in range(1, count):
        pen.line(((0, -0.82), (-1 + 2 * i / count, -0.04)), 0.03, shade(first, 0.5))
    pen.line(((0, -0.8), (0, -0.98)), 0.06, BLACK)


def hat(pen: Pen, rng: Random) -> None:
    """A cowboy or straw hat with a band."""
    felt = pick(rng, ((120, 80, 46), (216, 190, 130), (40, 38, 38), (150, 40, 50), (70, 90, 70)))
    pen.poly(((-0.46, 0.2), (-0.38, -0.5), (-0.2, -0.64), (0.0, -0.5), (0.2, -0.64), (0.38, -0.5), (0.46, 0.2)), felt)
    pen.poly(((0.1, -0.56), (0.2, -0.64), (0.38, -0.5), (0.46, 0.2), (0.2, 0.2)), shade(felt, 0.75))
    brim = ((-1.0, 0.0), (-0.6, 0.2), (0.6, 0.2), (1.0, 0.0), (0.7, 0.44), (0.0, 0.54), (-0.7, 0.44))
    pen.poly(brim, shade(felt, 1.1))
    pen.poly(((-0.46, 0.02), (0.46, 0.02), (0.47, 0.22), (-0.47, 0.22)), vivid(rng))


def ball(pen: Pen, rng: Random) -> None:
    """A football, basketball, tennis ball or beach ball."""
    kind = rng.randrange(4)
    if kind == 0:
        pen.ball(0, 0, 0.9, (232, 232, 228))
        pen.poly([(0.3 * math.sin(1.257 * i), -0.3 * math.cos(1.257 * i)) for i in range(5)], BLACK)
        for i in range(5):
            s, c = math.sin(1.257 * i), -math.cos(1.257 * i)
            pen.line(((0.3 * s, 0.3 * c), (0.6 * s, 0.6 * c)), 0.05, BLACK)
            pen.ellipse(0.74 * s, 0.74 * c, 0.16, 0.16, BLACK)
    elif kind == 1:
        pen.ball(0, 0, 0.9, near(rng, (214, 108, 40)))
        pen.ring(0, 0, 0.88, 0.05, BLACK)
        pen.line(((-0.9, 0), (0.9, 0)), 0.06, BLACK)
        pen.line(((0, -0.9), (0, 0.9)), 0.06, BLACK)
        for x, start in ((-1.1, 1.5 * math.pi), (1.1, 0.5 * math.pi)):
            pen.arc(x, 0, 0.66, 0.8, start, start + math.pi, 0.06, BLACK)
    elif kind == 2:
        pen.ball(0, 0, 0.8, near(rng, (200, 226, 60)))
        pen.arc(-0.8, 0, 0.6, 0.66, -1.1, 1.1, 0.08, WHITE)
        pen.arc(0.8, 0, 0.6, 0.66, math.pi - 1.1, math.pi + 1.1, 0.08, WHITE)
    else:
        first = vivid(rng)
        for i in range(6):
            a = 1.047 * i
            rim = [(0.9 * math.cos(a + 0.262 * j), 0.9 * math.sin(a + 0.262 * j)) for j in range(5)]
            pen.poly([(0.1, -0.15), *rim], first if i % 2 else WHITE)
        pen.ellipse(0.1, -0.15, 0.14, 0.14, shade(first, 0.7))


def kite(pen: Pen, rng: Random) -> None:
    """A diamond of four coloured fields with a tail of bows."""
    first, second = vivid(rng), vivid(rng)
    x, y = 0.0, -0.3
    corners = ((0, -1.0), (0.56, y), (0, 0.36), (-0.56, y))
    for i in range(4):
        pen.poly(((x, y), corners[i], corners[(i + 1) % 4]), first if i % 2 else second)
    pen.line((corners[0], corners[2]), 0.05, BLACK)
    pen.line((corners[1], corners[3]), 0.05, BLACK)
    swing = rng.uniform(0.15, 0.35)
    tail = [(swing * math.sin(2.2 * t), 0.36 + 0.3 * t) for t in (0, 0.5, 1, 1.5, 2.1)]
    pen.line(tail, 0.04, BLACK)
    for tx, ty in tail[1:]:
        pen.poly(((tx, ty), (tx - 0.16, ty - 0.08), (tx - 0.16, ty + 0.08)), second)
        pen.poly(((tx, ty), (tx + 0.16, ty - 0.08), (tx + 0.16, ty + 0.08)), first)


def surfboard(pen: Pen, rng: Random) -> None:
    """A long pointed board with a stripe and fins."""
    board, stripe = vivid(rng) if rng.random() < 0.6 else near(rng, WHITE, 10), vivid(rng)
    outline = [(0.3 * math.sin(math.pi * (i / 12) ** 0.8), -1 + i / 6) for i in range(12)] + [(0.1, 1.0)]
    pen.poly(outline + [(-x, y) for x, y in reversed(outline)], board)
    inner = [(0.68 * x, 0.9 * y) for x, y in outline]
    pen.poly(inner + [(-x, y) for x, y in reversed(inner)], shade(board, 1.18))
    pen.line(((0, -0.94), (0, 0.96)), 0.09, stripe)
    y = rng.uniform(-0.4, 0.3)
    pen.poly(((-0.29, y), (0.29, y - 0.14), (0.29, y + 0.04), (-0.29, y + 0.18)), shade(stripe, 0.7))
    for x in (-0.14, 0.14):
        pen.poly(((x, 0.68), (x + 0.06, 0.9), (x - 0.06, 0.9)), BLACK)


def skateboard(pen: Pen, rng: Random) -> None:
    """A board with turned-up ends on four small wheels."""
    deck, tyre = vivid(rng), near(rng, WHITE) if rng.random() < 0.5 else vivid(rng)
    pen.line(((-0.98, -0.3), (-0.7, 0.0), (0.7, 0.0), (0.98, -0.3)), 0.2, BLACK)
    pen.line(((-0.96, -0.2), (-0.68, 0.1), (0.68, 0.1), (0.96, -0.2)), 0.14, deck)
    for x in (-0.52, 0.52):
        pen.poly(((x - 0.14, 0.14), (x + 0.14, 0.14), (x, 0.36)), STEEL)
        for dx in (-0.12, 0.12):
            pen.ellipse(x + dx, 0.38, 0.17, 0.17, tyre)
            pen.ellipse(x + dx, 0.38, 0.06, 0.06, BLACK)


def guitar(pen: Pen, rng: Random) -> None:
    """An acoustic guitar, upright in its frame."""
    wood = pick(rng, ((206, 140, 70), (150, 80, 36), (226, 190, 120), (150, 40, 40)))
    for r, tone in ((0.0, shade(wood, 0.5)), (-0.06, wood)):
        pen.ellipse(0, 0.6, 0.46 + r, 0.38 + r, tone)
        pen.ellipse(0, 0.12, 0.34 + r, 0.28 + r, tone)
        pen.rect(-0.27 - r, 0.2, 0.27 + r, 0.5, tone)
    pen.rect(-0.065, -0.76, 0.065, 0.24, (64, 42, 30))
    pen.poly(((-0.12, -1.0), (0.12, -1.0), (0.08, -0.72), (-0.08, -0.72)), (50, 34, 26))
    for y in (-0.95, -0.86, -0.77):
        pen.line(((-0.17, y), (0.17, y)), 0.04, STEEL)
    pen.ellipse(0, 0.26, 0.13, 0.13, (30, 22, 18))
    pen.rect(-0.2, 0.66, 0.2, 0.74, (60, 36, 26))
    for x in (-0.035, 0.035):
        pen.line(((x, -0.9), (x, 0.7)), 0.02, (230, 226, 210))
