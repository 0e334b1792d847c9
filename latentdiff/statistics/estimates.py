"""A number with its interval: alone, beside what chance gives, or along an axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from latentdiff.hypotheses import Interval


@dataclass(frozen=True)
class Estimate:
    """A mean over pairs."""

    value: float
    interval: Interval
    pairs: int


@dataclass(frozen=True)
class Reading:
    """One method on one measure, with what chance gives on the same pairs."""

    method: str
    measure: str
    estimate: Estimate
    chance: Mapping[str, Estimate] = field(default_factory=dict)  # method that knows nothing -> the same measure

    @property
    def best_chance(self) -> float | None:
        """The highest of what chance gives; None where no such method was run."""
        return max((estimate.value for estimate in self.chance.values()), default=None)


@dataclass(frozen=True)
class Curve:
    """Estimates along x, under one label."""

    label: str
    x: tuple[float, ...]
    y: tuple[Estimate, ...]
