"""Names of things from WordNet, to stand beside the common words: water jug, dugong, maypole (docs/methods.md, 2).

The names are those of what photographs can show: WordNet's physical entities without some branches, and without proper
and Latin names. Where there is room for a part of them, the names of most use come first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from latentdiff.naming.fold import fold
from latentdiff.naming.unwanted import profane, unwanted
from latentdiff.naming.wordnet import THING, WordNet, read_wordnet

LONGEST = 3  # words of a name
PLACE = "n00027167"  # "location"
LEFT_OUT = (
    "n00007846",  # person: what people are called judges them more than it says what is seen (Yang et al. 2020)
    "n00029677",  # process, phenomenon
    "n05220461",  # body part: nearly all of it is anatomy; arm, beak and mane are common words
    "n03247620",  # drug
    "n14818238",  # chemical compound
)
# powers of ten that a name counts as rarer
FURTHER_WORD = 1.0  # for each word after its first: wordfreq gives a phrase nearly the frequency of its rarest word
MISLEADING = 2.0  # where nothing above its thing is called by its last word: a lamp shell is no shell
FURTHER_NAME = 2.0  # for each better name that its thing has
_SPELLING = re.compile(r"(?:[A-Z][a-z]|[a-z])[a-z']*(?:[ -](?:[A-Z][a-z]|[a-z])[a-z']*)*(?<!'s)")


class _Name(NamedTuple):
    """A name, as the name of one thing."""

    key: str  # folded
    text: str
    use: float  # how usual it is: a power of ten, as Zipf frequencies are


@lru_cache(maxsize=4)  # a benchmark asks for them pair after pair
def thing_names(count: int, known: frozenset[str]) -> tuple[str, ...]:
    """Names of things, those of most use first: usual names, and such of things that have no better one.

    Args:
        count: how many at most.
        known: names that there are already, folded. They are not among the new ones, and a thing that has one of them
            needs another less.

    Returns:
        The names as WordNet spells them, no two of them with one folded form.
    """
    worth: dict[str, float] = {}
    for names in _things() if count else ():
        fresh = [name for name in names if name.key not in known]
        for better, name in enumerate(fresh, start=len(fresh) < len(names)):
            worth[name.text] = max(name.use - FURTHER_NAME * better, worth.get(name.text, -float("inf")))
    return tuple(sorted(worth, key=lambda text: (-worth[text], text))[:count])


@cache
def _things() -> tuple[tuple[_Name, ...], ...]:
    """The names of each thing, its most usual first; of a name in several spellings the first one counts."""
    nouns = read_wordnet()

    @cache
    def kinds(wnid: str) -> set[str]:
        return {fold(word) for lemma in nouns[wnid].lemmas for word in (lemma, _words(lemma)[-1])}

    texts: dict[str, str] = {}
    things = []
    for wnid, lemmas in _names_of_things(nouns):
        above = {key for one in _reached(wnid, nouns.above) - {wnid} for key in kinds(one)}
        keys = {fold(lemma): lemma for lemma in reversed(lemmas)}
        names = [_Name(key, text := texts.setdefault(key, keys[key]), _use(text, above)) for key in keys]
        things.append(tuple(sorted(names, key=lambda name: (-name.use, name.text))))
    return tuple(things)


def _use(name: str, above: Container[str]) -> float:
    from wordfreq import zipf_frequency

    *before, last = _words(name)
    misleads = bool(before) and fold(last) not in above
    return zipf_frequency(name, "en") - FURTHER_WORD * len(before) - MISLEADING * misleads


def _names_of_things(nouns: WordNet) -> Iterator[tuple[str, list[str]]]:
    """The id of each thing that has a name, and its names."""
    shown, places = sorted(_reached(THING, nouns.below, LEFT_OUT)), _reached(PLACE, nouns.below)
    heads = {lemma for wnid in shown for lemma in nouns[wnid].lemmas if lemma.islower()}
    genera = {lemma[6:] for noun in nouns.nouns.values() for lemma in noun.lemmas if lemma.startswith("genus ")}

    def is_common(lemma: str, wnid: str) -> bool:
        """As Persian cat; not Paris, nor Felis catus, which is Latin, nor French capital, which is Paris again."""
        words = _words(lemma)
        return words[-1] in heads and words[0] not in genera and wnid not in places

    for wnid in shown:
        names = [one for one in nouns[wnid].lemmas if _is_name(one) and (one.islower() or is_common(one, wnid))]
        if names:
            yield wnid, names


def _reached(start: str, step: Callable[[str], Iterable[str]], left_out: Container[str] = ()) -> set[str]:
    """A noun and all that steps lead to from it, but what only nouns that are left out lead to."""
    found: set[str] = set()
    todo = [start]
    while todo:
        wnid = todo.pop()
        if wnid not in found and wnid not in left_out:
            found.add(wnid)
            todo += step(wnid)
    return found


def _is_name(lemma: str) -> bool:
    words = _words(lemma.lower())
    return (
        _SPELLING.fullmatch(lemma) is not None
        and lemma.count(" ") < LONGEST
        and not any(map(profane, words))
        and not (len(words) == 1 and unwanted(lemma))
    )


def _words(lemma: str) -> list[str]:
    return re.split("[ -]", lemma)
