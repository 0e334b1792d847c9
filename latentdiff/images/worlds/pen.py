"""Brushes' vocabulary: a pen that draws one object in its own frame, and colours that vary."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Callable, Iterable, Sequence
from random import Random

from PIL import ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom in canvas pixels

CIRCLE = tuple((math.cos(2 * math.pi * i / 22), math.sin(2 * math.pi * i / 22)) for i in range(22))
BLACK: Colour = (24, 24, 26)
WHITE: Colour = (240, 240, 236)
STEEL: Colour = (168, 172, 178)
WOOD: Colour = (134, 92, 54)


class Pen:
    """Draws in a frame of its own, x to the right, y down, the object within [-1, 1] each way.

    Args:
        draw: the canvas.
        x, y: where the frame's origin lies, in canvas pixels.
        size: canvas pixels per unit, that is half the object's width.
        angle: turn of the frame, in radians clockwise.
        flip: mirror left and right.
        light: factor on every colour.
    """

    def __init__(
        self,
        draw: ImageDraw.ImageDraw,
        x: float,
        y: float,
        size: float,
        angle: float = 0.0,
        flip: bool = False,
        light: float = 1.0,
    ) -> None:
        cosine, sine, mirror = math.cos(angle) * size, math.sin(angle) * size, -1 if flip else 1
        self.draw, self.size, self.light = draw, size, light
        self.matrix = (cosine * mirror, -sine, x, sine * mirror, cosine, y)
        self.box: Box = (math.inf, math.inf, -math.inf, -math.inf)

    def poly(self, points: Iterable[Point], colour: Colour) -> None:
        """A filled polygon."""
        self.draw.polygon(self._place(points), fill=self._lit(colour))

    def line(self, points: Iterable[Point], width: float, colour: Colour) -> None:
        """A polyline, `width` in units of the frame."""
        pixels = max(1, round(width * self.size))
        placed = self._place(points, pixels / 2)
        self.draw.line(placed, fill=self._lit(colour), width=pixels, joint="curve" if len(placed) > 2 else None)

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour, turn: float = 0.0) -> None:
        """A filled ellipse, turned by `turn` radians."""
        c, s = math.cos(turn), math.sin(turn)
        self.poly([(x + rx * u * c - ry * v * s, y + rx * u * s + ry * v * c) for u, v in CIRCLE], colour)

    def ball(self, x: float, y: float, r: float, colour: Colour, ry: float | None = None) -> None:
        """A round body lit from the upper left."""
        ry = r if ry is None else ry
        self.ellipse(x, y, r, ry, shade(colour, 0.72))
        self.ellipse(x - 0.1 * r, y - 0.1 * ry, 0.84 * r, 0.84 * ry, colour)
        self.ellipse(x - 0.32 * r, y - 0.34 * ry, 0.36 * r, 0.32 * ry, shade(colour, 1.3))

    def rect(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """A filled rectangle."""
        self.poly(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), colour)

    def ring(self, x: float, y: float, r: float, width: float, colour: Colour, ry: float | None = None) -> None:
        """A circle's outline."""
        self.arc(x, y, r, r if ry is None else ry, 0.0, 2 * math.pi, width, colour)

    def arc(
        self, x: float, y: float, rx: float, ry: float, start: float, end: float, width: float, colour: Colour
    ) -> None:
        """A part of an ellipse's outline, from `start` to `end` radians."""
        steps = max(4, round(3.5 * abs(end - start)))
        angles = (start + (end - start) * i / steps for i in range(steps + 1))
        self.line([(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles], width, colour)

    def _place(self, points: Iterable[Point], margin: float = 0.0) -> list[Point]:
        a, b, c, d, e, f = self.matrix
        placed = [(a * x + b * y + c, d * x + e * y + f) for x, y in points]
        left, top, right, bottom = self.box
        xs, ys = [p[0] for p in placed], [p[1] for p in placed]
        self.box = (
            min(left, min(xs) - margin),
            min(top, min(ys) - margin),
            max(right, max(xs) + margin),
            max(bottom, max(ys) + margin),
        )
        return placed

    def _lit(self, colour: Colour) -> Colour | int:
        lit = colour if self.light == 1.0 else shade(colour, self.light)
        return lit[0] if self.draw.mode == "L" else lit


Brush = Callable[[Pen, Random], None]


def by_name(*brushes: Brush) -> dict[str, Brush]:
    """Brushes under the names of what they draw, in this order."""
    return {brush.__name__.replace("_", " "): brush for brush in brushes}


def shade(colour: Colour, factor: float) -> Colour:
    """A colour made darker (below 1) or lighter (above 1)."""
    r, g, b = colour
    return (min(255, int(r * factor)), min(255, int(g * factor)), min(255, int(b * factor)))


def near(rng: Random, colour: Colour, spread: int = 26) -> Colour:
    """A colour close to the given one."""
    lift = rng.uniform(-spread, spread)
    r, g, b = (min(255, max(0, int(c + lift + rng.uniform(-spread, spread) / 2))) for c in colour)
    return (r, g, b)


def vivid(rng: Random) -> Colour:
    """Any strong colour."""
    return hsv(rng.random(), rng.uniform(0.55, 1.0), rng.uniform(0.45, 1.0))


def muted(rng: Random) -> Colour:
    """Any greyish colour, from dark to light."""
    return hsv(rng.random(), rng.uniform(0.0, 0.45), rng.uniform(0.2, 0.95))


def grey(level: float) -> Colour:
    """A grey, 0 to 255."""
    return (int(level), int(level), int(level))


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """The colour of a hue, a saturation and a value, each 0 to 1."""
    r, g, b = colorsys.hsv_to_rgb(hue, saturation, value)
    return (int(255 * r), int(255 * g), int(255 * b))


def pick(rng: Random, colours: Sequence[Colour], spread: int = 20) -> Colour:
    """One of the colours, varied a little."""
    return near(rng, rng.choice(colours), spread)
