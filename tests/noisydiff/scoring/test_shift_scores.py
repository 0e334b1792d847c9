"""What is said of pairs of two styles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from latentdiff.noisydiff.methods.predictions import Prediction
from latentdiff.noisydiff.pairs.builder import Annotated
from latentdiff.noisydiff.pairs.pair import Pair
from latentdiff.noisydiff.pairs.shifts import Planting, ShiftSettings, Styled, shift_pair, shift_pairs
from latentdiff.noisydiff.scoring.measures import by_names
from latentdiff.noisydiff.scoring.shifts import score_shifts, shift_summaries

IMAGES = {
    f"{style}-{name}-{i}": Styled(style, name, frozenset({name}))
    for style in ("photo", "sketch")
    for name in ("dog", "house")
    for i in range(60)
}
NAMES = {"sketch": ["drawing"]}
PAIRS = {
    "alone": shift_pair(IMAGES, ("photo", "sketch"), 40, names=NAMES),
    "planted": shift_pair(IMAGES, ("photo", "sketch"), 40, Planting("dog", "b", 0.08), names=NAMES),
    "one style": shift_pair(IMAGES, ("photo", "photo"), 20, Planting("dog", "a", 0.08)),
}
KNOWN = Annotated(
    {id: one.labels | {one.style} for id, one in IMAGES.items()},
    {t.phrase: t for pair in PAIRS.values() for t in (*pair.truth.values(), *pair.shift.values())},
)


def said(pair: str, **of_sides: Any) -> Prediction:
    """Findings of a side: (role, first word, images that show it)."""
    return Prediction(
        "m",
        PAIRS[pair].id,
        {side: tuple((word,) for _, word, _ in own) for side, own in of_sides.items()},  # type: ignore[misc]
        roles={side: tuple(role for role, _, _ in own) for side, own in of_sides.items()},  # type: ignore[misc]
        shown={side: tuple(shown for _, _, shown in own) for side, own in of_sides.items()},  # type: ignore[misc]
    )


def score(*predictions: Prediction) -> list[Any]:
    return score_shifts(list(PAIRS.values()), predictions, KNOWN, by_names)


def shown(style: str, name: str) -> tuple[str, ...]:
    ids = {*PAIRS["planted"].a, *PAIRS["planted"].b, *PAIRS["one style"].a}
    return tuple(sorted(id for id in ids if id.startswith(f"{style}-{name}")))[:12]


def test_a_shift_is_called_by_its_first_word_on_each_side_and_the_styles_names_count() -> None:
    (one,) = score(said("alone", a=[("shift", "fur", ()), ("shift", "photo", ())], b=[("shift", "drawings", ())]))
    assert (one.shift, one.called, one.named) == ("photo, sketch", ("fur", "drawings"), 1)
    (none,) = score(said("alone", a=[("lead", "photo", ())], b=[("travels", "sketch", ())]))
    assert (none.called, none.named, none.leads, none.false_leads) == (("", ""), 0, 1, 1)
    (exchanged,) = score(said("alone", a=[("shift", "sketch", ())], b=[("shift", "photo", ())]))
    assert exchanged.named == 0


def test_what_is_planted_is_found_by_images_or_by_word_and_other_leads_are_false() -> None:
    dogs, houses = shown("sketch", "dog"), shown("sketch", "house")
    (by_image,) = score(said("planted", b=[("lead", "fur", dogs), ("lead", "roof", houses), ("travels", "x", houses)]))
    assert (by_image.planted, by_image.share) == ("dog", 0.08)
    assert (by_image.found, by_image.found_by_word, by_image.leads, by_image.false_leads) == (True, False, 2, 1)
    (alone,) = score(said("alone", b=[("lead", "fur", dogs)]))
    assert (alone.found, alone.found_by_word) == (None, None)  # nothing to be found
    (by_word,) = score(said("planted", b=[("lead", "dog", houses)]))
    assert (by_word.found, by_word.found_by_word, by_word.false_leads) == (False, True, 0)
    (other_side,) = score(said("planted", a=[("lead", "dog", shown("photo", "dog"))]))
    assert not other_side.found and not other_side.found_by_word and other_side.false_leads == 1


def test_a_method_that_always_says_different_or_shows_no_image_is_not_judged_by_that() -> None:
    always = Prediction("always", PAIRS["planted"].id, {"b": (("dog",),)})
    words = replace(always, method="words", confirmed={"b": (True,)})
    never, by_word = score(always, words)
    assert (never.different, never.found, never.found_by_word) == (None, None, False)
    assert (by_word.different, by_word.found, by_word.found_by_word) == (True, None, True)
    assert all(of.found.pairs == 0 for of in shift_summaries([never, by_word]))


def test_pairs_of_other_builders_are_not_scored() -> None:
    other = Pair("other", "", ("1",), ("2",), {}, 0.0, recipe={"builder": "halves"})
    assert score_shifts([other], [Prediction("m", "other")], KNOWN, by_names) == []


def test_a_method_is_summed_up_for_each_kind_of_pair() -> None:
    dogs = shown("sketch", "dog")
    told = [("shift", "photo", ())]
    answers = [
        said("alone", a=told, b=[("shift", "sketch", ())]),
        said("planted", a=told, b=[("lead", "fur", dogs), ("lead", "x", ())]),
        replace(said("one style"), abstained=True),
    ]
    alone, planted, within = shift_summaries(score(*answers))
    assert [(of.shift, of.share, of.pairs) for of in (alone, planted, within)] == [
        (True, 0.0, 1), (True, 0.08, 1), (False, 0.08, 1),
    ]  # fmt: skip
    assert (alone.told.value, alone.named.value, alone.false_leads.value) == (1, 1, 0)
    assert alone.found.pairs == 0  # nothing to be found
    assert (planted.named.value, planted.found.value, planted.found_by_word.value, planted.false_leads.value) == (
        0.5, 1, 0, 1,
    )  # fmt: skip
    assert (within.different.value, within.told.value, within.named.pairs) == (0, 0, 0)


def test_shares_are_means_over_pairs() -> None:
    pairs = shift_pairs(IMAGES, ShiftSettings(each=40, draws=4, shares=()))
    answers = [Prediction("m", pair.id, abstained=i > 0) for i, pair in enumerate(pairs)]
    (alone,) = shift_summaries(score_shifts(pairs, answers, KNOWN, by_names))
    assert (alone.pairs, alone.different.value) == (4, pytest.approx(0.25))
    assert 0 <= alone.different.interval.low < 0.25 < alone.different.interval.high <= 1
