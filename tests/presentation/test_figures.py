"""Curves become lines, dots and ticks."""

from __future__ import annotations

import math

from latentdiff.hypotheses import Interval
from latentdiff.presentation.figures import plot
from latentdiff.statistics.estimates import Curve, Estimate


def at(value):
    return Estimate(value, Interval(value, value), 1)


def test_a_line_goes_where_its_values_are():
    figure = plot([Curve("m", (1, 10, 100), (at(0), at(0.5), at(1)))], "f", "F", "", "x", "y", ("number", "unit"), True)
    (line,) = figure.lines
    assert line.path == "M0.0 1000.0L500.0 500.0L1000.0 0.0"
    assert [(dot.x, dot.y) for dot in line.dots] == [(0, 100), (50, 50), (100, 0)]
    assert [tick.label for tick in figure.x_ticks] == ["1", "10", "100"]


def test_what_is_not_finite_is_not_drawn_and_one_point_is_in_the_middle():
    figure = plot([Curve("m", (0, 5), (at(1), at(0.2)))], "f", "F", "", "x", "y", ("number", "unit"), True)
    assert figure.lines[0].path == "M500.0 0.0" and figure.y_ticks[-1].label == ".20"
    assert plot([Curve("m", (1,), (at(math.nan),))], "f", "F", "", "x", "y", ("number", "unit")).lines[0].path == ""
