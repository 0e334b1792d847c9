"""Scores of sides become figures of methods: means with 95 % intervals by bootstrap over pairs, chance beside them.

The pair is the unit: its two sides share images, so they are averaged first and drawn together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from latentdiff.errors import LatentDiffError
from latentdiff.noisydiff.methods.registry import CHANCE
from latentdiff.noisydiff.scoring.measures import SideScore
from latentdiff.statistics.bootstrap import estimate
from latentdiff.statistics.estimates import Estimate, Reading


class OfMethod(Protocol):
    """A score, a prediction, a checked claim."""

    @property
    def method(self) -> str:
        """Whose it is."""


M = TypeVar("M", bound=OfMethod)


@dataclass(frozen=True)
class Run:
    """The scores of one run of a benchmark, and the settings that it was run with."""

    settings: Mapping[str, Any]  # flat: "concepts.k" -> 32
    scores: Sequence[SideScore]


def methods_of(scores: Iterable[OfMethod]) -> list[str]:
    """The methods in the order in which they first occur; those of chance last."""
    known = list(dict.fromkeys(score.method for score in scores))
    return [m for m in known if m not in CHANCE] + [m for m in CHANCE if m in known]


def by_method(items: Iterable[M]) -> dict[str, list[M]]:
    """Scores or predictions by their method, as they come."""
    found: dict[str, list[M]] = {}
    for item in items:
        found.setdefault(item.method, []).append(item)
    return found


def per_pair(scores: Iterable[SideScore], measure: str, method: str) -> dict[str, float]:
    """The mean over each pair's sides, by pair.

    Raises:
        LatentDiffError: a score has no such measure.
    """
    sides: dict[str, list[float]] = {}
    for score in scores:
        if score.method == method:
            if measure not in score.values:
                raise LatentDiffError(f"unknown measure '{measure}' (valid: {'; '.join(score.values)})")
            sides.setdefault(score.pair, []).append(score.values[measure])
    return {pair: float(np.mean(values)) for pair, values in sides.items()}


def readings(scores: Sequence[SideScore], measure: str) -> list[Reading]:
    """Every method on one measure, with chance on the same pairs beside all but chance itself."""
    by_method = {method: per_pair(scores, measure, method) for method in methods_of(scores)}
    result = []
    for method, values in by_method.items():
        chance = {
            name: estimate([by_method[name][pair] for pair in values])
            for name in CHANCE
            if method not in CHANCE and name in by_method and values.keys() <= by_method[name].keys()
        }
        result.append(Reading(method, measure, estimate(list(values.values())), chance))
    return result


def paired(scores: Sequence[SideScore], measure: str, method: str, other: str) -> Estimate:
    """How much better a method is than another on the pairs of both, with the interval of the difference."""
    own, others = per_pair(scores, measure, method), per_pair(scores, measure, other)
    return estimate([own[pair] - others[pair] for pair in own if pair in others])
