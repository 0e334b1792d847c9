from __future__ import annotations

import numpy as np
import pytest
import word_space
from exchange import assert_exchanged

from latentdiff.contrasts import Contrast
from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import SIDES, Part
from latentdiff.pipeline import CompareSettings
from latentdiff.proposers import Proposal
from latentdiff.proposers.mean_shift import MeanShift, MeanShiftSettings, propose


def proposed(a, b, **options) -> Proposal:
    workspace = word_space.workspace(a, b)
    return propose(workspace.contrast, workspace, CompareSettings(mean_shift=MeanShiftSettings(**options)))


@pytest.mark.parametrize("centre", [True, False])
def test_words_are_ranked_by_the_cosine_with_the_difference_of_the_means(centre):
    a, b = word_space.planted()
    shift = a.rows(slice(None)).astype(float).mean(0) - b.rows(slice(None)).astype(float).mean(0)
    vectors = word_space.WordEncoder().encode_texts(word_space.WORDS).numpy().astype(float)
    if centre:
        vectors -= vectors.mean(0)
    cosines = vectors @ shift / np.linalg.norm(vectors, axis=1) / np.linalg.norm(shift)
    proposal = proposed(a, b, centre=centre, words=25)
    for side, sign in (("a", 1), ("b", -1)):
        own = [one for one in proposal.hypotheses if one.side == side]
        best = np.argsort(-sign * cosines)[:25]
        assert [one.words for one in own] == [(word_space.WORDS[i],) for i in best]
        assert [one.score for one in own] == pytest.approx(sign * cosines[best], abs=1e-6)
        assert [one.rank for one in own] == list(range(1, 26))
        assert all((one.proposer, one.part, one.evidence) == ("mean_shift", Part.ALL, None) for one in own)
    assert proposal.artefact == MeanShift(pytest.approx(np.linalg.norm(shift)))
    assert proposal.p_value is None  # it tests nothing


def test_a_planted_word_comes_first_on_its_side_with_images_that_show_it():
    hypotheses = proposed(*word_space.planted()).hypotheses
    first = {side: next(one for one in hypotheses if one.side == side) for side in SIDES}
    assert {side: one.words for side, one in first.items()} == {"a": ("kite",), "b": ("tie",)}
    assert all(ref.row < 0.33 * size for one, size in ((first["a"], 400), (first["b"], 300)) for ref in one.images)
    assert [len(one.images) for one in first.values()] == [6, 6]


@pytest.mark.parametrize("centre", [True, False])
def test_exchanging_the_sets_flips_every_side_and_changes_nothing_else(centre):
    a, b = word_space.planted()
    there, back = proposed(a, b, centre=centre), proposed(b, a, centre=centre)
    assert_exchanged(there, back)
    assert there.artefact == back.artefact


def test_the_order_of_the_images_does_not_matter():
    a, b = word_space.planted()
    shuffled = (one.select(np.random.default_rng(0).permutation(one.n)) for one in (a, b))
    assert [one.words for one in proposed(*shuffled).hypotheses] == [one.words for one in proposed(a, b).hypotheses]


def test_only_the_images_that_may_be_looked_at_count():
    a, b = word_space.planted()
    workspace = word_space.workspace(a, b)
    rows = {"a": np.arange(0, a.n, 2), "b": np.arange(1, b.n, 3)}
    found = propose(workspace.contrast.among(rows, Part.DISCOVERY), workspace, CompareSettings())
    alone = Contrast.between(a.select(rows["a"]), b.select(rows["b"]))
    expected = propose(alone, workspace, CompareSettings())
    assert [(one.words, one.score) for one in found.hypotheses] == [
        (one.words, one.score) for one in expected.hypotheses
    ]
    assert all(ref.row in rows[one.side] for one in found.hypotheses for ref in one.images)


def test_a_set_does_not_shift_from_itself():
    a, _ = word_space.planted()
    proposal = proposed(a, a)
    assert proposal.artefact == MeanShift(0.0)
    assert all(one.score == 0 for one in proposal.hypotheses)


@pytest.mark.parametrize(("key", "least"), [("words", 1), ("exemplars", 0)])
def test_a_setting_out_of_range_is_named(key, least):
    with pytest.raises(LatentDiffError, match=f"mean_shift.{key} must be at least {least}; it is {least - 1}"):
        MeanShiftSettings(**{key: least - 1})


def test_equal_means_propose_nothing():
    a, _ = word_space.planted()
    found = proposed(a, a.select(np.arange(a.n)[::-1]))
    assert found.hypotheses == () and found.artefact.distance < 1e-6
