from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from latentdiff.hypotheses import SURE, Finding, Hypothesis, Part, RankedFinding, Status, Verification, opposite
from latentdiff.statistics import gather_evidence


def evidence(count_a: int, count_b: int):
    one = np.array([0.01])
    return gather_evidence(np.array([count_a]), 100, np.array([count_b]), 100, one, one)[0]


COUNTED, TESTED = evidence(40, 10), evidence(22, 4)


def says(proposer: str = "sae_latents", **fields) -> Hypothesis:
    return Hypothesis("a", proposer, ("dog", "puppy"), True, 0.5, part=Part.ALL, evidence=COUNTED, **fields)


def test_a_finding_reads_as_its_hypothesis():
    finding = Finding(says(latent=7))
    assert (finding.side, finding.words, finding.name_found) == ("a", ("dog", "puppy"), True)
    assert finding.status is Status.NOT_CHECKED
    assert finding.evidence is COUNTED


def test_neither_a_hypothesis_nor_a_finding_can_be_rewritten():
    finding = Finding(says())
    with pytest.raises(dataclasses.FrozenInstanceError):
        finding.verification = None  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        finding.hypothesis.words = ("cat",)  # type: ignore[misc]


@pytest.mark.parametrize("status", list(Status))
def test_the_images_that_tested_a_text_speak_for_it_whatever_became_of_it(status):
    assert Finding(says("density_ratio"), status, Verification(0.2, TESTED)).evidence is TESTED
    assert Finding(says(latent=7), status).evidence is COUNTED


@pytest.mark.parametrize("status", list(Status))
def test_a_finding_is_sure_where_it_differs_whatever_the_reason(status):
    assert Finding(says(), status).is_sure == (status in SURE)


def test_a_name_that_leads_on_both_sides_is_none():
    assert Finding(says()).name_found
    assert not Finding(says(), name_holds=False).name_found


def test_a_ranked_finding_tells_all_who_proposed_it_and_all_latents_that_stand_for_it_each_once():
    first = Finding(says("visdiff"))
    latent = Finding(says(latent=7, members=(9, 3), latent_words=("paw",)))
    again = Finding(says(latent=3, members=(7, 4), latent_words=("fur",)))
    ranked = RankedFinding(first, (latent, again))
    assert ranked.side == "a"
    assert ranked.proposers == ("sae_latents", "visdiff")
    assert ranked.latents == (7, 9, 3, 4)
    assert ranked.latent_words == ("paw",)
    alone = RankedFinding(first)
    assert (alone.proposers, alone.latents, alone.latent_words) == (("visdiff",), (), ())


def test_a_finding_of_latent_0_is_one_of_a_latent():
    assert RankedFinding(Finding(says(latent=0))).latents == (0,)


def test_the_other_side_of_the_other_side_is_the_side():
    assert [opposite(opposite(side)) for side in ("a", "b")] == ["a", "b"]
