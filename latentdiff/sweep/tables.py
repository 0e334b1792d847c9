"""A sweep as a table, with seed agreement by firing density beside it, and as curves over the first swept number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from latentdiff.presentation.figures import Figure, plot
from latentdiff.presentation.numbers import percent
from latentdiff.presentation.tables import Cell, Column, Table
from latentdiff.statistics.estimates import Curve, Estimate
from latentdiff.sweep.measures import MEASURES, TIME, Measure
from latentdiff.sweep.point import Result

LOGARITHMIC = 4  # times the smallest value from which an axis is drawn by powers


@dataclass(frozen=True)
class Outcome:
    """The finished points of a sweep."""

    results: tuple[Result, ...]
    planned: int  # points of the grid
    seeds: int  # SAEs of each
    lede: str  # which images, in words
    scored: tuple[Measure, ...] = ()  # what scorers from outside say of a point

    @property
    def axes(self) -> tuple[str, ...]:
        """The settings that are swept."""
        return tuple(self.results[0].values) if self.results else ()


def taken(outcome: Outcome) -> tuple[Measure, ...]:
    """The measures that some point has."""
    known = (*MEASURES, *outcome.scored, TIME)
    return tuple(one for one in known if any(one.of(result) for result in outcome.results))


def tables(outcome: Outcome) -> list[Table]:
    """The sweep, and seed agreement by firing density where there are several seeds."""
    return [table for table in (sweep_table(outcome), agreement_table(outcome)) if table.rows]


def sweep_table(outcome: Outcome) -> Table:
    """One row a point: the swept settings, then the measures, means over the seeds."""
    measures = taken(outcome)
    columns = (*map(Column, outcome.axes), *(Column(one.name, one.form) for one in measures))
    rows = tuple((*_values(result), *(_cell(one, result) for one in measures)) for result in outcome.results)
    each = "One SAE each" if outcome.seeds == 1 else f"Means over {outcome.seeds} SAEs each"
    notes = "; ".join(f"{one.name}: {one.note}" for one in measures)
    return Table("sweep", "Points", f"{each}. {notes}.", columns, rows)


def agreement_table(outcome: Outcome) -> Table:
    """Seed agreement by firing density, one column a band."""
    results = [result for result in outcome.results if result.bands]
    bands = results[0].bands if results else ()
    names = ["never fires" if band.above < 0 else f"fires on up to {percent(band.up_to)}" for band in bands]
    columns = (*map(Column, outcome.axes), *(Column(name, "percent") for name in names))
    rows = tuple((*_values(result), *(band.matched for band in result.bands)) for result in results)
    note = (
        "Share of the latents of each band, by the share of images that fire them, with a decoder cosine above .7 in "
        "the SAE of another seed; a dash where a band is empty."
    )
    return Table("agreement", "Seed agreement by firing density", note, columns, rows)


def figures(outcome: Outcome) -> list[Figure]:
    """Every measure over the first swept setting that is a number; a line for each choice of the others."""
    axis = next((axis for axis in outcome.axes if _is_numeric(outcome, axis)), None)
    if axis is None:
        return []
    x = [float(result.values[axis]) for result in outcome.results]
    logarithmic = min(x) > 0 and max(x) >= LOGARITHMIC * min(x)
    return [_figure(outcome, one, axis, logarithmic) for one in taken(outcome) if one.drawn]


def _figure(outcome: Outcome, measure: Measure, axis: str, logarithmic: bool) -> Figure:
    return plot(
        _curves(outcome, measure, axis),
        name=measure.name.lower(),
        title=measure.title,
        note=measure.note,
        x_label=axis,
        y_label=measure.name,
        forms=("number", measure.form),
        logarithmic=logarithmic,
        interval="95 % interval" if measure.bootstrapped else "seeds from",
    )


def best(outcome: Outcome) -> list[tuple[Measure, Result]]:
    """For each measure that has a better end, the point that is best."""
    found = []
    for one in taken(outcome):
        sign = -1 if one.better == "low" else 1
        known = [(sign * e.value, r) for r in outcome.results if (e := one.of(r)) and math.isfinite(e.value)]
        if known and one.better and one.drawn:
            found.append((one, max(known, key=lambda pair: pair[0])[1]))  # of equals the first
    return found


def short(key: str) -> str:
    """A setting by its last name."""
    return key.rpartition(".")[2]


def _is_numeric(outcome: Outcome, axis: str) -> bool:
    values = [result.values[axis] for result in outcome.results]
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def _curves(outcome: Outcome, measure: Measure, axis: str) -> list[Curve]:
    lines: dict[str, list[tuple[float, Estimate]]] = {}
    for result in outcome.results:
        others = ", ".join(f"{short(key)} {value}" for key, value in result.values.items() if key != axis)
        estimated = measure.of(result)
        if estimated:
            lines.setdefault(others or "all", []).append((float(result.values[axis]), estimated))
    return [_curve(label, sorted(points, key=lambda point: point[0])) for label, points in lines.items()]


def _curve(label: str, points: Sequence[tuple[float, Estimate]]) -> Curve:
    return Curve(label, tuple(x for x, _ in points), tuple(y for _, y in points))


def _values(result: Result) -> tuple[Any, ...]:
    return tuple(result.values.values())


def _cell(measure: Measure, result: Result) -> Cell:
    """A mean over seeds stands alone, a bootstrapped estimate with its interval."""
    estimated = measure.of(result)
    return estimated if estimated is None or measure.bootstrapped else estimated.value
