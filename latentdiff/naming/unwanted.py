"""Words that nothing is to be called by: stop words, profanity, given names (lists in `data/`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_DATA = Path(__file__).parent / "data"


def unwanted(word: str) -> bool:
    """Whether a word by itself is no name: it says nothing, is obscene, or is a given name and hardly anything else."""
    return any(_listed(word, name) for name in ("stop_words", "profanity", "given_names"))


def profane(word: str) -> bool:
    """Whether a word is obscene, a slur or a sexual term, wherever it stands."""
    return _listed(word, "profanity")


def _listed(word: str, name: str) -> bool:
    words, beginnings = _entries(name)
    return word in words or word.startswith(beginnings)


@cache
def _entries(name: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """The words of a list, and the beginnings ("abc*") that it has with any ending."""
    lines = (_DATA / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    entries = [entry for line in lines if not line.startswith("#") for entry in line.split()]
    return frozenset(entries), tuple(entry[:-1] for entry in entries if entry.endswith("*"))
