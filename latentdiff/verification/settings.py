"""The settings of verification."""

from __future__ import annotations

from dataclasses import dataclass

from latentdiff.errors import LatentDiffError


@dataclass(frozen=True)
class VerifySettings:
    """How hypotheses are verified.

    Attributes:
        enabled: whether to hold images back, test texts on them, and part leads from what travels with them.
        share: of the images, held back from who writes texts with a look at the sides.
        per_side: texts of each proposer and side that are tested: what is tested is corrected for its number.
        random_words: drawn from the vocabulary and tested alike, to see how often a word passes that means nothing.
        seed: of the split and of the random words.
    """

    enabled: bool = True
    share: float = 0.5
    per_side: int = 3
    random_words: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            LatentDiffError: a number out of its range.
        """
        if not 0 < self.share < 1:
            raise LatentDiffError(f"verify.share must lie between 0 and 1; it is {self.share}")
        for key, least in (("per_side", 1), ("random_words", 0)):
            if getattr(self, key) < least:
                raise LatentDiffError(f"verify.{key} must be at least {least}; it is {getattr(self, key)}")
