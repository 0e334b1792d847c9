"""Every verdict, every proposer that did not run and every origin of an SAE has its sentence."""

import pytest

from latentdiff.report.wording import (
    describe_not_run,
    describe_proposer,
    describe_sae,
    headline,
    lede,
    sentence,
    titles,
    word_verdict,
)
from latentdiff.result import ProposerOutcome, SaeOrigin, SaeSource
from latentdiff.verdict import NotRun, NotRunReason, VerdictKind

NOBODY = {"sae_latents": None, "density_ratio": None}


def all_three(result):
    return word_verdict(result), headline(result), lede(result)


def test_a_difference_is_said_in_the_first_confirmed_word_of_each_side(make_result, make_finding):
    said = "The sets differ: more surfboard in A and more sun umbrella in B."
    assert all_three(make_result()) == (said, said, "")
    one_sided = make_result((make_finding(("kite",), status="weak"), make_finding(("parasol",), "b")))
    assert word_verdict(one_sided) == "The sets differ: more parasol in B."


def test_a_difference_without_a_word_that_held_says_so(make_result, make_finding):
    said = "The sets differ, but no word for it held on the images kept aside to check."
    assert word_verdict(make_result((make_finding(status="weak"),))) == said


def test_a_difference_that_nothing_verified_counts_latents_where_there_are_any(make_result, make_finding, make_word):
    said = "The sets differ: 12 of 1,480 latents (nothing was verified)."
    assert word_verdict(make_result((make_finding(status=None),))) == said
    assert word_verdict(make_result((make_word(),), proposers=NOBODY)) == "The sets differ (nothing was verified)."


def test_no_difference_says_what_would_have_been_seen_where_that_is_known(make_result):
    known, unknown = (make_result(kind=VerdictKind.NO_DIFFERENCE, smallest_detectable=one) for one in (0.0123, None))
    assert all_three(known) == (
        "No difference found: a latent that fires in at least 1.2% of one set and never in the other would have been "
        "seen.",
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
