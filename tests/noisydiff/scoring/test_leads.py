"""Leads by the images that show them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentdiff.noisydiff.methods.predictions import Claim, Prediction
from latentdiff.noisydiff.pairs.builder import Annotated
from latentdiff.noisydiff.pairs.pair import Pair
from latentdiff.noisydiff.pairs.sampling import truth_of
from latentdiff.noisydiff.scoring.leads import lead_scores, planted_labels, score_leads, shows
from latentdiff.noisydiff.scoring.measures import by_wordnet

DOGS, PLAIN, OTHERS = (tuple(f"{kind}{i}" for i in range(20)) for kind in ("dog", "plain", "other"))
KNOWN = Annotated(
    {id: frozenset({"dog"} if id.startswith("dog") else {"house"}) for id in (*DOGS, *PLAIN, *OTHERS)},
    {"dog": truth_of("dog"), "house": truth_of("house")},
)
PAIR = Pair("p", "", (*DOGS[:10], *PLAIN), (*OTHERS, *DOGS[10:]), {"a": truth_of("dog")}, 1 / 3, planted={"a": 10})
PURE, HALF, OFF = DOGS[:4], (*DOGS[:2], *PLAIN[:2]), (*DOGS[:1], *PLAIN[:2])


def said(*leads: tuple[tuple[str, ...], tuple[str, ...]], role: Any = "lead", **changed: Any) -> Prediction:
    """Findings of A: (words, images that show them)."""
    words, shown = tuple(lead[0] for lead in leads), tuple(lead[1] for lead in leads)
    return replace(Prediction("m", "p", {"a": words}, {}, {"a": (role,) * len(leads)}, {"a": shown}), **changed)


@settings(deadline=None)
@given(st.permutations([*DOGS, *PLAIN, *OTHERS]), st.integers(0, 30))
def test_a_lead_shows_what_at_least_half_of_its_first_twelve_images_of_its_side_carry(
    order: list[str], many: int
) -> None:
    given = tuple(order[:many])
    own = [id for id in given[:12] if id in PAIR.a]
    expected = bool(own) and sum(id.startswith("dog") for id in own) / len(own) >= 0.5
    assert shows(Claim("a", "lead", ("x",), given), PAIR.a, frozenset({"dog"}), KNOWN) == expected


def test_images_of_the_other_side_play_no_part() -> None:
    assert shows(Claim("a", "lead", ("x",), (*OTHERS[:10], "dog0")), PAIR.a, frozenset({"dog"}), KNOWN)
    assert not shows(Claim("a", "lead", ("x",), OTHERS[:10]), PAIR.a, frozenset({"dog"}), KNOWN)


def test_words_count_for_the_first_lead_that_shows_what_was_planted() -> None:
    one = said((("dog",), OFF), (("snow", "domestic dog"), PURE), (("dog",), HALF))
    (found,) = score_leads([PAIR], [one], KNOWN, by_wordnet)
    assert (found.leads, found.others, found.found) == (3, 1, True)
    assert (found.first_word, found.any_word) == (False, True)
    (late,) = score_leads([PAIR], [said((("a", "b", "c", "d", "e", "dog"), PURE))], KNOWN, by_wordnet)
    assert late.found and not late.any_word
    (missed,) = score_leads([PAIR], [said((("dog",), OFF))], KNOWN, by_wordnet)
    assert not (missed.found or missed.first_word or missed.any_word) and missed.others == 1


def test_what_travels_with_a_lead_is_none_and_what_is_confirmed_without_roles_is_one() -> None:
    (found,) = score_leads([PAIR], [said((("dog",), PURE), role="travels")], KNOWN, by_wordnet)
    assert (found.leads, found.found) == (0, False)
    (found,) = score_leads([PAIR], [said((("dog",), PURE), roles={}, confirmed={"a": (True,)})], KNOWN, by_wordnet)
    assert (found.leads, found.found) == (1, True)


def test_a_method_that_never_says_which_images_show_its_findings_is_not_judged_by_them() -> None:
    silent = said((("dog",), ()), method="words alone")
    assert score_leads([PAIR], [silent], KNOWN, by_wordnet) == []


def test_the_planted_labels_are_those_called_by_the_truth() -> None:
    assert planted_labels(PAIR, "a", KNOWN) == {"dog"}
    assert planted_labels(PAIR, "b", KNOWN) == frozenset()


def test_scores_are_shares_of_sides_and_of_leads_at_each_scarcity() -> None:
    rare = replace(PAIR, id="rare", scarcity=0.1, planted={"a": 3})
    both = replace(PAIR, id="both", truth={"a": truth_of("dog"), "b": truth_of("house")}, planted={"a": 10, "b": 20})
    answers = [
        said((("dog",), PURE), (("x",), OFF)),
        replace(said((("x", "dog"), PURE), (("y",), OFF), (("z",), OFF)), pair="both"),
        replace(said((("x",), OFF)), pair="rare"),
    ]
    many, few = lead_scores(score_leads([PAIR, rare, both], answers, KNOWN, by_wordnet))
    assert (many.scarcity, few.scarcity) == (0.333, 0.1)
    assert many.planted == pytest.approx((10 + 10 + 20) / 3) and few.planted == 3
    assert many.found.value == pytest.approx(2 / 3) and many.found.pairs == 2
    assert many.others.value == pytest.approx(3 / 5)
    assert many.first_word.value == pytest.approx(1 / 3) and many.any_word.value == pytest.approx(2 / 3)
    assert (few.found.value, few.others.value, few.any_word.value) == (0, 1, 0)
