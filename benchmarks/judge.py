"""Does a prediction name the planted class? Its own names, a synonym, or one WordNet step up or down count.

The nouns come from WordNet 3.0, cut down by `make_wordnet.py`; the licence is the file's first line.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from latentdiff.naming.vocabulary import fold

NOUNS = Path(__file__).parent / "wordnet_nouns.tsv.gz"


class Accepted(NamedTuple):
    """Words that name a class, folded (case, spaces, hyphens and plurals do not matter)."""

    own: frozenset[str]  # the class's names and synonyms
    one_step: frozenset[str]  # names of its direct hypernyms and hyponyms


class Noun(NamedTuple):
    """One meaning: its names, and the ids of the meanings directly above it."""

    lemmas: tuple[str, ...]
    hypernyms: tuple[str, ...]


@cache
def accepted_words(wnid: str) -> Accepted:
    """The words that count as naming the class `wnid` ("n02084071").

    Raises:
        KeyError: the class is not in the reduced WordNet; rebuild it with `make_wordnet.py`.
    """
    nouns = read_nouns()
    above = [nouns[id] for id in nouns[wnid].hypernyms if id in nouns]
    below = [noun for noun in nouns.values() if wnid in noun.hypernyms]
    one_step = frozenset(fold(lemma) for noun in above + below for lemma in noun.lemmas)
    own = frozenset(fold(lemma) for lemma in nouns[wnid].lemmas)
    return Accepted(own, one_step)


def hit(words: Iterable[str], accepted: Accepted) -> bool:
    """Whether any of the words names the class."""
    return any(fold(word) in accepted.own or fold(word) in accepted.one_step for word in words)


def nameable(wnid: str, vocabulary: Iterable[str]) -> bool:
    """Whether the vocabulary holds a name of the class itself; one step up or down does not count here."""
    own = accepted_words(wnid).own
    return any(fold(word) in own for word in vocabulary)


@cache
def read_nouns() -> dict[str, Noun]:
    """The reduced WordNet by id."""
    with gzip.open(NOUNS, "rt", encoding="utf-8") as handle:
        rows = [line.rstrip("\n").split("\t") for line in handle if not line.startswith("#")]
    return {id: Noun(tuple(lemmas.split("|")), tuple(filter(None, above.split("|")))) for id, lemmas, above in rows}
