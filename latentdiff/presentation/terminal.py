"""What every table on a terminal needs: text that it can print, and from which width everything fits on a line."""

from __future__ import annotations

from rich.text import Text

from latentdiff.presentation.numbers import visible

ROOMY = 96  # columns from which everything fits on one line
_ASCII = str.maketrans({"\u202f": " ", "\u00a0": " ", "−": "-", "–": "-", "×": "x"})


def plain(text: str) -> Text:
    """Numbers of our own in what every terminal can print."""
    return Text(text.translate(_ASCII))


def foreign(text: str, encoding: str) -> str:
    """Text that may hold anything, without control codes and in what a terminal of that encoding can print."""
    return visible(text).translate(_ASCII).encode(encoding, "replace").decode(encoding)
