"""Of sets that differ as wholes: what the shift is called, and what is found behind it (docs/methods.md, 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from latentdiff.hypotheses import SIDES
from latentdiff.noisydiff.methods.predictions import LEADS, Claim, Prediction, claims_of
from latentdiff.noisydiff.pairs.builder import Annotated
from latentdiff.noisydiff.pairs.pair import Pair
from latentdiff.noisydiff.pairs.shifts import NAME
from latentdiff.noisydiff.scoring.aggregate import by_method
from latentdiff.noisydiff.scoring.claims import deciding
from latentdiff.noisydiff.scoring.leads import planted_labels, shows, shows_images
from latentdiff.noisydiff.scoring.measures import Judge, check_predictions, names_it
from latentdiff.statistics.bootstrap import estimate, ratio
from latentdiff.statistics.estimates import Estimate


@dataclass(frozen=True)
class ShiftScore:
    """What one method says of one pair of styles."""

    method: str
    pair: str  # Pair.id
    shift: str  # what the sides are as wholes: "photo, sketch"; "" for two of one style
    planted: str  # "dog"; "" for nothing
    share: float  # of a side, of what is planted
    different: bool | None  # the verdict; None: the method never says "no difference"
    called: tuple[str, ...]  # what the overall shift is called on A and B, its first words there; "" not told
    named: int  # sides on which that is the style's name, or a synonym
    found: bool | None  # a lead of the planted side shows the planted images; None: nothing is planted, or shown at all
    found_by_word: bool | None  # or names what is planted with its first word
    leads: int  # of both sides
    false_leads: int  # that neither show nor name what is planted

    @property
    def kind(self) -> tuple[bool, float]:
        """What pairs have in common that are scored together: whether there is a shift, and the planted share."""
        return bool(self.shift), self.share


@dataclass(frozen=True)
class ShiftSummary:
    """One method on all pairs of a kind."""

    method: str
    shift: bool
    share: float  # planted
    pairs: int
    different: Estimate  # share of pairs
    told: Estimate  # share of pairs of which an overall shift is told
    named: Estimate  # share of their sides that are called by the style's name
    found: Estimate  # share of pairs with the planted images in a lead
    found_by_word: Estimate  # share of pairs with its name first in a lead
    false_leads: Estimate  # a pair


def score_shifts(
    pairs: Sequence[Pair], predictions: Sequence[Prediction], annotated: Annotated, judge: Judge
) -> list[ShiftScore]:
    """Every prediction on every pair of the builder `shifts`.

    Args:
        pairs: all of the benchmark.
        predictions: what methods say of them.
        annotated: what is in the images.
        judge: which words name a style or a class.

    Raises:
        LatentDiffError: a prediction is of no pair, or a method has two for one pair.
    """
    by_id = {pair.id: pair for pair in pairs}
    check_predictions(by_id, predictions)
    deciders, showing = deciding(predictions), shows_images(predictions)
    shifts = {pair.id for pair in pairs if pair.recipe.get("builder") == NAME}
    scores = [_score(by_id[one.pair], one, annotated, judge) for one in predictions if one.pair in shifts]
    return [
        replace(
            one,
            different=one.different if one.method in deciders else None,
            found=one.found if one.method in showing else None,
        )
        for one in scores
    ]


def shift_summaries(scores: Sequence[ShiftScore]) -> list[ShiftSummary]:
    """By method and kind of pair, those with a shift first; intervals by bootstrap over pairs."""
    result = []
    for method, own in by_method(scores).items():
        for shift, share in sorted({one.kind for one in own}, key=lambda kind: (not kind[0], kind[1])):
            here = [one for one in own if one.kind == (shift, share)]
            sides = np.full(len(here), 2.0 if shift else 0.0)
            result.append(
                ShiftSummary(
                    method, shift, share, len(here),
                    estimate([one.different for one in here if one.different is not None]),
                    estimate([any(one.called) for one in here]),
                    ratio([one.named for one in here], sides),
                    estimate([one.found for one in here if one.found is not None]),
                    estimate([one.found_by_word for one in here if one.found_by_word is not None]),
                    estimate([one.false_leads for one in here]),
                )
            )  # fmt: skip
    return result


def _score(pair: Pair, one: Prediction, annotated: Annotated, judge: Judge) -> ShiftScore:
    claims = claims_of(one)
    called = tuple(
        next((claim.words[0] for claim in claims if claim.role == "shift" and claim.side == side and claim.words), "")
        for side in SIDES
    )
    leads = [claim for claim in claims if claim.role in LEADS]
    images = [_shows_planted(pair, claim, annotated) for claim in leads]
    words = [_names_planted(pair, claim, judge) for claim in leads]
    return ShiftScore(
        one.method,
        pair.id,
        ", ".join(truth.phrase for truth in pair.shift.values()),
        ", ".join(truth.phrase for truth in pair.truth.values()),
        pair.recipe.get("scarcity") or 0.0,
        not one.abstained,
        called,
        sum(names_it(word, judge(pair.shift[side])) for side, word in zip(SIDES, called, strict=True) if pair.shift),
        any(images) if pair.truth else None,
        any(words) if pair.truth else None,
        len(leads),
        sum(not image and not word for image, word in zip(images, words, strict=True)),
    )


def _shows_planted(pair: Pair, claim: Claim, annotated: Annotated) -> bool:
    own = pair.a if claim.side == "a" else pair.b
    return shows(claim, own, planted_labels(pair, claim.side, annotated), annotated)


def _names_planted(pair: Pair, claim: Claim, judge: Judge) -> bool:
    truth = pair.truth.get(claim.side)
    return truth is not None and any(names_it(word, judge(truth)) for word in claim.words[:1])
