"""Looking a name up in a registry; a miss lists the valid names."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

from sae_training.errors import SaeError

Entry = TypeVar("Entry")


def choose(kind: str, name: str, options: Mapping[str, Entry], error: type[Exception] = SaeError) -> Entry:
    """The entry `name` of a registry.

    Args:
        kind: what is being chosen, as the user would say it ("sparsity variant").
        name: the name that was given.
        options: the registry.
        error: raised on a miss.

    Raises:
        SaeError: no such name (or the given `error`); says the nearest one and lists all.
    """
    if name in options:
        return options[name]
    near = difflib.get_close_matches(str(name), options, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise error(f"unknown {kind} '{name}'{hint} (valid: {', '.join(sorted(options))})")
