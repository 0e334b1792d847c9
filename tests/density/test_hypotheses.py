from __future__ import annotations

import numpy as np
import pytest

from latentdiff.density import hypotheses
from latentdiff.evidence import gather_evidence
from latentdiff.findings import ImageRef, Verification
from latentdiff.language import Difference


def verification(count_a: int, count_b: int) -> Verification:
    p = np.array([0.01])
    return Verification("confirmed", 0.1, gather_evidence(np.array([count_a]), 100, np.array([count_b]), 100, p, p)[0])


def test_phrases_become_findings_with_the_images_that_support_them_and_the_evidence_of_their_check():
    extreme = [ImageRef("a", 4, "x", "", 2.0), ImageRef("a", 9, "y", "", 1.0), ImageRef("b", 1, "z", "", -2.0)]
    differences = [Difference("grass", "a", (1,)), Difference("snow", "b", (0,)), Difference("dog", "a", (0, 1))]
    checks = [verification(20, 10), verification(0, 30), verification(30, 10)]
    findings = hypotheses(extreme, differences, checks)
    assert [(f.side, f.words) for f in findings] == [("a", ("dog",)), ("a", ("grass",)), ("b", ("snow",))]
    assert [f.score for f in findings] == pytest.approx([0.2, 0.1, 0.3])
    assert [ref.id for ref in findings[0].images] == ["x", "y"]
    assert findings[2].images == (extreme[2],)
    assert findings[2].evidence is checks[1].evidence
    assert all(f.branches == ("density",) and f.verification for f in findings)


def test_what_nobody_verified_has_its_images_and_counts_the_captions_that_say_it():
    captions = [("a", "a dog on grass"), ("a", "Dog"), ("a", "hotdog"), ("b", "snow, a dog"), ("b", "")]
    extreme = [ImageRef(side, row, str(row), "", 1.0, caption) for row, (side, caption) in enumerate(captions)]
    first, second = hypotheses(extreme, [Difference("snow", "b", (0,)), Difference("dog", "a", (0, 1))])
    assert (first.words, second.words) == (("snow",), ("dog",))  # in the order given
    assert second.images == tuple(extreme[:2])
    assert first.images == (extreme[3],)
    assert (second.score, second.verification) == (2.0, None)
    counted = second.evidence
    assert (counted.count_a, counted.n_a, counted.count_b, counted.n_b, counted.q_value) == (2, 3, 1, 2, 1.0)
