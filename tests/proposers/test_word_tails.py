from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import word_space
from exchange import assert_exchanged
from scipy import stats

from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import SIDES, Part
from latentdiff.pipeline import CompareSettings
from latentdiff.proposers import Proposal, word_tails
from latentdiff.proposers.word_tails import WordTailsSettings, propose
from latentdiff.statistics import adjust


def proposed(a, b, **options) -> Proposal:
    workspace = word_space.workspace(a, b)
    return propose(workspace.contrast, workspace, CompareSettings(word_tails=WordTailsSettings(**options)))


def tails_by_hand(a, b, share: float) -> tuple[np.ndarray, np.ndarray]:
    """[words] how many images of each side are among the nearest to each word."""
    rows = np.concatenate([a.rows(slice(None)), b.rows(slice(None))]).astype(float)
    rows -= rows.mean(0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    near = rows @ word_space.workspace(a, b).words.vectors.T.astype(float)
    tail = np.argsort(-near, axis=0)[: round(share * len(rows))]
    return (tail < a.n).sum(0), (tail >= a.n).sum(0)


def test_every_words_tail_is_counted_and_tested_as_by_hand():
    a, b = word_space.planted()
    in_a, in_b = tails_by_hand(a, b, 0.02)
    p = np.array([stats.fisher_exact([[x, a.n - x], [y, b.n - y]]).pvalue for x, y in zip(in_a, in_b, strict=True)])
    q = adjust(p)
    proposal = proposed(a, b, words=25)
    assert len(proposal.hypotheses) > 25
    for one in proposal.hypotheses:
        word = word_space.WORDS.index(one.words[0])
        assert (one.evidence.count_a, one.evidence.count_b) == (in_a[word], in_b[word])
        assert (one.evidence.n_a, one.evidence.n_b) == (a.n, b.n)
        assert one.evidence.p_value == -one.score == pytest.approx(p[word])
        assert one.evidence.q_value == pytest.approx(q[word])
        more = in_a[word] / a.n - in_b[word] / b.n
        assert one.side == ("a" if more > 0 else "b") and more != 0
    for side in SIDES:
        own = [one for one in proposal.hypotheses if one.side == side]
        assert [one.rank for one in own] == list(range(1, len(own) + 1))
        assert [one.score for one in own] == sorted((one.score for one in own), reverse=True)
        assert len({one.words for one in own}) == len(own) <= 25


def test_a_planted_word_comes_first_on_its_side_with_images_that_show_it():
    hypotheses = proposed(*word_space.planted()).hypotheses
    first = {side: next(one for one in hypotheses if one.side == side) for side in SIDES}
    assert {side: one.words for side, one in first.items()} == {"a": ("kite",), "b": ("tie",)}
    assert all(one.proposer == "word_tails" for one in hypotheses)
    assert all(ref.row < 0.33 * size for one, size in ((first["a"], 400), (first["b"], 300)) for ref in one.images)


def test_of_equal_p_values_the_word_whose_tail_reaches_further_goes_first():
    a, b = word_space.planted()
    hypotheses = proposed(a, b, words=25).hypotheses
    workspace = word_space.workspace(a, b)
    rows = [one.rows(slice(None)) - workspace.contrast.centre for one in (a, b)]
    rows = [own / np.linalg.norm(own, axis=1, keepdims=True) for own in rows]

    def reach(word: str) -> float:
        near = [own @ workspace.words.vectors[word_space.WORDS.index(word)] for own in rows]
        bar = np.sort(np.concatenate(near))[-round(0.02 * (a.n + b.n))]
        return abs(np.subtract(*(np.maximum(one - bar, 0).mean() for one in near)))

    ties = 0
    for side in SIDES:
        own = [one for one in hypotheses if one.side == side]
        for first, second in pairwise(own):
            if first.score == second.score:
                ties += 1
                assert reach(first.words[0]) >= reach(second.words[0]) - 1e-6
    assert ties > 5


def test_words_in_blocks_say_what_they_say_at_once(monkeypatch):
    a, b = word_space.planted()
    at_once = proposed(a, b)
    monkeypatch.setattr(word_tails, "COSINES_AT_ONCE", 7 * 700)
    workspace, told = word_space.workspace(a, b), []
    in_blocks = propose(workspace.contrast, workspace, CompareSettings(), lambda *step: told.append(step))
    assert [(one.words, one.evidence) for one in in_blocks.hypotheses] == [
        (one.words, one.evidence) for one in at_once.hypotheses
    ]
    count = len(word_space.WORDS)
    assert told == [("word tails", done, count) for done in [*range(0, count, 7), count]]


def test_exchanging_the_sets_flips_every_side_and_changes_nothing_else():
    a, b = word_space.planted()
    assert_exchanged(proposed(a, b), proposed(b, a))


def test_the_order_of_the_images_does_not_matter():
    a, b = word_space.planted()
    shuffled = (one.select(np.random.default_rng(0).permutation(one.n)) for one in (a, b))
    assert [(one.words, one.evidence) for one in proposed(*shuffled).hypotheses] == [
        (one.words, one.evidence) for one in proposed(a, b).hypotheses
    ]


def test_only_the_images_that_may_be_looked_at_count():
    a, b = word_space.planted()
    workspace = word_space.workspace(a, b)
    rows = {"a": np.arange(0, a.n, 2), "b": np.arange(1, b.n, 3)}
    found = propose(workspace.contrast.among(rows, Part.DISCOVERY), workspace, CompareSettings())
    in_a, in_b = tails_by_hand(a.select(rows["a"]), b.select(rows["b"]), 0.02)
    for one in found.hypotheses:
        word = word_space.WORDS.index(one.words[0])
        assert (one.evidence.count_a, one.evidence.count_b) == (in_a[word], in_b[word])
        assert all(ref.row in rows[one.side] for ref in one.images)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"share": 1.0}, "word_tails.share must lie between 0 and 1; it is 1.0"),
        ({"words": 0}, "word_tails.words must be at least 1; it is 0"),
        ({"exemplars": -1}, "word_tails.exemplars must be at least 0; it is -1"),
    ],
)
def test_a_setting_out_of_range_is_named(options, says):
    with pytest.raises(LatentDiffError, match=says):
        WordTailsSettings(**options)


def test_of_too_few_images_nothing_is_proposed():
    """The last image of a tail is its bar: with one image in it every word would tie."""
    a, b = (one.select(np.arange(30)) for one in word_space.planted())
    found = proposed(a, b)
    assert found.not_run is not None and (found.not_run.needed, found.not_run.n_a) == (50, 30)
    assert found.hypotheses == () and found.p_value is None
