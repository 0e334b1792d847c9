"""Claims against annotations: a brute-force twin, the words that name a thing, and what is counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from latentdiff.hypotheses import opposite
from latentdiff.noisydiff.methods.predictions import Prediction
from latentdiff.noisydiff.pairs.builder import Annotated
from latentdiff.noisydiff.pairs.pair import Pair
from latentdiff.noisydiff.pairs.sampling import truth_of
from latentdiff.noisydiff.scoring.measures import by_names, by_wordnet
from latentdiff.noisydiff.scoring.truths import CheckedClaim, answer, check_claims, claim_truths, things_named

THINGS = ("dog", "cat", "car")


def a_world(a: list[set[str]], b: list[set[str]]) -> tuple[Pair, Annotated]:
    """A pair whose images show what is given."""
    labels = {f"a{i}": frozenset(found) for i, found in enumerate(a)} | {
        f"b{i}": frozenset(found) for i, found in enumerate(b)
    }
    pair = Pair("p", "", tuple(f"a{i}" for i in range(len(a))), tuple(f"b{i}" for i in range(len(b))), {}, 0.0)
    return pair, Annotated(labels, {thing: truth_of(thing) for thing in THINGS})


def said(*claims: tuple[str, str, str], pair: str = "p", method: str = "m") -> Prediction:
    """A prediction of (side, role, first word)."""
    of: Any = {side: [claim for claim in claims if claim[0] == side] for side in "ab"}
    return Prediction(
        method,
        pair,
        {side: tuple((word, "thing") for _, _, word in own) for side, own in of.items()},
        roles={side: tuple(role for _, role, _ in own) for side, own in of.items()},
    )


def images(shares: list[int]) -> list[set[str]]:
    """Images 0, 1, ...; the first so many show each thing."""
    return [{thing for thing, count in zip(THINGS, shares, strict=True) if i < count} for i in range(60)]


counts = st.lists(st.integers(0, 60), min_size=3, max_size=3)


@settings(deadline=None, max_examples=60)
@given(counts, counts, st.sampled_from("ab"), st.sampled_from(THINGS))
def test_a_claim_is_true_or_false_as_scipy_and_the_definition_have_it(
    a: list[int], b: list[int], side: str, thing: str
) -> None:
    pair, annotated = a_world(images(a), images(b))
    (claim,) = check_claims([pair], [said((side, "lead", thing))], annotated, by_names)
    x, y = a[THINGS.index(thing)], b[THINGS.index(thing)]
    p = stats.fisher_exact([[x, 60 - x], [y, 60 - y]]).pvalue
    claimed = x > y if side == "a" else y > x
    expected = "true" if claimed and p <= 0.05 else "false" if not claimed or p > 0.2 else "unknown"
    assert claim.answer == expected
    assert (claim.share_a, claim.share_b, claim.p_value) == pytest.approx((x / 60, y / 60, p))


@pytest.mark.parametrize(
    ("side", "share_a", "share_b", "p", "expected"),
    [
        ("a", 0.2, 0.1, 0.05, "true"), ("a", 0.2, 0.1, 0.051, "unknown"), ("b", 0.1, 0.2, 0.2, "unknown"),
        ("b", 0.1, 0.2, 0.21, "false"), ("b", 0.2, 0.1, 0.001, "false"), ("a", 0.1, 0.1, 0.1, "false"),
    ],
)  # fmt: skip
def test_answers_change_where_the_definition_says(
    side: Any, share_a: float, share_b: float, p: float, expected: str
) -> None:
    assert answer(side, share_a, share_b, p) == expected


@settings(deadline=None, max_examples=20)
@given(counts, counts, st.sampled_from("ab"))
def test_exchanging_the_sets_changes_no_answer(a: list[int], b: list[int], side: Any) -> None:
    pair, annotated = a_world(images(a), images(b))
    (one,) = check_claims([pair], [said((side, "lead", "dog"))], annotated, by_names)
    swapped = replace(pair, a=pair.b, b=pair.a)
    (other,) = check_claims([swapped], [said((opposite(side), "lead", "dog"))], annotated, by_names)
    assert (one.answer, one.p_value, one.share_a) == (other.answer, other.p_value, other.share_b)


@pytest.mark.parametrize(
    ("word", "things"),
    [
        ("Dogs", ("dog",)),
        ("domestic dog", ("dog",)),
        ("puppy", ("dog",)),
        ("auto", ("car",)),
        ("a man walks the dog", ("dog",)),
        ("hot dog", ()),
        ("happiness", ()),
    ],
)
def test_a_word_names_a_thing_by_its_name_a_synonym_or_one_step(word: str, things: tuple[str, ...]) -> None:
    _, annotated = a_world([], [])
    accepted = {label: by_wordnet(truth) for label, truth in annotated.truths.items()}
    assert things_named(accepted, word) == things


def test_a_word_one_step_from_several_things_speaks_of_any_of_them_but_an_exact_name_of_one_alone() -> None:
    truths = {"dog": truth_of("dog"), "wolf": truth_of("n02114100"), "canine": truth_of("canine")}
    known = {label: by_wordnet(truth) for label, truth in truths.items()}
    assert things_named(known, "canine") == ("canine",)
    del known["canine"], truths["canine"]
    assert things_named(known, "canine") == ("dog", "wolf")
    pair, annotated = a_world([{"dog"}, {"wolf"}, {"dog", "wolf"}, set()], [set()] * 4)
    annotated = Annotated(annotated.labels, truths)
    (claim,) = check_claims([pair], [said(("a", "lead", "canine"))], annotated, by_wordnet)
    assert claim.share_a == 0.75  # an image with both counts once


def test_what_no_annotation_knows_is_unknown_and_images_without_any_are_left_out() -> None:
    pair, annotated = a_world([{"dog"}] * 20, [set()] * 20)
    seen = {id: found for id, found in annotated.labels.items() if id in ("a0", "a1", "b0")}
    claims = [said(("a", "lead", "happiness"), ("a", "lead", "dog"))]
    unknown, _ = check_claims([pair], claims, annotated, by_names)
    assert (unknown.answer, unknown.things) == ("unknown", ())
    _, few = check_claims([pair], claims, Annotated(seen, annotated.truths), by_names)
    assert (few.share_a, few.share_b) == (1, 0) and few.p_value == pytest.approx(1 / 3)
    _, none = check_claims([pair], claims, Annotated({}, annotated.truths), by_names)
    assert none.answer == "unknown"


def test_only_the_first_word_of_what_has_a_role_is_checked() -> None:
    pair, annotated = a_world([{"dog"}] * 20, [set()] * 20)
    claims = check_claims(
        [pair], [said(("a", "lead", "cat"), ("b", "", "dog"), ("b", "shift", "dog"))], annotated, by_names
    )
    assert [(claim.role, claim.word, claim.answer) for claim in claims] == [
        ("lead", "cat", "false"), ("shift", "dog", "false"),
    ]  # fmt: skip


def test_truths_are_shares_of_the_claims_by_method_and_role_over_all_pairs_that_were_answered() -> None:
    def claim(pair: str, role: str, answer: str) -> CheckedClaim:
        return CheckedClaim("m", pair, "a", role, "dog", ("dog",), 0.1, 0.0, 0.01, answer)

    checked = [claim("p", "lead", "true"), claim("p", "lead", "true"), claim("q", "lead", "false")]
    checked += [claim("q", "lead", "unknown"), claim("q", "travels", "unknown")]
    answered = [Prediction("m", pair) for pair in "pqrs"] + [Prediction("silent", "p")]
    lead, travels = claim_truths(checked, answered)
    assert (lead.method, lead.role, travels.role) == ("m", "lead", "travels")
    assert (lead.claims.value, lead.claims.pairs) == (1.0, 4)
    assert (lead.true.value, lead.false.value, lead.unknown.value) == (0.5, 0.25, 0.25)
    assert lead.true_of_known.value == pytest.approx(2 / 3)
    assert lead.true.interval.low <= 0.5 <= lead.true.interval.high
    assert (
        travels.claims.value == 0.25 and travels.true_of_known.value != travels.true_of_known.value
    )  # nan: none known
