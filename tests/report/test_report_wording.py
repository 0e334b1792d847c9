"""Every verdict, every proposer that did not run and every origin of an SAE has its sentence."""

import pytest

from latentdiff.hypotheses import Interval, RankedFinding, Status
from latentdiff.metadata import ColumnSummary, Kind
from latentdiff.report.wording import (
    CANNOT_BE_TOLD,
    STATUS,
    describe_density,
    describe_metadata,
    describe_not_run,
    describe_proposer,
    describe_sae,
    headline,
    lede,
    sentence,
    titles,
    word_metadata,
    word_verdict,
)
from latentdiff.result import OverallShift, ProposerOutcome, SaeOrigin, SaeSource
from latentdiff.verdict import NotRun, NotRunReason, VerdictKind

NOBODY = {"sae_latents": None, "density_ratio": None}


def all_three(result):
    return word_verdict(result), headline(result), lede(result)


def test_a_difference_is_said_in_the_first_lead_of_each_side(make_result, make_finding):
    said = "The sets differ: more surfboard in A and more sun umbrella in B."
    assert all_three(make_result()) == (said, said, "")
    one_sided = make_result((make_finding(("kite",), status="weak"), make_finding(("parasol",), "b")))
    assert word_verdict(one_sided) == "The sets differ: more parasol in B."


@pytest.mark.parametrize("status", [one for one in Status if one not in (Status.LEADS, Status.SHIFT, Status.TESTED)])
def test_nothing_but_the_shift_and_the_leads_makes_the_headline(make_result, make_finding, status):
    findings = (make_finding(status=status), make_finding(("parasol",), "b"))
    assert word_verdict(make_result(findings)) == "The sets differ: more parasol in B."
    assert word_verdict(make_result(findings[:1])) == "The sets differ, but no finding says how."


def test_an_overall_shift_is_said_before_what_leads_beyond_it(make_result, make_shift, make_finding):
    ends = make_shift(), make_shift(("drawing",), "b")
    as_wholes = "The sets differ as wholes (A: photograph, B: drawing)"
    shift = OverallShift(0.9, Interval(0.88, 0.92), 0.85)
    assert all_three(make_result(ends, shift=shift)) == (f"{as_wholes}.", f"{as_wholes}.", "")
    leads = make_finding(("kite",)), make_finding(("parasol",), "b")
    both = make_result((ends[0], leads[0], ends[1], leads[1]), shift=shift)
    assert word_verdict(both) == f"{as_wholes}; beyond that, more kite in A and more parasol in B."


def test_a_shift_that_separates_the_sets_says_what_would_help(make_result, make_shift):
    ends = make_shift(), make_shift(("drawing",), "b")
    apart, broad = (make_result(ends, shift=OverallShift(one, Interval(one, one), one)) for one in (0.99, 0.97))
    assert lede(apart) == CANNOT_BE_TOLD and "given=column" in CANNOT_BE_TOLD
    assert lede(broad) == ""


def test_leads_that_no_word_fits_point_to_the_images(make_result, make_finding):
    assert word_verdict(make_result((make_finding(name_found=False),))) == (
        "The sets differ, in what no word fits: see the images."
    )


def test_a_difference_that_nothing_verified_counts_latents_where_there_are_any(make_result, make_finding, make_word):
    unverified = {"shift": None, "controls": None}
    latents = make_result((make_finding(status="not checked"),), **unverified)
    assert word_verdict(latents) == "The sets differ: 12 of 1,480 latents (nothing was verified)."
    words = make_result((make_word(),), proposers=NOBODY, **unverified)
    assert word_verdict(words) == "The sets differ (nothing was verified)."


def test_a_column_of_numbers_says_who_has_the_larger_ones(make_metadata):
    assert describe_metadata(make_metadata()) == (
        "width: larger in A, median 640 against 480 (AUROC .71, 95 %: .68 to .74)"
    )
    other = make_metadata(side="b", a=ColumnSummary(0, 0.2), b=ColumnSummary(0, 0.4), auroc_interval=None)
    assert describe_metadata(other) == "width: larger in B, median 0.4 against 0.2 (AUROC .71)"


def test_a_category_says_what_share_of_each_side_has_it(make_metadata):
    phone, none = ColumnSummary(0, None, "phone", 0.62, 0.3), ColumnSummary(9, None, "", 0.7, 0.38)
    camera = {"kind": Kind.CATEGORY, "auroc_interval": None, "a": phone, "b": none}
    assert describe_metadata(make_metadata("camera", **camera)) == (
        "camera: phone in 62\u202f% of A and 30\u202f% of B (AUROC .71)"
    )
    assert describe_metadata(make_metadata("camera", **camera | {"side": "b"})) == (
        "camera: no value in 70\u202f% of B and 38\u202f% of A (AUROC .71)"
    )
    assert describe_metadata(make_metadata("camera", **camera | {"side": None})) == "camera differs (AUROC .71)"


def test_metadata_counts_what_it_explains_wherever_that_stands(make_result, make_finding, make_metadata):
    lead, other = make_finding(vanishes_given=("width",)), make_finding(("kite",), vanishes_given=("width", "age"))
    under = make_finding(("tie",), "b", status="travels", vanishes_given=("width",))
    columns = (make_metadata(), make_metadata("age"), make_metadata("day"), make_metadata("hour", differs=False))
    told = list(word_metadata(make_result((RankedFinding(lead, (other,), (under,)),), metadata=columns)))
    assert [one.partition(")")[2] for one in told] == [
        "; it alone explains 3 findings.",
        "; it alone explains 1 finding.",
        ".",
    ]


def test_where_nothing_differs_metadata_explains_nothing(make_result, make_finding):
    findings = (make_finding(vanishes_given=("width",)),)
    (told,) = word_metadata(make_result(findings, VerdictKind.NO_DIFFERENCE))
    assert told.endswith(".74).")


def test_every_status_says_what_it_means():
    assert set(STATUS) == set(Status)


@pytest.mark.parametrize("kind", list(VerdictKind))
def test_the_density_ratio_claims_a_difference_only_where_the_verdict_does(make_result, kind):
    result = make_result(kind=kind)
    said = describe_density(result.artefact("density_ratio"), result.different)
    assert ("lie where the other has few" in said) == (kind is VerdictKind.DIFFERENT)


def test_no_difference_says_what_would_have_been_seen_where_that_is_known(make_result):
    known, unknown = (make_result(kind=VerdictKind.NO_DIFFERENCE, smallest_detectable=one) for one in (0.0123, None))
    assert all_three(known) == (
        "No difference found: a latent that fires in at least 1.2\u202f% of one set and never in the other would have "
        "been seen.",
        "No difference found",
        "",
    )
    assert all_three(unknown) == ("No difference found.", "No difference found", "")


def test_too_few_images_are_no_statement_on_the_sets(make_result):
    said, head, below = all_three(make_result(kind=VerdictKind.TOO_FEW_IMAGES, smallest_detectable=1.0))
    assert (
        said
        == "Too few images to tell: even what is in every image of one set and in none of the other would not show."
    )
    assert head == "Too few images to tell"
    assert below == "Even what is in every image of one set and in none of the other would not show."


def test_what_was_not_tested_names_what_ranks_first_and_claims_nothing(make_result, make_word):
    words = (make_word(("kite",)), make_word(("boat",)), make_word(("parasol",), "b"))
    ranked = "Not tested. Ranked first: kite for A, parasol for B"
    result = make_result(words, VerdictKind.NOT_TESTED, proposers=NOBODY | {"mean_shift": ProposerOutcome()})
    assert all_three(result) == (
        f"{ranked}. Nothing says whether the sets differ at all.",
        ranked,
        "Nothing says whether the sets differ at all. Proposed by: mean shift.",
    )
    assert headline(make_result(words[:1], VerdictKind.NOT_TESTED)) == "Not tested. Ranked first: kite for A"
    nothing = make_result((), VerdictKind.NOT_TESTED)
    assert headline(nothing) == "Not tested. Nothing was proposed"
    assert lede(nothing) == "Nothing says whether the sets differ at all."


@pytest.mark.parametrize("kind", list(VerdictKind))
def test_every_verdict_has_a_sentence_and_a_first_line(make_result, kind):
    result = make_result(kind=kind)
    assert word_verdict(result).endswith(".") and word_verdict(result).startswith(headline(result))


@pytest.mark.parametrize("reason", list(NotRunReason))
def test_a_proposer_that_did_not_run_says_what_it_needs_and_has(reason):
    assert describe_not_run(NotRun(reason, 20, 1500, 13)) == (
        "it needs 20 different images a side and has 1,500 and 13 to propose from"
    )


ORIGINS = {
    SaeSource.GIVEN: ("my/sae", None, "my/sae (2048 latents, k 16)"),
    SaeSource.POOL: ("pool", 12000, "trained on 12,000 images of pool (2048 latents, k 16)"),
    SaeSource.BUNDLED: ("", 600, "bundled with mini (2048 latents, k 16), since 600 images are few to train one on"),
    SaeSource.SETS: ("", None, "trained for this comparison on both sets (2048 latents, k 16)"),
}


@pytest.mark.parametrize("source", list(SaeSource))
def test_every_origin_of_an_sae_is_told(source):
    path, images, said = ORIGINS[source]
    assert describe_sae(SaeOrigin(source, 2048, 16, path, images)) == said


def test_an_sae_that_was_given_as_an_object_has_no_path():
    assert describe_sae(SaeOrigin(SaeSource.GIVEN, 2048, 16)) == "given (2048 latents)"


def test_what_nobody_can_check_of_an_sae_is_told_behind_it():
    origin = SaeOrigin(SaeSource.GIVEN, 8, 2, "x", threshold_from_sets=True, names_encoder=False)
    assert describe_sae(origin) == (
        "x (8 latents, k 2), its threshold set on both sets together, of an encoder that its file does not name"
    )


def test_proposers_go_by_their_titles_and_unknown_ones_by_their_names():
    assert titles(("sae_latents", "density_ratio")) == "SAE latents + density ratio"
    assert titles(("mine",)) == "mine"
    assert describe_proposer("mean_shift") == "Mean shift: words along the difference of the mean embeddings."
    assert [sentence(text) for text in ("density ratio", "SAE latents", "")] == ["Density ratio", "SAE latents", ""]
