"""What a method says of a pair: at most some findings a side, each of some words, best first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from latentdiff.hypotheses import SIDES, Side

TOP = 5  # findings a side that are looked at
SHOWN = 12  # images of a finding that are looked at

Role = Literal[
    "lead", "travels", "shift", ""
]  # significant given all others; explained by one; of whole sets; unclaimed
ROLES: tuple[Role, ...] = ("lead", "travels", "shift", "")

SideFindings = tuple[tuple[str, ...], ...]  # best first; a finding is its words, best first


@dataclass(frozen=True)
class Prediction:
    """What one method says of one pair. A method leaves the first two empty; the benchmark fills them in.

    Raises:
        ValueError: a role is none of ROLES, or roles or shown images are not of the findings.
    """

    method: str = ""  # "concept", "density", "combined", "visdiff", ...
    pair: str = ""  # Pair.id
    findings: Mapping[Side, SideFindings] = field(default_factory=dict)
    confirmed: Mapping[Side, tuple[bool, ...]] = field(default_factory=dict)  # of the first; {}: none is checked
    roles: Mapping[Side, tuple[Role, ...]] = field(default_factory=dict)  # of each finding; {}: the method knows none
    shown: Mapping[Side, tuple[tuple[str, ...], ...]] = field(
        default_factory=dict
    )  # ids of either set, strongest first
    abstained: bool = False  # "no difference" was the answer
    seconds: float = 0.0
    captioned: int = 0  # images that a captioner looked at
    details: Mapping[str, Any] = field(default_factory=dict)  # what the page shows: evidence, image ids

    def __post_init__(self) -> None:
        for name, told in (("roles", self.roles), ("shown", self.shown)):
            for side, of_findings in told.items():
                if len(of_findings) != len(self.findings.get(side, ())):
                    raise ValueError(
                        f"{name} of {side}: {len(of_findings)}, of {len(self.findings.get(side, ()))} findings"
                    )
        if strange := {role for roles in self.roles.values() for role in roles} - set(ROLES):
            raise ValueError(f"no roles: {strange}")


@dataclass(frozen=True)
class Claim:
    """One finding that a method claims to be true."""

    side: Side  # that is said to have more of it
    role: Literal["lead", "travels", "shift", "confirmed"]  # confirmed: the method knows no roles
    words: tuple[str, ...]
    shown: tuple[str, ...] = ()  # ids of images that show it strongest, of either set


LEADS = ("lead", "confirmed")  # roles of claims that stand for themselves


def claims_of(prediction: Prediction) -> list[Claim]:
    """What a prediction claims, side by side, best first; a method without roles claims what it confirms."""
    claims = []
    for side in SIDES:
        findings = prediction.findings.get(side, ())
        shown = prediction.shown.get(side, ((),) * len(findings))
        roles: tuple[Any, ...] = prediction.roles.get(side, ("",) * len(findings))
        if not prediction.roles:
            held = prediction.confirmed.get(side, ())
            roles = tuple("confirmed" if one else "" for one in (*held, *(False,) * (len(findings) - len(held))))
        claims += [Claim(side, role, *of) for role, *of in zip(roles, findings, shown, strict=False) if role]
    return claims
