"""The measures of a side: hits at each level and cut, reciprocal ranks, similarities of sentences (docs/methods.md, 8).

A new cut is an entry of `CUTS`; its measures, columns and words follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from latentdiff.noisydiff.methods.predictions import TOP


class Level(StrEnum):
    """How a word names the truth, the strictest first; each level counts the ones before it too."""

    EXACT = "exact"
    SYNONYM = "synonym"
    ONE_STEP = "one step"


class Cut(NamedTuple):
    """How much of what is said of a side is looked at, best first."""

    unit: Literal["findings", "words"]
    amount: int

    @property
    def words(self) -> str:
        """As people say it: "the top 5", "25 words"."""
        return f"the top {self.amount}" if self.unit == "findings" else f"{self.amount} words"


@dataclass(frozen=True)
class Measure:
    """One number of a side."""

    name: str  # of columns and in files
    words: str  # as people say it
    form: Literal["percent", "unit"]


LEVELS = tuple(Level)
CUTS: Mapping[str, Cut] = {
    "top 1": Cut("findings", 1),
    "top 5": Cut("findings", TOP),
    "5 words": Cut("words", 5),
    "25 words": Cut("words", 25),
}
HIT_WORDS = {
    Level.EXACT: "exact hits",
    Level.SYNONYM: "exact or synonym hits",
    Level.ONE_STEP: "hits within one WordNet step",
}

HITS = {
    (level, name): Measure(f"{level}, {name}", f"{HIT_WORDS[level]} in {cut.words}", "percent")
    for level in LEVELS
    for name, cut in CUTS.items()
}
RANKS = {
    level: Measure(f"reciprocal rank, {level}", f"reciprocal rank of {level}", "unit") for level in LEVELS
}  # of the first finding that hits
SIMILARITY = {
    name: Measure(f"similarity, {name}", f"similarity in {cut.words}", "unit") for name, cut in CUTS.items()
}  # of single words
JOINED = {
    name: Measure(f"joined, {name}", f"joined in {cut.words}", "unit")
    for name, cut in CUTS.items()
    if cut.unit == "findings"
}  # of the words of a finding as one phrase
DIFFERENT = Measure("different", "pairs that are called different", "percent")
CONFIRMED = Measure("confirmed truth", "sides with a lead whose first word is the truth or its synonym", "percent")
MEASURES = {
    one.name: one
    for one in (*HITS.values(), *RANKS.values(), DIFFERENT, CONFIRMED, *SIMILARITY.values(), *JOINED.values())
}
SIMILARITIES = tuple(one.name for one in (*SIMILARITY.values(), *JOINED.values()))

INTERVALS = "95 % intervals by bootstrap over pairs."

MAIN = HITS[Level.SYNONYM, "25 words"].name  # what methods are compared by: hits at an equal number of words
NEAR = SIMILARITY["top 5"].name  # the paper's
NEAR_JOINED = JOINED["top 5"].name


def in_words(measure: str) -> str:
    """A measure as people say it: "exact or synonym hits in 5 words"; an unknown one by its name."""
    return MEASURES[measure].words if measure in MEASURES else measure


def form_of(measure: str) -> Literal["percent", "unit"]:
    """How its numbers are written; an unknown one as a share."""
    return MEASURES[measure].form if measure in MEASURES else "percent"
