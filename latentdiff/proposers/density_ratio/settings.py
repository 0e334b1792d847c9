"""The settings of the density ratio."""

from __future__ import annotations

from dataclasses import dataclass

from latentdiff.errors import LatentDiffError
from latentdiff.registry import choose

CLASSIFIER_KINDS = ("linear", "hidden")  # their modules need torch: classifiers.py


@dataclass(frozen=True)
class DensitySettings:
    """How the density ratio is estimated, tested and shown.

    Attributes:
        head: kind of classifier: "linear", or "hidden" (one hidden layer).
        folds: parts for cross-fitting; every image is scored by a classifier that never saw its part.
        weight_decays: penalties to choose among, for embeddings of mean squared length d.
        iterations: most steps of L-BFGS.
        top: share of a side's images in a fold that the test looks at, at that side's end of the scores.
        level: p at or below which the sets count as different.
        retrieve: images to show per side.
        seed: seed of the folds (and of the hidden layer).
        device: where the classifiers are trained.
    """

    head: str = "linear"
    folds: int = 5
    weight_decays: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
    iterations: int = 60
    top: float = 0.05
    level: float = 0.05
    retrieve: int = 10
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            LatentDiffError: an unknown head, or a number out of its range.
        """
        choose("density.head", self.head, dict.fromkeys(CLASSIFIER_KINDS))
        for key, least in (("folds", 3), ("iterations", 1), ("retrieve", 1)):
            if getattr(self, key) < least:
                raise LatentDiffError(f"density.{key} must be at least {least}; it is {getattr(self, key)}")
        for key, most in (("top", 0.5), ("level", 1.0)):
            if not 0 < getattr(self, key) < most:
                raise LatentDiffError(f"density.{key} must lie between 0 and {most}; it is {getattr(self, key)}")
        if not self.weight_decays or min(self.weight_decays) <= 0:
            raise LatentDiffError(
                f"density.weight_decays must be positive numbers; they are {list(self.weight_decays)}"
            )
