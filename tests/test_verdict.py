from __future__ import annotations

import pytest

from latentdiff.verdict import Verdict, VerdictKind, decide


@pytest.mark.parametrize(
    ("p_values", "smallest", "expected"),
    [
        ([], None, Verdict(VerdictKind.NOT_TESTED, 1.0, 0, 0.05, None)),
        ([0.01, 0.4], 0.02, Verdict(VerdictKind.DIFFERENT, 0.02, 2, 0.05, 0.02)),
        ([0.05], None, Verdict(VerdictKind.DIFFERENT, 0.05, 1, 0.05, None)),  # at the level
        ([0.02, 0.4, 0.9], 0.02, Verdict(VerdictKind.NO_DIFFERENCE, 0.06, 3, 0.05, 0.02)),
        ([0.7, 0.6], None, Verdict(VerdictKind.NO_DIFFERENCE, 1.0, 2, 0.05, None)),  # a p value is at most 1
        ([0.7], 1.0, Verdict(VerdictKind.TOO_FEW_IMAGES, 0.7, 1, 0.05, 1.0)),
        (
            [0.001],
            1.0,
            Verdict(VerdictKind.DIFFERENT, 0.001, 1, 0.05, 1.0),
        ),  # by another test
    ],
)
def test_the_verdict_follows_from_the_smallest_p_corrected_for_all(p_values, smallest, expected):
    verdict = decide(p_values, 0.05, smallest)
    assert verdict == expected
    assert verdict.different == (expected.kind is VerdictKind.DIFFERENT)


def test_the_level_decides():
    assert not decide([0.03], 0.01, None).different
    assert decide([0.03], 0.1, None).different
