"""How well an answer says what was planted: hits, rank of the first hit, similarity of sentences (docs/methods.md, 8).

A hit is exact, by a synonym, or one step of WordNet away (`catalogue.Level`). It is looked for in the first
finding, in the first five, and at an equal number of words: 5 and 25, the first word of every finding before the second
of any, so that a method with many words a finding gains nothing by them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import Any, NamedTuple

from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import Side
from latentdiff.naming.fold import fold
from latentdiff.naming.wordnet import read_wordnet
from latentdiff.noisydiff.methods.predictions import LEADS, TOP, Prediction, claims_of
from latentdiff.noisydiff.pairs.pair import Pair, Truth
from latentdiff.noisydiff.scoring.catalogue import (
    CONFIRMED,
    CUTS,
    DIFFERENT,
    HITS,
    JOINED,
    LEVELS,
    RANKS,
    SIMILARITY,
    Level,
)
from latentdiff.noisydiff.scoring.similarity import SentenceSpace

Findings = Sequence[Sequence[str]]  # of one side, best first; a finding is its words, best first

SENTENCE = 4  # words from which an entry is read as a sentence, in which a name may stand anywhere


class Accepted(NamedTuple):
    """Words that name a truth, folded (`latentdiff.naming.fold`)."""

    exact: frozenset[str]
    synonyms: frozenset[str]
    one_step: frozenset[str]  # names of its direct hypernyms and hyponyms


Judge = Callable[[Truth], Accepted]


@dataclass(frozen=True)
class SideScore:
    """How well one method named what was planted on one side of one pair."""

    method: str
    pair: str  # Pair.id
    parent: str
    side: Side
    truth: str
    scarcity: float
    planted: int  # images of the side that show the truth
    images: int  # of the side
    values: Mapping[str, float]  # by name of MEASURES: hits and verdict 0 or 1, reciprocal ranks, cosines
    ranks: Mapping[Level, int | None]  # level -> the first finding that hits, from 1


def by_names(truth: Truth) -> Accepted:
    """The judge that knows no WordNet: the truth's own names."""
    return Accepted(frozenset(fold(name) for name in (truth.phrase, *truth.names)), frozenset(), frozenset())


def by_wordnet(truth: Truth) -> Accepted:
    """The judge of exact, synonym and one-step hits; a truth that is no noun of WordNet has its own names alone."""
    accepted = by_names(truth)
    if truth.wnid is None:
        return accepted
    names = read_wordnet().names(truth.wnid)
    return Accepted(accepted.exact, names.own, names.one_step)


def score(
    pairs: Sequence[Pair], predictions: Sequence[Prediction], judge: Judge, space: SentenceSpace | None = None
) -> list[SideScore]:
    """The scores of every prediction on every side that has a truth; a side about which nothing is said scores 0.

    Args:
        pairs: the benchmark; A = A pairs have no truth and no score (see `claims.false_alarms`).
        predictions: of any methods, at most one for each method and pair.
        judge: which words name a truth.
        space: where similarity is measured; None: it is not.

    Raises:
        LatentDiffError: a prediction is of no pair, or a method has two for one pair.
    """
    by_id = {pair.id: pair for pair in pairs}
    check_predictions(by_id, predictions)
    accepted = {(pair.id, side): judge(truth) for pair in pairs for side, truth in pair.truth.items()}
    if space is not None:
        space.prepare(_texts(by_id, predictions))
    return [
        _score_side(by_id[prediction.pair], side, prediction, accepted[prediction.pair, side], space)
        for prediction in predictions
        for side in by_id[prediction.pair].truth
    ]


def check_predictions(pairs: Mapping[str, Any], predictions: Sequence[Prediction]) -> None:
    """Every prediction must be of a known pair, and the only one of its method.

    Raises:
        LatentDiffError: one is not.
    """
    seen = set()
    for prediction in predictions:
        if prediction.pair not in pairs:
            raise LatentDiffError(
                f"'{prediction.method}' answered pair '{prediction.pair}', which is not among the "
                f"{len(pairs)} pairs; score it with the file of pairs that it was run on"
            )
        if (prediction.method, prediction.pair) in seen:
            raise LatentDiffError(f"'{prediction.method}' has two answers to pair '{prediction.pair}'; keep one")
        seen.add((prediction.method, prediction.pair))


def level_of(entry: str, accepted: Accepted) -> Level | None:
    """How well an entry names the truth: the first of LEVELS that it reaches, None where it reaches none.

    A word or short phrase counts as a whole ("hot dog" is no dog); in an entry of four words or more, such as a
    caption's sentence, any run of words counts.
    """
    keys = _keys(entry)
    return next((level for level, words in zip(LEVELS, accepted, strict=True) if not keys.isdisjoint(words)), None)


def names_it(entry: str, accepted: Accepted) -> bool:
    """Whether an entry names the truth exactly or by a synonym."""
    return level_of(entry, accepted) in (Level.EXACT, Level.SYNONYM)


def first_hits(findings: Findings, accepted: Accepted) -> dict[Level, int | None]:
    """For each level the rank of the first finding that hits, from 1; None where none does."""
    reached = [[level_of(entry, accepted) for entry in finding] for finding in findings]
    return {
        level: next((rank for rank, found in enumerate(reached, 1) if not set(found).isdisjoint(LEVELS[: i + 1])), None)
        for i, level in enumerate(LEVELS)
    }


def entries_within(findings: Findings, cut: str) -> list[str]:
    """The entries that a cut (of CUTS) looks at: those of the first findings, or as many as have that many words.

    A word or phrase of the vocabulary counts as one word, a sentence as its words; one that does not fit is cut off.
    """
    unit, amount = CUTS[cut]
    if unit == "findings":
        return [entry for finding in findings[:amount] for entry in finding]
    taken, left = [], amount
    for entry in _breadth_first(findings):
        words = entry.split()
        if len(words) < SENTENCE:
            taken.append(entry)
            left -= 1
        else:
            taken.append(" ".join(words[:left]))
            left -= min(left, len(words))
        if left <= 0:
            break
    return taken


def joined(finding: Sequence[str]) -> str:
    """The first five words of a finding as one phrase."""
    return ", ".join(finding[:5])


def _score_side(
    pair: Pair, side: Side, prediction: Prediction, accepted: Accepted, space: SentenceSpace | None
) -> SideScore:
    findings = prediction.findings.get(side, ())
    truth = pair.truth[side]
    reached = {cut: {level_of(entry, accepted) for entry in entries_within(findings, cut)} for cut in CUTS}
    values = {
        HITS[level, cut].name: float(not reached[cut].isdisjoint(LEVELS[: i + 1]))
        for i, level in enumerate(LEVELS)
        for cut in CUTS
    }
    ranks = first_hits(findings, accepted)
    for level, rank in ranks.items():
        values[RANKS[level].name] = 1 / rank if rank else 0.0
    leads = [claim for claim in claims_of(prediction) if claim.side == side and claim.role in LEADS]
    values[DIFFERENT.name] = float(not prediction.abstained)
    values[CONFIRMED.name] = float(any(names_it(word, accepted) for lead in leads for word in lead.words[:1]))
    if space is not None:
        for cut, measure in SIMILARITY.items():
            values[measure.name] = _nearest(space, truth.phrase, entries_within(findings, cut))
        for cut, measure in JOINED.items():
            phrases = [joined(finding) for finding in findings[: CUTS[cut].amount]]
            values[measure.name] = _nearest(space, truth.phrase, phrases)
    images = len(pair.a if side == "a" else pair.b)
    return SideScore(
        prediction.method, pair.id, pair.parent, side, truth.phrase, pair.scarcity,
        pair.planted.get(side, round(pair.scarcity * images)), images, values, ranks,
    )  # fmt: skip


def _nearest(space: SentenceSpace, truth: str, phrases: Sequence[str]) -> float:
    said = [phrase for phrase in phrases if phrase.strip()]
    return float(space.cosines(truth, said).max()) if said else 0.0


def _texts(pairs: Mapping[str, Pair], predictions: Sequence[Prediction]) -> Iterator[str]:
    """Everything whose vector will be asked for, but the few sentences that a cut shortens."""
    for prediction in predictions:
        for side, truth in pairs[prediction.pair].truth.items():
            yield truth.phrase
            findings = prediction.findings.get(side, ())
            for finding in findings[:TOP]:
                yield from (*finding, joined(finding))
            yield from entries_within(findings, "25 words")


def _breadth_first(findings: Findings) -> Iterator[str]:
    for column in zip_longest(*findings):
        yield from (entry for entry in column if entry is not None)


@lru_cache(maxsize=100_000)
def _keys(entry: str) -> frozenset[str]:
    """The folded entry; of a sentence, every run of at most three words."""
    if len(entry.split()) < SENTENCE:
        return frozenset({fold(entry)}) - {""}
    words = re.findall(r"[^\W_]+", entry)
    runs = (words[start : start + length] for length in (1, 2, 3) for start in range(len(words) - length + 1))
    return frozenset(fold(" ".join(run)) for run in runs) | {fold(entry)}
