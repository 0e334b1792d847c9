from __future__ import annotations

import numpy as np
import pytest
import word_space
from scipy import stats

from latentdiff.contrasts import Contrast
from latentdiff.hypotheses import SIDES, opposite
from latentdiff.result import BROAD, BROAD_IN_THE_MIDDLE, SEPARATES, OverallShift
from latentdiff.splits import position
from latentdiff.statistics.conditional import NullModel, Shown
from latentdiff.verification.shift import FOLDS, IMAGES, WORDS, MeasuredShift, describe_shift, measure_shift


def moved_pair(by: float, n: int = 300) -> tuple[Contrast, MeasuredShift]:
    sets = word_space.showing([()] * n, 1, "kite", by), word_space.showing([()] * n, 2)
    contrast = Contrast.between(*sets)
    return contrast, measure_shift(contrast)


def test_what_a_few_images_show_is_no_overall_shift_and_what_all_are_moved_by_is():
    rare = word_space.images(500, "kite", 0.05, seed=1), word_space.images(500, seed=2)
    summary = measure_shift(Contrast.between(*rare)).summary
    assert summary.auroc < 0.62 and not summary.is_broad
    assert moved_pair(0.3)[1].summary.is_broad and not moved_pair(0.3)[1].summary.separates
    assert moved_pair(2.0)[1].summary.separates


def test_sets_that_do_not_differ_have_an_area_of_one_half_out_of_fold():
    found = [measure_shift(Contrast.between(*(word_space.images(120, seed=2 * seed + side) for side in (0, 1)))).summary
             for seed in range(30)]  # fmt: skip
    areas = np.array([one.auroc for one in found])
    assert areas.mean() == pytest.approx(0.5, abs=0.03)
    assert np.mean([one.auroc_interval.low <= 0.5 <= one.auroc_interval.high for one in found]) >= 0.85
    assert not any(one.is_broad for one in found)


def test_every_image_is_scored_along_the_means_of_the_other_folds():
    contrast, found = moved_pair(0.2, n=120)
    rows = {side: contrast.sets[side].rows(slice(None)).astype(float) for side in SIDES}
    fold = {side: (position(contrast.sets[side].hashes, "overall shift") * FOLDS).astype(int) for side in SIDES}
    first, other = contrast.pooled.first, opposite(contrast.pooled.first)
    scores = {side: np.zeros(120) for side in SIDES}
    areas, pairs = [], []
    for f in range(FOLDS):
        mean = {side: rows[side][fold[side] != f].mean(0) for side in SIDES}
        along = mean[first] - mean[other]
        along /= np.linalg.norm(along)
        for side in SIDES:
            scores[side][fold[side] == f] = (rows[side][fold[side] == f] - (mean["a"] + mean["b"]) / 2) @ along
        own, others = (scores[side][fold[side] == f] for side in (first, other))
        pairs.append(len(own) * len(others))
        areas.append(stats.mannwhitneyu(own, others).statistic / pairs[-1])
    for side in SIDES:
        np.testing.assert_allclose(found.score[contrast.pooled.place[side]], scores[side], atol=1e-5)
    assert found.summary.auroc == pytest.approx(np.average(areas, weights=pairs), abs=1e-3)
    np.testing.assert_allclose(found.direction, rows[first].mean(0) - rows[other].mean(0), atol=1e-6)


def test_exchanging_the_sets_changes_nothing_and_the_order_of_the_images_nothing_but_rounding():
    contrast, one = moved_pair(0.3)
    a, b = (contrast.sets[side] for side in SIDES)
    other = measure_shift(Contrast.between(b, a))
    assert one.summary == other.summary
    np.testing.assert_array_equal(one.score, other.score)
    np.testing.assert_array_equal(one.direction, other.direction)
    order = np.random.default_rng(0).permutation(a.n)
    again = measure_shift(Contrast.between(a.select(order), b))
    np.testing.assert_allclose(one.score, again.score, atol=1e-6)


def test_a_set_lies_not_apart_from_itself():
    same = word_space.images(100, seed=1)
    found = measure_shift(Contrast.between(same, same))
    assert found.summary.auroc == 0.5 and not found.direction.any()


def test_few_images_leave_folds_empty_and_that_is_no_error():
    found = measure_shift(Contrast.between(word_space.images(2, seed=1), word_space.images(2, seed=2)))
    assert 0 <= found.summary.auroc <= 1 and np.isfinite(found.score).all()


def test_it_is_told_by_the_words_along_it_and_the_images_farthest_out():
    contrast, found = moved_pair(0.4)
    words = word_space.workspace(*(contrast.sets[side] for side in SIDES)).words
    told = describe_shift(found, contrast, words)
    assert [one.side for one in told] == ["a", "b"] and not any(one.label_blind for one in told)
    assert told[0].words[0] == "kite" and all(len(one.words) == WORDS for one in told)
    cosines = words.vectors @ found.direction * (1 if contrast.pooled.first == "a" else -1)
    assert told[1].words[0] == words.words[cosines.argmin()]
    for one in told:
        sign = 1 if one.side == contrast.pooled.first else -1
        along = sign * found.score[contrast.pooled.place[one.side]]
        assert [ref.row for ref in one.images] == np.argsort(-along, kind="stable")[:IMAGES].tolist()
        assert all(ref.side == one.side for ref in one.images)


def test_exchanging_the_sets_tells_the_same_of_the_other_side():
    contrast, found = moved_pair(0.4)
    a, b = (contrast.sets[side] for side in SIDES)
    words, turned = word_space.workspace(a, b).words, Contrast.between(b, a)
    one, other = describe_shift(found, contrast, words), describe_shift(measure_shift(turned), turned, words)
    assert [h.words for h in one] == [h.words for h in other[::-1]]
    assert [[ref.row for ref in h.images] for h in one] == [[ref.row for ref in h.images] for h in other[::-1]]


def test_given_the_shift_what_all_images_are_moved_by_is_known():
    contrast, found = moved_pair(0.3)
    score = contrast.cosines(word_space.directions()[:1])[:, 0]
    nearest = np.argsort(-score)[:100]
    own = contrast.pooled.own
    alone, given = (
        np.min(NullModel(own, covariates).log_p([Shown.alike(nearest)])) for covariates in ([], [found.covariate()])
    )
    assert alone < np.log(1e-6) and given > alone / 3


@pytest.mark.parametrize(
    ("area", "middle", "broad", "separates"),
    [
        (0.74, 0.74, False, False),
        (BROAD, BROAD_IN_THE_MIDDLE, True, False),
        (0.9, 0.64, False, False),  # what some images of each set show moves the ends alone
        (SEPARATES, 0.5, True, True),
    ],
)
def test_how_far_is_broad_and_how_far_says_everything(area, middle, broad, separates):
    shift = OverallShift(area, None, middle)  # type: ignore[arg-type]
    assert (shift.is_broad, shift.separates) == (broad, separates)


def test_a_difference_in_many_images_of_each_set_is_none_of_the_sets_as_wholes():
    found = measure_shift(Contrast.between(*word_space.planted(share=0.33))).summary
    assert found.auroc > 0.7 and found.auroc_middle < 0.65
    assert not found.is_broad
