"""The one error for what a user can mend."""

from __future__ import annotations


class SaeError(Exception):
    """Bad input, in one line: what was wrong, what was found, what to do."""
