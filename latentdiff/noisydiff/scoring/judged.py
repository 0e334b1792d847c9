"""All that annotations say of the predictions: which claims are true, which leads show what was planted, which shifts
are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from latentdiff.noisydiff.methods.predictions import Prediction
from latentdiff.noisydiff.pairs.builder import Annotated
from latentdiff.noisydiff.pairs.pair import Pair
from latentdiff.noisydiff.scoring.leads import SideLeads, score_leads
from latentdiff.noisydiff.scoring.measures import Judge
from latentdiff.noisydiff.scoring.shifts import ShiftScore, score_shifts
from latentdiff.noisydiff.scoring.truths import CheckedClaim, check_claims


@dataclass(frozen=True)
class Judged:
    """Every claim, side and pair of styles, for the tables and as rows; all empty where nothing is annotated."""

    claims: Sequence[CheckedClaim] = ()
    leads: Sequence[SideLeads] = ()
    shifts: Sequence[ShiftScore] = ()


def judge_claims(
    pairs: Sequence[Pair], predictions: Sequence[Prediction], annotated: Annotated | None, judge: Judge
) -> Judged:
    """What annotations say of the predictions.

    Args:
        pairs: all of the benchmark.
        predictions: what methods say of them.
        annotated: what is known to be in the images; None: nothing.
        judge: which words name a thing.

    Raises:
        LatentDiffError: a prediction is of no pair, or a method has two for one pair.
    """
    if annotated is None:
        return Judged()
    about = pairs, predictions, annotated, judge
    return Judged(check_claims(*about), score_leads(*about), score_shifts(*about))
