"""What a method says of a pair: at most some findings a side, each of some words, best first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from latentdiff.hypotheses import Side

TOP = 5  # findings a side that are looked at

SideFindings = tuple[tuple[str, ...], ...]  # best first; a finding is its words, best first


@dataclass(frozen=True)
class Prediction:
    """What one method says of one pair. A method leaves the first two empty; the benchmark fills them in."""

    method: str = ""  # "concept", "density", "combined", "visdiff", ...
    pair: str = ""  # Pair.id
    findings: Mapping[Side, SideFindings] = field(default_factory=dict)
    confirmed: Mapping[Side, tuple[bool, ...]] = field(default_factory=dict)  # of the first; {}: none is checked
    abstained: bool = False  # "no difference" was the answer
    seconds: float = 0.0
    captioned: int = 0  # images that a captioner looked at
    details: Mapping[str, Any] = field(default_factory=dict)  # what the page shows: evidence, image ids
