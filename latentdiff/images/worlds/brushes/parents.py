"""Brushes for the main actors of everyday scenes: on four legs, on two wheels, on foot and afloat."""

from __future__ import annotations

import math
from random import Random

from latentdiff.images.worlds.pen import BLACK, STEEL, WHITE, Colour, Pen, Point, near, pick, shade, vivid

FUR: tuple[Colour, ...] = (
    (150, 98, 52), (52, 42, 38), (222, 190, 140), (236, 232, 224), (120, 116, 112), (190, 120, 60),
)  # fmt: skip
SKIN: tuple[Colour, ...] = ((236, 196, 168), (206, 156, 120), (150, 100, 70), (96, 62, 44))


def leg(pen: Pen, hip: Point, length: float, width: float, lean: float, colour: Colour) -> None:
    """A leg that narrows to a foot."""
    x, y = hip
    knee, foot = x + lean * 0.6, x + lean
    pen.poly(
        (
            (x - width, y),
            (x + width, y),
            (knee + 0.6 * width, y + 0.6 * length),
            (foot + 0.5 * width, y + length),
            (foot + 1.2 * width, y + length + 0.07),
            (foot - 0.6 * width, y + length + 0.07),
            (knee - 0.6 * width, y + 0.6 * length),
        ),
        colour,
    )


def dog(pen: Pen, rng: Random) -> None:
    """From the side: drooping ear, muzzle, tongue, tail up."""
    coat = pick(rng, FUR)
    dark, light = shade(coat, 0.68), shade(coat, 1.18)
    lift = rng.uniform(-0.08, 0.1)
    for x, lean in ((-0.42, 0.1), (0.42, -0.08)):
        leg(pen, (x, 0.1), 0.62, 0.1, lean + rng.uniform(-0.14, 0.14), dark)
    tail = rng.uniform(-0.5, 0.1)
    pen.line(((-0.6, -0.08), (-0.8, -0.25), (-0.9, -0.45 + tail * 0.4)), 0.11, coat)
    pen.ellipse(0.0, 0.0, 0.62, 0.26, coat)
    pen.ellipse(0.38, -0.02, 0.27, 0.29, coat)
    pen.ellipse(-0.05, 0.14, 0.42, 0.1, shade(coat, 0.84))
    for x, lean in ((-0.5, -0.06), (0.5, 0.05)):
        leg(pen, (x, 0.1), 0.64, 0.11, lean + rng.uniform(-0.14, 0.14), coat)
    if rng.random() < 0.35:
        pen.ellipse(-0.12, -0.08, 0.26, 0.15, WHITE if sum(coat) < 400 else (90, 60, 40))
    pen.poly(((0.34, -0.2), (0.66, 0.02), (0.74, -0.3 + lift), (0.5, -0.55 + lift)), coat)
    pen.ellipse(0.66, -0.5 + lift, 0.25, 0.22, coat)
    pen.poly(((0.74, -0.58 + lift), (1.0, -0.48 + lift), (1.0, -0.34 + lift), (0.72, -0.3 + lift)), light)
    pen.ellipse(0.99, -0.46 + lift, 0.07, 0.06, BLACK)
    pen.line(((0.8, -0.34 + lift), (0.98, -0.36 + lift)), 0.03, BLACK)
    if rng.random() < 0.5:
        pen.ellipse(0.88, -0.25 + lift, 0.05, 0.11, (220, 96, 104))
    pen.ellipse(0.5, -0.42 + lift, 0.12, 0.25, dark, 0.25)
    pen.ellipse(0.73, -0.55 + lift, 0.045, 0.045, BLACK)
    pen.line(((0.36, -0.28), (0.64, -0.1)), 0.07, vivid(rng))


def cat(pen: Pen, rng: Random) -> None:
    """Sitting, face to the viewer: pointed ears, whiskers, a curled tail, stripes."""
    coat = pick(rng, ((210, 140, 70), (70, 66, 66), (150, 146, 142), (232, 226, 216), (110, 84, 60)))
    dark = shade(coat, 0.6)
    pen.arc(0.5, 0.6, 0.42, 0.34, 1.7, -1.9, 0.14, shade(coat, 0.85))
    pen.ellipse(0.0, 0.42, 0.5, 0.54, coat)
    pen.ellipse(0.0, 0.5, 0.24, 0.4, shade(coat, 1.16))
    for x in (-0.2, 0.2):
        pen.ellipse(x, 0.66, 0.13, 0.34, shade(coat, 1.05))
        pen.ellipse(x, 0.96, 0.17, 0.09, shade(coat, 1.22))
    for side in (-1, 1):
        pen.poly(((side * 0.46, -0.3), (side * 0.44, -0.98), (side * 0.08, -0.68)), coat)
        pen.poly(((side * 0.4, -0.45), (side * 0.39, -0.82), (side * 0.18, -0.64)), (214, 150, 150))
        for y in (0.1, 0.28, 0.46):
            pen.line(((side * 0.5, y), (side * 0.3, y + 0.06)), 0.06, dark)
    pen.ellipse(0.0, -0.34, 0.48, 0.4, coat)
    for x in (-0.12, 0.0, 0.12):
        pen.line(((x, -0.72), (x * 0.8, -0.52)), 0.05, dark)
    iris = pick(rng, ((130, 200, 80), (230, 190, 60), (90, 160, 210)))
    for side in (-1, 1):
        pen.ellipse(side * 0.2, -0.38, 0.11, 0.1, iris)
        pen.ellipse(side * 0.2, -0.38, 0.035, 0.1, BLACK)
        for y in (-0.2, -0.12):
            pen.line(((side * 0.1, -0.16), (side * 0.62, y)), 0.02, WHITE)
    pen.ellipse(0.0, -0.14, 0.17, 0.12, shade(coat, 1.3))
    pen.poly(((-0.07, -0.22), (0.07, -0.22), (0.0, -0.13)), (200, 110, 110))


def horse(pen: Pen, rng: Random) -> None:
    """From the side: long legs, arched neck, mane and falling tail."""
    coat = pick(rng, ((120, 66, 36), (60, 42, 34), (176, 120, 70), (226, 220, 210), (100, 96, 94)))
    hair = pick(rng, ((30, 24, 22), (70, 44, 28), (210, 196, 160)))
    for x, lean in ((-0.4, 0.16), (0.34, -0.12)):
        leg(pen, (x, 0.1), 0.8, 0.09, lean + rng.uniform(-0.16, 0.16), shade(coat, 0.65))
    pen.poly(((-0.6, -0.14), (-0.74, 0.0), (-0.82, 0.5), (-0.66, 0.42), (-0.54, 0.0)), hair)
    pen.ellipse(-0.05, 0.0, 0.58, 0.27, coat)
    pen.ellipse(-0.36, -0.02, 0.28, 0.29, coat)
    pen.poly(((0.2, -0.2), (0.44, 0.14), (0.64, -0.34), (0.78, -0.66), (0.56, -0.8)), coat)
    pen.poly(((0.54, -0.8), (0.76, -0.84), (1.0, -0.5), (0.96, -0.38), (0.84, -0.4), (0.62, -0.56)), coat)
    pen.poly(((0.58, -0.78), (0.62, -0.98), (0.7, -0.8)), coat)
    pen.poly(((0.6, -0.88), (0.46, -0.78), (0.08, -0.2), (0.26, -0.22), (0.54, -0.66)), hair)
    pen.ellipse(0.74, -0.7, 0.035, 0.035, BLACK)
    pen.ellipse(0.95, -0.46, 0.025, 0.025, BLACK)
    for x, lean in ((-0.48, -0.06), (0.4, 0.08)):
        leg(pen, (x, 0.1), 0.82, 0.1, lean + rng.uniform(-0.16, 0.16), coat)
    if rng.random() < 0.4:
        pen.poly(((-0.2, -0.28), (0.12, -0.28), (0.08, 0.08), (-0.16, 0.08)), vivid(rng))


def wheel(pen: Pen, x: float, y: float, r: float, tyre: float, rim: Colour, spokes: int, phase: float) -> None:
    """A tyre with spokes."""
    for i in range(spokes):
        a = phase + math.pi * i / spokes
        dx, dy = r * math.cos(a), r * math.sin(a)
        pen.line(((x - dx, y - dy), (x + dx, y + dy)), 0.02, rim)
    pen.ring(x, y, r, tyre, BLACK)
    pen.ellipse(x, y, 0.05, 0.05, rim)


def bicycle(pen: Pen, rng: Random) -> None:
    """From the side: two thin wheels and a diamond frame."""
    paint, steel = vivid(rng), near(rng, STEEL)
    phase = rng.random()
    for x in (-0.56, 0.56):
        wheel(pen, x, 0.28, 0.41, 0.06, steel, 6, phase)
    pedals, seat, head, back, front = (-0.08, 0.3), (-0.22, -0.26), (0.38, -0.3), (-0.56, 0.28), (0.56, 0.28)
    for a, b in ((back, pedals), (back, seat), (pedals, seat), (pedals, head), (seat, head), (head, front)):
        pen.line((a, b), 0.075, paint)
    pen.line((seat, (-0.26, -0.44)), 0.06, steel)
    pen.poly(((-0.46, -0.5), (-0.1, -0.46), (-0.1, -0.4), (-0.46, -0.38)), BLACK)
    pen.line((head, (0.35, -0.5)), 0.06, steel)
    if rng.random() < 0.5:
        pen.line(((0.22, -0.54), (0.5, -0.52), (0.6, -0.4), (0.48, -0.32)), 0.06, BLACK)
    else:
        pen.line(((0.16, -0.58), (0.36, -0.52), (0.5, -0.6)), 0.07, BLACK)
    pen.ring(*pedals, 0.12, 0.04, steel)
    pen.line(((-0.16, 0.16), (0.0, 0.46)), 0.05, BLACK)


def motorcycle(pen: Pen, rng: Random) -> None:
    """From the side: fat wheels, tank, engine, exhaust, headlamp."""
    paint, chrome = vivid(rng), near(rng, STEEL)
    for x in (-0.6, 0.62):
        pen.ellipse(x, 0.36, 0.38, 0.38, BLACK)
        pen.ellipse(x, 0.36, 0.23, 0.23, shade(chrome, 0.8))
        pen.ellipse(x, 0.36, 0.13, 0.13, (50, 50, 54))
    pen.line(((0.62, 0.36), (0.36, -0.36)), 0.11, chrome)
    pen.arc(0.62, 0.36, 0.44, 0.44, -2.4, -0.6, 0.1, paint)
    pen.poly(((-0.34, 0.02), (0.34, 0.02), (0.26, 0.46), (-0.26, 0.46)), (66, 66, 70))
    for y in (0.1, 0.18, 0.26):
        pen.line(((-0.2, y), (0.2, y)), 0.035, chrome)
    pen.line(((0.2, 0.36), (-0.1, 0.5), (-0.96, 0.44)), 0.11, chrome)
    pen.poly(((-0.94, -0.1), (-0.5, -0.06), (-0.28, 0.1), (-0.84, 0.08)), paint)
    pen.poly(((-0.8, -0.22), (-0.2, -0.08), (0.0, -0.1), (0.0, 0.04), (-0.62, 0.0)), BLACK)
    pen.poly(((-0.12, -0.08), (0.08, -0.3), (0.36, -0.28), (0.38, 0.0), (0.0, 0.06)), paint)
    pen.line(((0.36, -0.34), (0.24, -0.54), (0.06, -0.5)), 0.07, BLACK)
    pen.ellipse(0.48, -0.26, 0.13, 0.13, chrome)
    pen.ellipse(0.52, -0.26, 0.09, 0.1, (250, 240, 180))
    if rng.random() < 0.4:
        pen.poly(((0.36, -0.36), (0.5, -0.38), (0.36, -0.68)), (170, 200, 220))


def car(pen: Pen, rng: Random) -> None:
    """From the side: cabin with windows, two wheels, lamps."""
    paint, glass = vivid(rng) if rng.random() < 0.7 else near(rng, (150, 150, 154), 70), (150, 186, 206)
    roof = rng.uniform(-0.46, -0.34)
    pen.poly(((-0.62, -0.04), (-0.4, roof), (0.22, roof), (0.52, -0.04)), paint)
    pen.poly(((-0.5, -0.06), (-0.35, roof + 0.08), (-0.1, roof + 0.08), (-0.1, -0.06)), glass)
    pen.poly(((-0.03, -0.06), (-0.03, roof + 0.08), (0.18, roof + 0.08), (0.4, -0.06)), glass)
    hull = ((-1.0, 0.02), (-0.94, -0.08), (0.55, -0.08), (0.94, 0.02), (1.0, 0.16), (0.98, 0.3), (-0.98, 0.3))
    pen.poly(hull, paint)
    pen.poly(((-0.99, 0.2), (0.99, 0.2), (0.98, 0.32), (-0.98, 0.32)), shade(paint, 0.6))
    pen.line(((-0.08, -0.06), (-0.08, 0.24)), 0.025, shade(paint, 0.5))
    pen.line(((0.0, 0.04), (0.12, 0.04)), 0.04, shade(paint, 0.5))
    pen.ellipse(0.93, 0.08, 0.07, 0.06, (252, 244, 190))
    pen.rect(-1.0, 0.0, -0.92, 0.1, (210, 40, 36))
    for x in (-0.58, 0.58):
        pen.ellipse(x, 0.3, 0.21, 0.21, BLACK)
        pen.ellipse(x, 0.3, 0.12, 0.12, STEEL)
        pen.ellipse(x, 0.3, 0.05, 0.05, BLACK)


def person(pen: Pen, rng: Random) -> None:
    """Standing or walking: head with hair, shirt, trousers or skirt, arms."""
    skin, shirt, cloth = pick(rng, SKIN), vivid(rng), near(rng, (60, 70, 110), 50)
    hair = pick(rng, ((30, 24, 20), (90, 60, 34), (200, 170, 90), (150, 146, 140)))
    stride = rng.uniform(0.04, 0.3)
    for side in (-1, 1):
        foot = side * stride
        pen.line(((side * 0.09, 0.14), (foot * 0.8, 0.54), (foot, 0.9)), 0.15, cloth if side > 0 else shade(cloth, 0.8))
        pen.ellipse(foot + 0.05, 0.94, 0.12, 0.05, BLACK)
    if rng.random() < 0.3:
        pen.poly(((-0.15, 0.05), (0.15, 0.05), (0.3, 0.5), (-0.3, 0.5)), cloth)
    pen.poly(((-0.25, -0.48), (0.25, -0.48), (0.19, 0.2), (-0.19, 0.2)), shirt)
    for side in (-1, 1):
        bend = rng.uniform(-0.5, 0.2) if rng.random() < 0.4 else rng.uniform(0.1, 0.2)
        elbow, hand = (side * 0.36, -0.14), (side * rng.uniform(0.3, 0.56), bend)
        pen.line(((side * 0.22, -0.42), elbow), 0.12, shade(shirt, 0.85))
        pen.line((elbow, hand), 0.09, skin)
        pen.ellipse(*hand, 0.06, 0.06, skin)
    pen.rect(-0.07, -0.58, 0.07, -0.46, shade(skin, 0.85))
    long = rng.random() < 0.5
    pen.ellipse(0.0, -0.76, 0.2, 0.23 if not long else 0.2, hair)
    if long:
        pen.poly(((-0.2, -0.78), (0.2, -0.78), (0.22, -0.44), (-0.22, -0.44)), hair)
    pen.ellipse(0.0, -0.71, 0.145, 0.18, skin)
    pen.poly(((-0.16, -0.76), (-0.1, -0.92), (0.1, -0.92), (0.16, -0.76), (0.0, -0.84)), hair)
    for side in (-1, 1):
        pen.ellipse(side * 0.06, -0.72, 0.022, 0.025, BLACK)
    pen.line(((-0.05, -0.61), (0.05, -0.61)), 0.025, (170, 70, 70))


def boat(pen: Pen, rng: Random) -> None:
    """Under sail or with a cabin, on a strip of water."""
    hull, trim = vivid(rng), WHITE if rng.random() < 0.6 else vivid(rng)
    water = pick(rng, ((50, 96, 140), (70, 130, 150), (40, 70, 100)))
    pen.poly([(-1.0 + 0.2 * i, 0.56 + 0.05 * (i % 2)) for i in range(11)] + [(0.9, 0.84), (-0.9, 0.84)], water)
    if rng.random() < 0.65:
        sail = near(rng, WHITE, 14) if rng.random() < 0.6 else vivid(rng)
        pen.line(((0.02, 0.36), (0.02, -0.96)), 0.05, (90, 70, 50))
        pen.poly(((-0.04, -0.9), (-0.04, 0.24), (-0.72, 0.24), (-0.34, -0.3)), sail)
        pen.poly(((0.07, -0.8), (0.44, -0.2), (0.68, 0.24), (0.07, 0.24)), shade(sail, 0.82))
    else:
        pen.poly(((-0.4, 0.36), (-0.36, -0.1), (0.22, -0.1), (0.34, 0.36)), trim)
        for x in (-0.26, -0.04, 0.16):
            pen.rect(x, 0.0, x + 0.13, 0.14, (70, 100, 130))
        pen.rect(-0.2, -0.42, 0.0, -0.1, vivid(rng))
        pen.line(((0.2, -0.1), (0.2, -0.5)), 0.04, BLACK)
    pen.poly(((-0.86, 0.32), (0.96, 0.28), (0.7, 0.66), (-0.64, 0.66)), hull)
    pen.line(((-0.86, 0.34), (0.94, 0.3)), 0.07, trim)
    for i in range(4):
        pen.line(((-0.8 + 0.45 * i, 0.74), (-0.6 + 0.45 * i, 0.72)), 0.04, shade(water, 1.4))
