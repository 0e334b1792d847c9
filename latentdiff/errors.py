"""The one error for what a user can mend."""

from __future__ import annotations


class LatentDiffError(Exception):
    """Bad input, in one line: what was wrong, what was found, what to do.

    The command line prints it and exits with status 2; any other exception is a bug and keeps its traceback.
    """
