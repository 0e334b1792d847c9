"""The one error for what a user can mend."""

from __future__ import annotations


class LatentDiffError(Exception):
    """Bad input, in one line: what was wrong, what was found, what to do.

    The command line prints it and exits with status 2; any other exception is a bug and keeps its traceback.

    Args:
        faults: one, or all that were found; who puts them together with others finds them in `faults`, each whole.
        where: they were found; the line says it once, before them.
    """

    def __init__(self, *faults: str, where: str = "") -> None:
        place = f"{where}: " if where else ""
        self.faults = tuple(dict.fromkeys(place + fault for fault in faults))
        super().__init__(place + "; ".join(dict.fromkeys(faults)))
