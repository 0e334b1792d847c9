"""Looking a name up in a registry; a miss lists the valid names."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

from sae_training.errors import SaeError

T = TypeVar("T")


def choose(kind: str, name: str, options: Mapping[str, T]) -> T:
    """The entry `name` of a registry.

    Args:
        kind: what is being chosen, as the user would say it ("sparsity variant").
        name: the name that was given.
        options: the registry.

    Raises:
        SaeError: no such name; says the nearest one and lists all.
    """
    if name in options:
        return options[name]
    near = difflib.get_close_matches(str(name), options, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise SaeError(f"unknown {kind} '{name}'{hint} (valid: {', '.join(sorted(options))})")
