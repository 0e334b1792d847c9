"""The one error for what a user can mend."""

from __future__ import annotations


class SaeError(Exception):
    """Bad input, in one line: what was wrong, what was found, what to do.

    Args:
        faults: one, or all that were found; kept apart in the attribute `faults`.
    """

    def __init__(self, *faults: str) -> None:
        self.faults = tuple(dict.fromkeys(faults))
        super().__init__("; ".join(self.faults))
