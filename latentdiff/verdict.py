"""The verdict: whether two groups of images differ at all, as a value. Only the report and the terminal word it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


LABEL_BLIND_SHARE = 0.9  # of the level, where there are others: what is tested on all images sees most


@dataclass(frozen=True)
class Shares:
    """The level of the verdict, shared out between the tests that could say that the groups differ.

    Attributes:
        level: of the verdict.
        of: by proposer, its share of the level, all together 1.
        halved: proposers that have two tests, of their own and of their texts, with half of the share each.
    """

    level: float
    of: Mapping[str, float]
    halved: frozenset[str] = frozenset()

    @classmethod
    def between(cls, level: float, label_blind: Sequence[str], others: Sequence[str]) -> Shares:
        """Nine tenths for what is label-blind, in equal parts, the rest for all others, in equal parts.

        >>> Shares.between(0.05, ["sae_latents"], ["density_ratio"]).of
        {'sae_latents': 0.9, 'density_ratio': 0.09999999999999998}
        """
        blind = LABEL_BLIND_SHARE if label_blind and others else float(bool(label_blind))
        shares = dict.fromkeys(label_blind, blind / max(len(label_blind), 1))
        shares |= dict.fromkeys(others, (1 - blind) / max(len(others), 1))
        return cls(level, shares)

    def share(self, proposer: str) -> float:
        """What one test of a proposer has."""
        return self.of[proposer] / (2 if proposer in self.halved else 1)

    def level_of(self, proposer: str) -> float:
        """The level of one test of a proposer."""
        return self.level * self.share(proposer)


def decide(tests: Sequence[tuple[float, float]], level: float, smallest_detectable: float | None) -> Verdict:
    """The verdict of several tests of "no difference at all", each at its share of the level (weighted Bonferroni).

    Args:
        tests: (p value, share of the level) of each.
        level: of the verdict.
        smallest_detectable: see `Verdict`.

    >>> decide([(0.01, 0.5), (0.4, 0.5)], 0.05, 0.02).p_value
    0.02
    """
    p_value = min([1.0, *(p / share for p, share in tests)])
    if not tests:
        kind = VerdictKind.NOT_TESTED
    elif p_value <= level:
        kind = VerdictKind.DIFFERENT
    elif smallest_detectable is not None and smallest_detectable >= 1:
        kind = VerdictKind.TOO_FEW_IMAGES
    else:
        kind = VerdictKind.NO_DIFFERENCE
    return Verdict(kind, p_value, len(tests), level, smallest_detectable)
