"""The settings of verification."""

from __future__ import annotations

from dataclasses import dataclass

from latentdiff.errors import LatentDiffError


@dataclass(frozen=True)
class VerifySettings:
    """How hypotheses are verified.

    Attributes:
        enabled: whether to hold images back at all.
        share: of the images, held back for verification.
        level: q at or below which a hypothesis is confirmed.
        seed: seed of the split.
    """

    enabled: bool = True
    share: float = 0.5
    level: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            LatentDiffError: a number out of its range.
        """
        for key in ("share", "level"):
            if not 0 < getattr(self, key) < 1:
                raise LatentDiffError(f"verify.{key} must lie between 0 and 1; it is {getattr(self, key)}")
