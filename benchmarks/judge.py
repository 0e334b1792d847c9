"""Does a prediction name the planted class? Its own names, a synonym, or one WordNet step up or down count."""

from __future__ import annotations

from collections.abc import Iterable

from latentdiff.naming.fold import fold
from latentdiff.naming.wordnet import Names, read_wordnet


def accepted_words(wnid: str) -> Names:
    """The words that count as naming the class `wnid` ("n02084071").

    Raises:
        LatentDiffError: the class is not among WordNet's nouns.
    """
    return read_wordnet().names(wnid)


def hit(words: Iterable[str], accepted: Names) -> bool:
    """Whether any of the words names the class."""
    return any(fold(word) in accepted.own or fold(word) in accepted.one_step for word in words)


def nameable(wnid: str, vocabulary: Iterable[str]) -> bool:
    """Whether the vocabulary holds a name of the class itself; one step up or down does not count here."""
    own = accepted_words(wnid).own
    return any(fold(word) in own for word in vocabulary)
