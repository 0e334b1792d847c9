"""Where the marks of the plots lie, in percent of the plot's width and height; the template draws them.

A is on the left and B on the right everywhere, as in the columns of findings: a difference of shares A - B and a log
density ratio A / B grow to the left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from latentdiff.hypotheses import Evidence, Finding, Interval
from latentdiff.presentation.figures import Tick, round_up
from latentdiff.presentation.numbers import number
from latentdiff.proposers.density_ratio import DensityRatio
from latentdiff.report.listing import Entry

CEILING = 16.0  # of -log10 q: what is surer than that sits on the upper edge


@dataclass(frozen=True)
class Span:
    """A dot with its interval."""

    at: float
    low: float
    high: float


@dataclass(frozen=True)
class Prevalence:
    """Two dots on one axis from 0."""

    a: Span
    b: Span
    top: str  # label at the right end of the axis


@dataclass(frozen=True)
class Forest:
    """Differences of shares around a common zero."""

    rows: tuple[tuple[Entry, Span], ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Point:
    """A finding in the volcano plot."""

    entry: Entry
    x: float
    y: float
    label: str  # "" where it would cover another
    anchor: str  # where the label's text starts or ends at the point


@dataclass(frozen=True)
class Volcano:
    """Effect against evidence: the findings over the cloud of everything that was tested."""

    points: tuple[Point, ...]
    cloud: str  # SVG path in a box of 1000 x 1000, one dot a move
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    bar: float  # height of the level of q


@dataclass(frozen=True)
class Histogram:
    """Two step outlines in a box of 1000 x 1000."""

    a: str
    b: str
    ticks: tuple[Tick, ...]


def prevalence(evidence: Evidence) -> Prevalence:
    """The shares of both sets with their intervals, on an axis that ends above the higher interval."""
    intervals = (evidence.prevalence_a_interval, evidence.prevalence_b_interval)
    highest = max(_finite([i.high for i in intervals] + [evidence.prevalence_a, evidence.prevalence_b]), default=0.0)
    top = min(1.0, round_up(highest)) or 1.0
    a, b = (
        Span(*(_clip(100 * value / top) for value in (share, interval.low, interval.high)))
        for share, interval in zip((evidence.prevalence_a, evidence.prevalence_b), intervals, strict=True)
    )
    return Prevalence(a, b, top=f"{number(100 * top)}\u202f%")


def more(finding: Finding) -> Interval | None:
    """How much more of it its side has, [low, high] as shares; None where nobody counted."""
    if finding.evidence is None:
        return None
    ends = finding.evidence.difference_interval
    return ends if finding.side == "a" else Interval(-ends.high, -ends.low)


def evidence_of(entry: Entry) -> Evidence:
    """The evidence of a finding that has some; the plots show no others."""
    assert entry.finding.evidence is not None
    return entry.finding.evidence


def forest(entries: Sequence[Entry]) -> Forest:
    """The differences of findings with evidence, those with more in A first, the largest on the outside."""
    ordered = sorted(entries, key=lambda e: (e.finding.side, -abs(evidence_of(e).difference)))
    evidence = [evidence_of(e) for e in ordered]
    reach = _reach([v for e in evidence for v in (e.difference, *_ends(e.difference_interval))])
    spans = [
        Span(*(_mirrored(v, reach) for v in (e.difference, e.difference_interval.high, e.difference_interval.low)))
        for e in evidence
    ]
    return Forest(tuple(zip(ordered, spans, strict=True)), _mirrored_ticks(reach))


def volcano(entries: Sequence[Entry], tested: Sequence[tuple[float, float]], level: float = 0.05) -> Volcano:
    """Findings and everything tested, prevalence difference against -log10 q.

    Args:
        entries: findings with evidence, most important first: they get their labels first.
        tested: (prevalence difference, q) of every tested latent.
        level: of q, drawn as a line.
    """
    pairs = [(d, q) for d, q in tested if math.isfinite(d) and math.isfinite(q)]
    marks = [(evidence_of(e).difference, evidence_of(e).q_value) for e in entries]
    reach = _reach([d for d, _ in (*pairs, *marks)])
    surest = max([_evidence(q) for _, q in (*pairs, *marks)], default=0.0)
    top = min(CEILING, max(3.0, 1.08 * surest))
    cloud = sorted({(round(10 * _mirrored(d, reach)), round(1000 * (1 - _evidence(q) / top))) for d, q in pairs})
    places = [(_mirrored(d, reach), _clip(100 * (1 - _evidence(q) / top))) for d, q in marks]
    step = 1 if top <= 6 else 2 if top <= 10 else 4
    return Volcano(
        points=_label(entries, places),
        cloud="".join(f"M{x} {max(0, y)}h0" for x, y in cloud),
        x_ticks=_mirrored_ticks(reach),
        y_ticks=tuple(Tick(100 * (1 - p / top), _power(p)) for p in range(0, int(top) + 1, step)),
        bar=100 * (1 - _evidence(level) / top),
    )


def histogram(density: DensityRatio) -> Histogram | None:
    """The out-of-fold scores of both sets as shares of their set; None where there is nothing to draw."""
    edges = density.histogram_edges
    if len(edges) < 2 or not all(math.isfinite(e) for e in edges) or edges[-1] <= edges[0]:
        return None
    heights = [
        [count / max(1, sum(counts)) / (high - low) for count, low, high in zip(counts, edges, edges[1:], strict=False)]
        for counts in (density.histogram_a, density.histogram_b)
    ]
    tallest = max((h for row in heights for h in row), default=0.0)
    if tallest <= 0:
        return None
    low, high = edges[0], edges[-1]
    across = [1000 * (high - edge) / (high - low) for edge in edges]
    ticks = tuple(
        Tick(100 * (high - value) / (high - low), label) for value, label in _factors(low, high) if low <= value <= high
    )
    return Histogram(_outline(across, heights[0], tallest), _outline(across, heights[1], tallest), ticks)


def _outline(across: Sequence[float], heights: Sequence[float], tallest: float) -> str:
    steps = [f"M{across[0]:.1f} 1000"]
    for right, height in zip(across[1:], heights, strict=False):
        steps.append(f"V{1000 - 960 * height / tallest:.1f}H{right:.1f}")
    return "".join(steps) + "V1000"


def _factors(low: float, high: float) -> list[tuple[float, str]]:
    """Places of round density ratios, at most three on either side of 1."""
    reach = max(abs(low), abs(high))
    if reach < math.log(30):
        steps = [2.0, 5.0, 20.0] if reach > math.log(6) else [1.5, 2.0, 4.0]
    else:
        decades = math.ceil(reach / math.log(10) / 3)
        steps = [10.0 ** (decades * i) for i in (1, 2, 3)]
    labelled = [(0.0, "1×")]
    for factor in steps:
        name = f"{number(factor)}×" if factor < 1e6 else f"1e{round(math.log10(factor))}×"
        labelled += [(math.log(factor), name), (-math.log(factor), name)]
    return labelled


def _label(entries: Sequence[Entry], places: Sequence[tuple[float, float]]) -> tuple[Point, ...]:
    """Labels by importance, each only where no earlier one of its side lies within a line's height."""
    taken: dict[str, list[float]] = {"a": [], "b": []}
    points = []
    for entry, (x, y) in zip(entries, places, strict=True):
        heights = taken[entry.finding.side]
        free = len(heights) < 5 and all(abs(y - other) > 6.5 for other in heights)
        if free:
            heights.append(y)
        label = _short(entry) if free else ""
        fits = 2 + 1.6 * len(label) <= min(x, 100 - x)  # a letter takes about 1.6 % of the plot's width
        points.append(Point(entry, x, y, label, "end" if (x < 50) == fits else "start"))
    return tuple(points)


def _short(entry: Entry, limit: int = 22) -> str:
    name = entry.finding.words[0] if entry.finding.name_found and entry.finding.words else "no word fits"
    return name if len(name) <= limit else name[: limit - 1] + "…"


def _evidence(q: float) -> float:
    return -math.log10(max(q, 1e-300)) if math.isfinite(q) and q < 1 else 0.0


def _power(exponent: int) -> str:
    return "1" if exponent == 0 else f".{'0' * (exponent - 1)}1" if exponent <= 3 else f"1e−{exponent}"


def _reach(values: Sequence[float]) -> float:
    return round_up(max((abs(v) for v in _finite(values)), default=0.0)) or 0.01


def _mirrored(value: float, reach: float) -> float:
    return _clip(50 - 50 * value / reach)


def _mirrored_ticks(reach: float) -> tuple[Tick, ...]:
    """Five ticks; labels in percentage points, the same on both sides of zero."""
    return tuple(Tick(50 - 50 * part, number(100 * abs(part) * reach)) for part in (1, 0.5, 0, -0.5, -1))


def _ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def _finite(values: Sequence[float]) -> list[float]:
    return [v for v in values if math.isfinite(v)]


def _clip(place: float) -> float:
    return round(min(100.0, max(0.0, place)), 2) if math.isfinite(place) else 50.0
