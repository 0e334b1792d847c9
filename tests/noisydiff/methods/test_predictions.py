from __future__ import annotations

from typing import Any

import pytest

from latentdiff.noisydiff.methods.predictions import Claim, Prediction, claims_of

FINDINGS = {"a": (("dog", "puppy"), ("grass",), ("snow",)), "b": (("sketch",),)}


def test_with_roles_all_is_claimed_that_has_one() -> None:
    shown = {"a": (("1", "2"), (), ("3",)), "b": (("9",),)}
    prediction = Prediction(
        findings=FINDINGS,  # type: ignore[arg-type]
        confirmed={"a": (True, True, True), "b": (True,)},
        roles={"a": ("lead", "", "travels"), "b": ("shift",)},
        shown=shown,  # type: ignore[arg-type]
    )
    assert claims_of(prediction) == [
        Claim("a", "lead", ("dog", "puppy"), ("1", "2")),
        Claim("a", "travels", ("snow",), ("3",)),
        Claim("b", "shift", ("sketch",), ("9",)),
    ]


def test_without_roles_what_is_confirmed_is_claimed_and_without_either_nothing() -> None:
    prediction = Prediction(findings=FINDINGS, confirmed={"a": (False, True)})  # type: ignore[arg-type]
    assert claims_of(prediction) == [Claim("a", "confirmed", ("grass",))]
    assert claims_of(Prediction(findings=FINDINGS)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"roles": {"a": ("lead",)}}, "roles of a: 1, of 3 findings"),
        ({"shown": {"b": ((), ())}}, "shown of b: 2, of 1 findings"),
        ({"roles": {"b": ("led",)}}, "no roles: {'led'}"),
    ],
)
def test_roles_and_images_that_are_not_of_the_findings_are_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Prediction(findings=FINDINGS, **given)  # type: ignore[arg-type]
