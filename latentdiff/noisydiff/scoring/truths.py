"""Whether what is claimed is true of the images, planted or not: checked against all that is annotated in them.

A claim speaks of the annotated things that its first word names; it is true where more images of its side show one of
them, and Fisher's test says that this is no chance (docs/methods.md, 8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from latentdiff.hypotheses import Side
from latentdiff.noisydiff.methods.predictions import Claim, Prediction, claims_of
from latentdiff.noisydiff.pairs.builder import Annotated
from latentdiff.noisydiff.pairs.labels import Labels
from latentdiff.noisydiff.pairs.pair import Pair
from latentdiff.noisydiff.scoring.aggregate import by_method
from latentdiff.noisydiff.scoring.catalogue import LEVELS
from latentdiff.noisydiff.scoring.measures import Accepted, Judge, check_predictions, level_of
from latentdiff.statistics import fisher
from latentdiff.statistics.bootstrap import estimate, ratio
from latentdiff.statistics.estimates import Estimate

TRUE_AT = 0.05  # p at or below which a difference of the claimed sign makes a claim true
FALSE_ABOVE = 0.2  # p above which it makes it false; in between nobody knows
ROLES = ("lead", "travels", "shift", "confirmed")  # in the order of the table


@dataclass(frozen=True)
class CheckedClaim:
    """A claim beside what is annotated."""

    method: str
    pair: str  # Pair.id
    side: Side
    role: str
    word: str  # its first
    things: tuple[str, ...]  # annotated labels that the word names; empty: none
    share_a: float  # of A's annotated images, those that show one of these; nan where there are none
    share_b: float
    p_value: float  # Fisher's, two-sided
    answer: str  # "true", "false", "unknown"


@dataclass(frozen=True)
class ClaimTruth:
    """How true the claims of one method and role are."""

    method: str
    role: str
    claims: Estimate  # a pair
    true: Estimate  # share of the claims
    false: Estimate
    unknown: Estimate
    true_of_known: Estimate  # true / (true + false)


def check_claims(
    pairs: Sequence[Pair], predictions: Sequence[Prediction], annotated: Annotated, judge: Judge
) -> list[CheckedClaim]:
    """Every claim about every pair, null pairs too, as far as annotations know.

    Args:
        pairs: all of the benchmark.
        predictions: what methods say of them.
        annotated: what is in the images.
        judge: which words name a thing.

    Raises:
        LatentDiffError: a prediction is of no pair, or a method has two for one pair.
    """
    by_id = {pair.id: pair for pair in pairs}
    check_predictions(by_id, predictions)
    accepted = {label: judge(truth) for label, truth in annotated.truths.items()}
    named_by = cache(partial(things_named, accepted))
    count_of = cache(lambda id: _counter(by_id[id], annotated.labels))
    return [_check(one, claim, named_by, count_of(one.pair)) for one in predictions for claim in claims_of(one)]


def claim_truths(checked: Iterable[CheckedClaim], predictions: Iterable[Prediction]) -> list[ClaimTruth]:
    """How true the claims are, by method and role; intervals by bootstrap over the pairs that a method answered."""
    claims, result = by_method(checked), []
    for method, answered in by_method(predictions).items():
        own = claims.get(method, [])
        for role in (role for role in ROLES if any(claim.role == role for claim in own)):
            row = {one.pair: i for i, one in enumerate(answered)}
            counts = np.zeros((len(row), 3))
            for claim in own:
                if claim.role == role:
                    counts[row[claim.pair], ("true", "false", "unknown").index(claim.answer)] += 1
            true, false, unknown = counts.T
            made, known = counts.sum(axis=1), true + false
            result.append(
                ClaimTruth(
                    method, role, estimate(made.tolist()),
                    ratio(true, made), ratio(false, made), ratio(unknown, made), ratio(true, known),
                )
            )  # fmt: skip
    return result


def things_named(accepted: Mapping[str, Accepted], word: str) -> tuple[str, ...]:
    """The labels that a word names: all that it reaches at the strictest level at which it reaches any.

    Args:
        accepted: the words that name each label.
        word: an entry of a finding.
    """
    reached = {label: level_of(word, words) for label, words in accepted.items()}
    level = next((level for level in LEVELS if level in reached.values()), None)
    return () if level is None else tuple(label for label, of in reached.items() if of == level)


def answer(side: Side, share_a: float, share_b: float, p_value: float) -> str:
    """Whether more of a side is true: of the claimed sign and significant; false: of the other, or far from it.

    >>> answer("a", 0.1, 0.05, 0.01), answer("b", 0.1, 0.05, 0.01), answer("a", 0.1, 0.09, 0.1)
    ('true', 'false', 'unknown')
    """
    more = share_a > share_b if side == "a" else share_b > share_a
    if not more or p_value > FALSE_ABOVE:
        return "false"
    return "true" if p_value <= TRUE_AT else "unknown"


Counter = Callable[[tuple[str, ...]], tuple[int, int, int, int]]  # labels -> images with any, of A, and images; of B


def _check(one: Prediction, claim: Claim, named_by: Callable[[str], tuple[str, ...]], count: Counter) -> CheckedClaim:
    word = claim.words[0] if claim.words else ""
    things = named_by(word)
    about = one.method, one.pair, claim.side, claim.role, word, things
    count_a, n_a, count_b, n_b = count(things)
    if not things or not n_a or not n_b:
        nan = float("nan")
        return CheckedClaim(*about, nan, nan, nan, "unknown")
    share_a, share_b = count_a / n_a, count_b / n_b
    p = float(fisher(np.array([count_a]), n_a, np.array([count_b]), n_b)[0])
    return CheckedClaim(*about, share_a, share_b, p, answer(claim.side, share_a, share_b, p))


def _counter(pair: Pair, labels: Labels) -> Counter:
    """How many images of each side show any of some labels, among those that are annotated."""
    sides = [[labels[id] for id in ids if id in labels] for ids in (pair.a, pair.b)]

    @cache
    def count(things: tuple[str, ...]) -> tuple[int, int, int, int]:
        a, b = (sum(not found.isdisjoint(things) for found in side) for side in sides)
        return a, len(sides[0]), b, len(sides[1])

    return count
