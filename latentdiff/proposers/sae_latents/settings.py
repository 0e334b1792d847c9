"""How latents are compared, ranked and shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from latentdiff.errors import LatentDiffError
from latentdiff.proposers.sae_latents.divergence import DIVERGENCES
from latentdiff.proposers.sae_latents.scores import SCORES
from latentdiff.registry import choose

PAPER: Mapping[str, Any] = MappingProxyType(
    {"divergence": "plain", "rank": "jsd", "hide_active": 0.1, "hide_ms": 0.5, "hide_name": 0.1}
)


@dataclass(frozen=True)
class ConceptSettings:
    """How latents are compared, ranked and shown.

    Attributes:
        rank: what ranks the findings: "gap", "jsd", "jsd_gap", "strongest" or "effect".
        divergence: "hurdle" (silence is a cell of its own) or "plain" (the paper's, over all values).
        permutations: of the sides, that say how sure the surest latent is by chance.
        per_side: findings kept on each side, ...
        significant_per_side: ... or as many as are significant, up to so many.
        hide_active: share of the tested latents to hide that fires most often (paper: 0.1).
        hide_ms: share to hide with the lowest monosemanticity (paper: 0.5).
        hide_name: share to hide whose latent's own best word fits worst.
        exemplars: images per finding that show it.
        near_misses: images per finding that barely show it.
    """

    rank: str = "jsd_gap"
    divergence: str = "hurdle"
    permutations: int = 400
    per_side: int = 10
    significant_per_side: int = 100
    hide_active: float = 0.0
    hide_ms: float = 0.0
    hide_name: float = 0.0
    exemplars: int = 6
    near_misses: int = 2

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            LatentDiffError: an unknown name, or a number out of its range.
        """
        choose("concepts.rank", self.rank, SCORES)
        choose("concepts.divergence", self.divergence, DIVERGENCES)
        for key in ("hide_active", "hide_ms", "hide_name"):
            if not 0 <= getattr(self, key) < 1:
                raise LatentDiffError(f"concepts.{key} is a share from 0 to below 1; it is {getattr(self, key)}")
        for key, least in (("per_side", 1), ("significant_per_side", 1), ("permutations", 0), ("exemplars", 0)):
            if getattr(self, key) < least:
                raise LatentDiffError(f"concepts.{key} must be at least {least}; it is {getattr(self, key)}")
        if self.near_misses < 0:
            raise LatentDiffError(f"concepts.near_misses must be at least 0; it is {self.near_misses}")
