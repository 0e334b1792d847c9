"""WordNet's nouns: names of a class, what lies one step above and below it, and groups of classes at a depth.

The table comes from WordNet 3.0; its licence lies beside it (data/WORDNET_LICENSE.txt). Words are compared folded
(`latentdiff.naming.fold`): case, spaces, hyphens and plurals do not matter.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

from latentdiff.errors import LatentDiffError
from latentdiff.naming.fold import fold

_DATA = Path(__file__).parent / "data"
NOUNS = _DATA / "wordnet_nouns.tsv.gz"
THING = "n00001930"  # "physical entity"


class Noun(NamedTuple):
    """One meaning: its names, and the ids of the meanings directly above it."""

    lemmas: tuple[str, ...]
    hypernyms: tuple[str, ...]


class Names(NamedTuple):
    """Words that name a noun, folded."""

    own: frozenset[str]  # its names: all of them are synonyms
    one_step: frozenset[str]  # names of its direct hypernyms and hyponyms


@cache
def read_wordnet(file: Path = NOUNS) -> WordNet:
    """The nouns of a table: id, lemmas (`a|b`) and hypernym ids (`a|b`) in each line; lines with # are comments.

    Raises:
        LatentDiffError: the file cannot be read, or a line is no noun.
    """
    try:
        with gzip.open(file, "rt", encoding="utf-8") as handle:
            lines = handle.read().splitlines()
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise LatentDiffError(f"cannot read the nouns in {file}: {error}; give a gzipped table of nouns") from error
    nouns = {}
    for number, line in enumerate(lines, 1):
        if line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != 3 or not all(cells[:2]):
            raise LatentDiffError(f"{file}, line {number} is '{line[:40]}'; a noun is id, lemmas, hypernyms, with tabs")
        nouns[cells[0]] = Noun(tuple(cells[1].split("|")), tuple(filter(None, cells[2].split("|"))))
    try:
        TopologicalSorter({wnid: noun.hypernyms for wnid, noun in nouns.items()}).prepare()
    except CycleError as error:
        raise LatentDiffError(f"{file}: {' -> '.join(error.args[1])} is a circle; no noun is above itself") from error
    return WordNet(nouns)


@dataclass(frozen=True, eq=False)
class WordNet:
    """Nouns by id ("n02084071", as ImageNet writes it), and the ways between them.

    Every method raises a LatentDiffError where an id is not among the nouns.
    """

    nouns: Mapping[str, Noun]

    def __getitem__(self, wnid: str) -> Noun:
        if wnid not in self.nouns:
            raise LatentDiffError(f"'{wnid}' is not among the {len(self.nouns):,} nouns; give an id such as n02084071")
        return self.nouns[wnid]

    def above(self, wnid: str) -> tuple[str, ...]:
        """The direct hypernyms that are in the table."""
        return tuple(above for above in self[wnid].hypernyms if above in self.nouns)

    def below(self, wnid: str) -> tuple[str, ...]:
        """The direct hyponyms, by id."""
        self[wnid]
        return self._below.get(wnid, ())

    def names(self, wnid: str) -> Names:
        """The words that name a noun, and those one step away."""
        near = (*self.above(wnid), *self.below(wnid))
        return Names(_folded(self[wnid].lemmas), _folded(lemma for one in near for lemma in self[one].lemmas))

    def path(self, wnid: str) -> tuple[str, ...]:
        """The shortest way down to a noun from a root, both included; of equal ones that of the smallest ids."""
        paths: dict[str, tuple[str, ...]] = {wnid: (wnid,)}  # one way from each noun that was reached, all equally long
        while all(self.above(top) for top in paths):
            longer = [(above, *way) for top, way in paths.items() for above in self.above(top)]
            paths = {way[0]: way for way in sorted(longer, reverse=True)}  # the smallest comes last and stays
        return min(way for top, way in paths.items() if not self.above(top))

    def depth(self, wnid: str) -> int:
        """Steps from a root, on the shortest way; a root ("entity") has depth 0."""
        return len(self.path(wnid)) - 1

    def group(self, wnid: str, depth: int) -> str:
        """The noun at this depth on the way down to a noun; the noun itself, where it does not lie as deep."""
        if depth < 0:
            raise LatentDiffError(f"the depth of groups is {depth}; use 0 or more")
        path = self.path(wnid)
        return path[min(depth, len(path) - 1)]

    def meanings(self, phrase: str) -> tuple[str, ...]:
        """The nouns that a phrase may mean, by id; none where it is unknown."""
        return self._meanings.get(fold(phrase), ())

    def meant(self, phrase: str) -> str | None:
        """The noun that annotators mean by a phrase: of a short list, or its only meaning, or the only one that is
        a thing; None where that leaves none or several."""
        listed = _listed()
        if fold(phrase) in listed:
            return listed[fold(phrase)] if listed[fold(phrase)] in self.nouns else None
        found = self.meanings(phrase)
        things = found if len(found) == 1 else [wnid for wnid in found if self._is_thing(wnid)]
        return things[0] if len(things) == 1 else None

    @cached_property
    def _below(self) -> dict[str, tuple[str, ...]]:
        return _inverted((above, wnid) for wnid in sorted(self.nouns) for above in self.nouns[wnid].hypernyms)

    @cached_property
    def _meanings(self) -> dict[str, tuple[str, ...]]:
        return _inverted((fold(lemma), wnid) for wnid in sorted(self.nouns) for lemma in self.nouns[wnid].lemmas)

    def _is_thing(self, wnid: str) -> bool:
        return wnid == THING or any(self._is_thing(above) for above in self.above(wnid))


@cache
def _listed() -> dict[str, str]:
    lines = (_DATA / "object_nouns.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return {fold(name): wnid for name, wnid in rows}


def _folded(words: Iterable[str]) -> frozenset[str]:
    return frozenset(map(fold, words))


def _inverted(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """The second of each pair by the first, each once, in the order they come."""
    found: dict[str, dict[str, None]] = {}
    for key, value in pairs:
        found.setdefault(key, {})[value] = None
    return {key: tuple(values) for key, values in found.items()}
