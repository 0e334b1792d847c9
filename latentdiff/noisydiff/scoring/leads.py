"""Whether leads show what was planted, judged by the images that show them and not by words (docs/methods.md, 8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from latentdiff.hypotheses import Side
from latentdiff.noisydiff.methods.predictions import LEADS, SHOWN, Claim, Prediction, claims_of
from latentdiff.noisydiff.pairs.builder import Annotated
from latentdiff.noisydiff.pairs.pair import Pair
from latentdiff.noisydiff.scoring.aggregate import by_method
from latentdiff.noisydiff.scoring.curves import binned
from latentdiff.noisydiff.scoring.measures import Accepted, Judge, check_predictions, names_it
from latentdiff.statistics.bootstrap import ratio
from latentdiff.statistics.estimates import Estimate

PURE = 0.5  # share of a lead's images on its own side from which on it shows what they carry
WORDS = 5  # of a lead, among which the truth is looked for


@dataclass(frozen=True)
class SideLeads:
    """The leads of one method on one side where something is planted."""

    method: str
    pair: str  # Pair.id
    side: Side
    scarcity: float  # of the pair
    planted: int  # images of the side that show its truth
    leads: int
    others: int  # leads that show other images than the planted
    found: bool  # a lead shows the planted images
    first_word: bool  # the first such lead names the truth, exactly or by a synonym, with its first word
    any_word: bool  # among its first five words


@dataclass(frozen=True)
class LeadScore:
    """The leads of one method at one scarcity."""

    method: str
    scarcity: float
    planted: float  # images of a side that show its truth, mean
    found: Estimate  # share of sides
    others: Estimate  # share of leads
    first_word: Estimate  # share of sides
    any_word: Estimate


def score_leads(
    pairs: Sequence[Pair], predictions: Sequence[Prediction], annotated: Annotated, judge: Judge
) -> list[SideLeads]:
    """The leads of every side with something planted, of the methods that say which images show their findings.

    Args:
        pairs: all of the benchmark.
        predictions: what methods say of them.
        annotated: what is in the images.
        judge: which words name a truth.

    Raises:
        LatentDiffError: a prediction is of no pair, or a method has two for one pair.
    """
    by_id = {pair.id: pair for pair in pairs}
    check_predictions(by_id, predictions)
    showing = shows_images(predictions)
    return [
        _of_side(by_id[one.pair], side, one, annotated, judge(truth))
        for one in predictions
        if one.method in showing
        for side, truth in by_id[one.pair].truth.items()
    ]


def shows_images(predictions: Iterable[Prediction]) -> frozenset[str]:
    """The methods that say of any finding which images show it."""
    return frozenset(one.method for one in predictions if any(any(shown) for shown in one.shown.values()))


def lead_scores(sides: Sequence[SideLeads]) -> list[LeadScore]:
    """Shares by method and scarcity, rarest last; intervals by bootstrap over pairs."""
    at = dict(zip(sides, binned([one.scarcity for one in sides]), strict=True))
    result = []
    for method, own in by_method(sides).items():
        for scarcity in sorted({at[one] for one in own}, reverse=True):
            here = [one for one in own if at[one] == scarcity]
            planted = float(np.mean([one.planted for one in here]))
            result.append(LeadScore(method, scarcity, planted, *_shares(here)))
    return result


def planted_labels(pair: Pair, side: Side, annotated: Annotated) -> frozenset[str]:
    """The labels that images carry which show what is planted on a side; none where nothing is."""
    return frozenset(label for label, truth in annotated.truths.items() if truth == pair.truth.get(side))


def shows(claim: Claim, own: Iterable[str], labels: frozenset[str], annotated: Annotated) -> bool:
    """Whether at least half of a claim's images on its own side carry one of some labels.

    Args:
        claim: what is claimed, with the images that show it.
        own: ids of all images of its side.
        labels: what they may carry.
        annotated: what they do.
    """
    own = frozenset(own)
    shown = [annotated.labels.get(id, frozenset()) for id in claim.shown[:SHOWN] if id in own]
    return bool(shown) and sum(not of.isdisjoint(labels) for of in shown) >= PURE * len(shown)


def _of_side(pair: Pair, side: Side, one: Prediction, annotated: Annotated, accepted: Accepted) -> SideLeads:
    own = pair.a if side == "a" else pair.b
    labels = planted_labels(pair, side, annotated)
    leads = [claim for claim in claims_of(one) if claim.side == side and claim.role in LEADS]
    pure = [claim for claim in leads if shows(claim, own, labels, annotated)]
    words = pure[0].words[:WORDS] if pure else ()
    return SideLeads(
        one.method,
        pair.id,
        side,
        pair.scarcity,
        pair.planted.get(side, round(pair.scarcity * len(own))),
        len(leads),
        len(leads) - len(pure),
        bool(pure),
        any(names_it(word, accepted) for word in words[:1]),
        any(names_it(word, accepted) for word in words),
    )


def _shares(sides: Sequence[SideLeads]) -> Sequence[Estimate]:
    """Of the sides those found, of the leads the others, of the sides those named by the first and by any word."""
    pairs, of_pair = np.unique([one.pair for one in sides], return_inverse=True)
    counts = np.zeros((len(pairs), 6))
    counted = [(1, one.found, one.leads, one.others, one.first_word, one.any_word) for one in sides]
    np.add.at(counts, of_pair, np.array(counted, dtype=np.float64))
    number, found, leads, others, first_word, any_word = counts.T
    return ratio(found, number), ratio(others, leads), ratio(first_word, number), ratio(any_word, number)
