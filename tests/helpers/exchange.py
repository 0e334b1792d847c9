"""What the other order of the sets must say, written from what this order says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from latentdiff.hypotheses import SIDES, Evidence, Hypothesis, Interval, opposite
from latentdiff.proposers import Proposal


def exchanged_evidence(one: Evidence) -> Evidence:
    """The counts of the other side; odds ratios, reciprocals that do not exist to the last bit, are left out."""
    return Evidence(
        count_a=one.count_b,
        count_b=one.count_a,
        n_a=one.n_b,
        n_b=one.n_a,
        prevalence_a=one.prevalence_b,
        prevalence_b=one.prevalence_a,
        prevalence_a_interval=one.prevalence_b_interval,
        prevalence_b_interval=one.prevalence_a_interval,
        difference=-one.difference,
        difference_interval=Interval(-one.difference_interval.high, -one.difference_interval.low),
        odds_ratio=np.inf,
        odds_ratio_interval=Interval(0.0, np.inf),
        p_value=one.p_value,
        q_value=one.q_value,
    )


def without_odds(one: Evidence) -> Evidence:
    """The rest of the evidence, to compare it with what is exchanged."""
    return replace(one, odds_ratio=np.inf, odds_ratio_interval=Interval(0.0, np.inf))


def exchanged(one: Hypothesis) -> Hypothesis:
    """The same of the other side; details that have a direction are left to the test."""
    return replace(
        one,
        side=opposite(one.side),
        evidence=one.evidence and exchanged_evidence(one.evidence),
        images=tuple(replace(ref, side=opposite(ref.side)) for ref in one.images),
        near_misses=tuple(replace(ref, side=opposite(ref.side)) for ref in one.near_misses),
    )


def assert_exchanged(there: Proposal, back: Proposal) -> None:
    """What one order of the sets proposes is what the other does, of the other side, to the last bit."""
    for side in SIDES:
        own = [one for one in there.hypotheses if one.side == side]
        other = [one for one in back.hypotheses if one.side == opposite(side)]
        assert [exchanged(one) for one in own] == [
            replace(one, evidence=one.evidence and without_odds(one.evidence)) for one in other
        ]
        odds = [[one.evidence.odds_ratio for one in some if one.evidence] for some in (own, other)]
        np.testing.assert_allclose(np.multiply(*odds), 1, rtol=1e-12)
    assert (there.p_value, there.cut, there.not_run) == (back.p_value, back.cut, back.not_run)
