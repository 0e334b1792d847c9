from __future__ import annotations

import json

import pytest

from latentdiff.hypotheses import Finding, Hypothesis, Interval, Part, RankedFinding
from latentdiff.result import (
    ComparisonResult,
    EncoderUsed,
    NegativeControls,
    OverallShift,
    ProposerOutcome,
    SetSummary,
)
from latentdiff.verdict import NotRun, NotRunReason, Verdict, VerdictKind


def found(side: str, proposer: str, rank: int) -> Finding:
    return Finding(Hypothesis(side, proposer, (f"{proposer} {side}{rank}",), True, 1.0, rank=rank, part=Part.ALL))  # type: ignore[arg-type]


@pytest.fixture
def result() -> ComparisonResult:
    """Two proposers, merged and out of the order in which they proposed."""
    ranking = (
        RankedFinding(found("a", "toy", 3), (found("a", "other", 1), found("a", "toy", 1))),
        RankedFinding(found("a", "toy", 2), (), (found("b", "toy", 3),)),
        RankedFinding(found("b", "other", 1), (found("b", "toy", 2),)),
        RankedFinding(found("b", "toy", 1)),
    )
    empty = SetSummary("A", "", 1, 1, 0, (), 0, 0)
    outcomes = {
        "toy": ProposerOutcome(0.01, artefact={"seen": 3}),
        "absent": ProposerOutcome(not_run=NotRun(NotRunReason.TOO_FEW_IMAGES, 20, 3, 4)),
    }
    verdict = Verdict(VerdictKind.DIFFERENT, 0.01, 1, 0.05, None)
    return ComparisonResult(
        verdict=verdict,
        a=empty,
        b=empty,
        encoder=EncoderUsed("mini", "mini@0"),
        sae=None,
        shift=OverallShift(0.8, Interval(0.78, 0.82), 0.7),
        ranking=ranking,
        controls=NegativeControls(500, 0.1, 0.01),
        metadata=(),
        proposers=outcomes,
        settings={},
        run={},
    )


def test_the_findings_are_those_that_lead_a_place(result: ComparisonResult) -> None:
    assert [f.words[0] for f in result.findings] == ["toy a3", "toy a2", "other b1", "toy b1"]
    assert [f.words[0] for f in result.side("b")] == ["other b1", "toy b1"]
    assert result.different


def test_what_one_proposer_found_stands_in_the_order_in_which_it_proposed(result: ComparisonResult) -> None:
    assert [f.words[0] for f in result.proposed_by("toy")] == [
        "toy a1",
        "toy a2",
        "toy a3",
        "toy b1",
        "toy b2",
        "toy b3",
    ]
    assert [f.words[0] for f in result.proposed_by("other")] == ["other a1", "other b1"]
    assert result.proposed_by("nobody") == ()


def test_an_artefact_is_none_of_a_proposer_that_did_not_run_or_was_not_asked(result: ComparisonResult) -> None:
    assert result.artefact("toy") == {"seen": 3}
    assert result.artefact("absent") is None
    assert result.artefact("nobody") is None


def test_a_result_is_plain_values_for_json(result: ComparisonResult) -> None:
    plain = json.loads(json.dumps(result.to_dict()))
    assert plain["schema_version"] == 3
    assert plain["verdict"]["kind"] == "different"
    assert plain["proposers"]["absent"]["not_run"]["reason"] == "too few images"
    assert plain["ranking"][0]["alike"][0]["hypothesis"]["proposer"] == "other"
    assert plain["ranking"][0]["finding"]["status"] == "not checked"
    assert plain["shift"] == {"auroc": 0.8, "auroc_interval": {"low": 0.78, "high": 0.82}, "auroc_middle": 0.7}
    assert plain["controls"] == {"words": 500, "alone": 0.1, "given": 0.01}


@pytest.mark.parametrize(
    ("auroc", "broad", "separates"),
    [(0.74, False, False), (0.75, True, False), (0.97, True, False), (0.98, True, True)],
)
def test_a_shift_is_broad_from_75_and_separates_from_98(auroc: float, broad: bool, separates: bool) -> None:
    shift = OverallShift(auroc, Interval(auroc, auroc), auroc)
    assert (shift.is_broad, shift.separates) == (broad, separates)
