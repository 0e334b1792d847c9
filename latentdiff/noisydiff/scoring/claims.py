"""What a method claims beside hits: whether what it confirms is true, what it claims of null pairs, what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from latentdiff.hypotheses import SIDES, Interval
from latentdiff.noisydiff.methods.predictions import TOP, Prediction, claims_of
from latentdiff.noisydiff.pairs.pair import Pair
from latentdiff.noisydiff.scoring.aggregate import by_method
from latentdiff.noisydiff.scoring.measures import Judge, check_predictions, names_it
from latentdiff.statistics import wilson
from latentdiff.statistics.bootstrap import estimate, ratio
from latentdiff.statistics.estimates import Estimate


@dataclass(frozen=True)
class FalseAlarms:
    """How often a method claims a difference within a null pair, the halves of one set (A = A)."""

    method: str
    runs: int
    alarms: int  # runs with any claim (`claims_of`); of a method that claims nothing, with any finding
    share: float
    interval: Interval  # Wilson
    findings: Estimate  # proposed in a run, both sides together
    abstains: bool  # whether the method ever answers "no difference" or confirms what it says


@dataclass(frozen=True)
class Precision:
    """How often the confirmed among a method's first findings name what was planted on their side."""

    method: str
    confirmed: Estimate  # findings, a side
    first_word: Estimate  # share of them whose first word names the truth, exactly or by a synonym
    any_word: Estimate  # share of them of which any word does


@dataclass(frozen=True)
class Cost:
    """What a prediction costs."""

    method: str
    pairs: int
    seconds: Estimate  # a pair
    captioned: Estimate  # images that a captioner looked at, a pair
    abstained: float  # share of pairs answered with "no difference"


def false_alarms(pairs: Sequence[Pair], predictions: Sequence[Prediction]) -> list[FalseAlarms]:
    """What every method claims of the null pairs; an empty list where there are none.

    Raises:
        LatentDiffError: a prediction is of no pair, or a method has two for one pair.
    """
    check_predictions({pair.id: pair for pair in pairs}, predictions)
    null = {pair.id for pair in pairs if pair.is_null}
    result = []
    for method, own in by_method(p for p in predictions if p.pair in null).items():
        proposed = [sum(len(findings) for findings in one.findings.values()) for one in own]
        alarms = sum(map(_alarm, own))
        low, high = wilson(np.array([alarms]), len(own))
        interval = Interval(float(low[0]), float(high[0]))
        abstains = method in deciding(own)
        share = alarms / len(own)
        result.append(FalseAlarms(method, len(own), alarms, share, interval, estimate(proposed), abstains))
    return result


def deciding(predictions: Iterable[Prediction]) -> frozenset[str]:
    """The methods that ever answer "no difference", or claim a part of what they say."""
    return frozenset(one.method for one in predictions if one.confirmed or one.roles or one.abstained)


def precisions(pairs: Sequence[Pair], predictions: Sequence[Prediction], judge: Judge) -> list[Precision]:
    """How true confirmed findings are, of every method that confirms any; only sides with a truth are looked at.

    A lower bound: photographs that differ in one thing differ in what comes with it, too.

    Raises:
        LatentDiffError: a prediction is of no pair, or a method has two for one pair.
    """
    by_id = {pair.id: pair for pair in pairs}
    check_predictions(by_id, predictions)
    planted = [p for p in predictions if p.confirmed and by_id[p.pair].truth]
    result = []
    for method, own in by_method(planted).items():
        counts = np.array([_confirmed_and_true(by_id[one.pair], one, judge) for one in own], float)
        sides, confirmed, first_word, any_word = counts.T
        shares = (ratio(true, confirmed) for true in (first_word, any_word))
        result.append(Precision(method, ratio(confirmed, sides), *shares))
    return result


def costs(predictions: Sequence[Prediction]) -> list[Cost]:
    """Seconds and captioned images of every method."""
    return [
        Cost(
            method,
            len(own),
            estimate([one.seconds for one in own]),
            estimate([float(one.captioned) for one in own]),
            float(np.mean([one.abstained for one in own])),
        )
        for method, own in by_method(predictions).items()
    ]


def mixtures(
    predictions: Sequence[Prediction], concept: str = "concept", density: str = "density", total: int = TOP
) -> list[Prediction]:
    """The paper's 5+0 ... 0+5: the first findings of one proposer, then of the other, `total` in all.

    The methods are named "5+0", "4+1", ...; only pairs that both proposers answered are in. One that has fewer
    findings than its share is not made up for by the other.
    """
    second = {prediction.pair: prediction for prediction in predictions if prediction.method == density}
    both = [(p, second[p.pair]) for p in predictions if p.method == concept and p.pair in second]
    return [
        replace(
            first,
            method=f"{total - share}+{share}",
            findings={
                side: (*first.findings.get(side, ())[: total - share], *other.findings.get(side, ())[:share])
                for side in SIDES
            },
            confirmed={},
            roles={},
            shown={},
            abstained=first.abstained and other.abstained,
            seconds=first.seconds + other.seconds,
            captioned=other.captioned,
            details={},
        )
        for share in range(total + 1)
        for first, other in both
    ]


def _confirmed_and_true(pair: Pair, prediction: Prediction, judge: Judge) -> tuple[int, int, int, int]:
    """Sides with a truth; of their first findings those confirmed, and those of them true by first and by any word."""
    confirmed = first_word = any_word = 0
    for side, truth in pair.truth.items():
        accepted, findings = judge(truth), prediction.findings.get(side, ())
        for words, held in zip(findings[:TOP], prediction.confirmed.get(side, ()), strict=False):
            named = [names_it(word, accepted) for word in words] if held else []
            confirmed, first_word, any_word = confirmed + held, first_word + any(named[:1]), any_word + any(named)
    return len(pair.truth), confirmed, first_word, any_word


def _alarm(prediction: Prediction) -> bool:
    if prediction.confirmed or prediction.roles:
        return bool(claims_of(prediction))
    return not prediction.abstained and any(prediction.findings.values())
