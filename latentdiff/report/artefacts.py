"""What proposers found beside their hypotheses, by its kind: a density ratio is shown as one, whoever estimated it."""

from __future__ import annotations

from typing import TypeVar

from latentdiff.result import ComparisonResult

T = TypeVar("T")


def artefact_of(result: ComparisonResult, kind: type[T]) -> T | None:
    """The artefact of a kind, or None where no proposer has one."""
    artefacts = (outcome.artefact for outcome in result.proposers.values())
    return next((one for one in artefacts if isinstance(one, kind)), None)
