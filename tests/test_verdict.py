from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdiff.verdict import LABEL_BLIND_SHARE, Shares, Verdict, VerdictKind, decide


@pytest.mark.parametrize(
    ("tests", "smallest", "expected"),
    [
        ([], None, Verdict(VerdictKind.NOT_TESTED, 1.0, 0, 0.05, None)),
        ([(0.01, 0.5), (0.4, 0.5)], 0.02, Verdict(VerdictKind.DIFFERENT, 0.02, 2, 0.05, 0.02)),
        ([(0.05, 1.0)], None, Verdict(VerdictKind.DIFFERENT, 0.05, 1, 0.05, None)),  # at the level
        ([(0.02, 0.25), (0.4, 0.5)], 0.02, Verdict(VerdictKind.NO_DIFFERENCE, 0.08, 2, 0.05, 0.02)),
        ([(0.02, 0.25), (0.02, 0.75)], 0.02, Verdict(VerdictKind.DIFFERENT, 0.02 / 0.75, 2, 0.05, 0.02)),
        ([(0.7, 0.5)], None, Verdict(VerdictKind.NO_DIFFERENCE, 1.0, 1, 0.05, None)),  # a p value is at most 1
        ([(0.7, 1.0)], 1.0, Verdict(VerdictKind.TOO_FEW_IMAGES, 0.7, 1, 0.05, 1.0)),
        ([(0.001, 1.0)], 1.0, Verdict(VerdictKind.DIFFERENT, 0.001, 1, 0.05, 1.0)),  # by another test
    ],
)
def test_the_verdict_follows_from_the_p_that_is_smallest_for_its_share_of_the_level(tests, smallest, expected):
    verdict = decide(tests, 0.05, smallest)
    assert verdict == expected
    assert verdict.different == (expected.kind is VerdictKind.DIFFERENT)


def test_the_level_decides():
    assert not decide([(0.03, 1.0)], 0.01, None).different
    assert decide([(0.03, 1.0)], 0.1, None).different


names = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


@given(names, st.integers(0, 8))
def test_the_shares_of_all_tests_together_are_one_level(proposers, cut):
    shares = replace(Shares.between(0.05, proposers[:cut], proposers[cut:]), halved=frozenset(proposers[cut:]))
    used = sum(shares.share(name) for name in proposers[:cut])
    used += sum(2 * shares.share(name) for name in proposers[cut:])  # its own test, and that of its texts
    assert used == pytest.approx(1.0 if proposers else 0.0)
    assert all(shares.level_of(name) == 0.05 * shares.share(name) for name in proposers)


def test_most_of_the_level_is_for_what_is_label_blind_where_there_are_others():
    both = Shares.between(0.05, ["latents"], ["phrases", "words"])
    assert both.share("latents") == LABEL_BLIND_SHARE
    assert both.share("phrases") == both.share("words") == pytest.approx((1 - LABEL_BLIND_SHARE) / 2)
    halved = replace(both, halved=frozenset(["phrases"]))  # it has a test of its own beside that of its texts
    assert halved.share("phrases") == both.share("phrases") / 2 and halved.share("words") == both.share("words")
    assert Shares.between(0.05, ["latents"], []).share("latents") == 1
    assert Shares.between(0.05, [], ["phrases"]).share("phrases") == 1
