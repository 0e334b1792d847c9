"""The verdict: whether two groups of images differ at all, as a value. Only the report and the terminal word it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class VerdictKind(StrEnum):
    """What a comparison comes to."""

    DIFFERENT = "different"
    NO_DIFFERENCE = "no difference found"
    TOO_FEW_IMAGES = "too few images"  # not even what all images of one side have and none of the other would show
    NOT_TESTED = "not tested"  # texts were proposed, and nothing tested them


class NotRunReason(StrEnum):
    """Why a proposer did not run."""

    TOO_FEW_IMAGES = "too few images"


@dataclass(frozen=True)
class NotRun:
    """A proposer that did not run, and why."""

    reason: NotRunReason
    needed: int  # images a side
    n_a: int  # that there were
    n_b: int


@dataclass(frozen=True)
class Verdict:
    """Whether the groups differ.

    Attributes:
        kind: what it comes to.
        p_value: of "no difference at all", corrected for the tests that could have said otherwise; 1 without any.
        tests: how many these were.
        level: of the verdict.
        smallest_detectable: share of one side alone in which a latent would have been seen to fire (power .8), at the
            level of the verdict; 1: none would; None where no latent was tested.
    """

    kind: VerdictKind
    p_value: float
    tests: int
    level: float
    smallest_detectable: float | None

    @property
    def different(self) -> bool:
        """Whether the groups were told apart."""
        return self.kind is VerdictKind.DIFFERENT


def decide(p_values: list[float], level: float, smallest_detectable: float | None) -> Verdict:
    """The verdict of several tests of "no difference at all": Bonferroni's correction for their number.

    Args:
        p_values: one a test.
        level: of the verdict.
        smallest_detectable: see `Verdict`.

    >>> decide([0.01, 0.4], 0.05, 0.02).p_value
    0.02
    """
    p_value = min(1.0, len(p_values) * min(p_values)) if p_values else 1.0
    if not p_values:
        kind = VerdictKind.NOT_TESTED
    elif p_value <= level:
        kind = VerdictKind.DIFFERENT
    elif smallest_detectable is not None and smallest_detectable >= 1:
        kind = VerdictKind.TOO_FEW_IMAGES
    else:
        kind = VerdictKind.NO_DIFFERENCE
    return Verdict(kind, p_value, len(p_values), level, smallest_detectable)
