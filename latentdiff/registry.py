"""Looking a name up in a registry; a miss lists the valid names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from latentdiff.errors import LatentDiffError
from sae_training import registry

T = TypeVar("T")


def choose(kind: str, name: str, options: Mapping[str, T]) -> T:
    """The entry `name` of a registry.

    Args:
        kind: what is being chosen, as the user would say it ("captioner").
        name: the name that was given.
        options: the registry.

    Raises:
        LatentDiffError: no such name; says the nearest one and lists all.
    """
    return registry.choose(kind, name, options, LatentDiffError)
