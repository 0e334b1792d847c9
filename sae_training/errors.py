"""The one error for what a user can mend."""

from __future__ import annotations


class SaeError(Exception):
    """Bad input, in one line: what was wrong, what was found, what to do.

    Args:
        faults: one, or all that were found; who puts them together with others finds them in `faults`.
        where: they were found, said once before them.
    """

    def __init__(self, *faults: str, where: str = "") -> None:
        self.faults, self.where = tuple(dict.fromkeys(faults)), where
        super().__init__((f"{where}: " if where else "") + "; ".join(self.faults))
