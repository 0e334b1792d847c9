from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from latentdiff.embeddings import from_arrays, store
from latentdiff.proposers.density_ratio.crossfit import calibrate, choose_decay, cross_fit, standardise
from latentdiff.proposers.density_ratio.distinct_images import gather_distinct
from latentdiff.proposers.density_ratio.settings import DensitySettings

QUICK = DensitySettings(weight_decays=(0.1, 1.0), iterations=20)


def test_a_folds_scores_do_not_know_its_labels(two_sets):
    images = gather_distinct(*two_sets(n=100, planted=0.2), folds=5, seed=0)
    flip = images.fold == 2
    row_a = np.where(flip, images.row_b, images.row_a)
    row_b = np.where(flip, images.row_a, images.row_b)
    flipped = dataclasses.replace(images, row_a=row_a, row_b=row_b)
    before, after = cross_fit(images, QUICK), cross_fit(flipped, QUICK)
    np.testing.assert_allclose(before.log_ratio[flip], after.log_ratio[flip], atol=1e-3)  # L-BFGS steps are shared
    assert before.decay[2] == after.decay[2]
    assert np.abs(before.log_ratio[~flip] - after.log_ratio[~flip]).max() > 0.05


def test_the_ratio_is_corrected_for_the_sizes_of_the_sets(two_sets):
    a, b = two_sets(n=600, d=8)
    images = gather_distinct(a.select(np.arange(100)), b, folds=5, seed=0)
    assert abs(np.median(cross_fit(images, QUICK).log_ratio)) < 0.3  # the prior alone would be log(1/6) = -1.8


def test_calibrated_ratios_are_about_the_true_ones():
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(3000, 4))
    rows[:1500, 0] += 1.0  # log ratio of two unit normals one apart: x - 1/2
    rows = np.concatenate([rows, np.full((3000, 1), 30.0)], axis=1)  # far from the origin, length 1 bends little
    hashes = generator.integers(0, 2**64, size=3000, dtype=np.uint64)
    a, b = (from_arrays(rows[s], table={"hash": hashes[s]}) for s in (slice(0, 1500), slice(1500, None)))
    images = gather_distinct(a, b, 5, 0)
    ratio = cross_fit(images, DensitySettings()).log_ratio
    where = np.where(images.in_a, images.row_a, images.row_b + 1500)
    for f in range(5):  # in every fold alike: or else merging them would rank the folds, not the images
        part = images.fold == f
        slope, offset = np.polyfit(rows[where[part], 0] - 0.5, ratio[part], 1)
        assert slope == pytest.approx(1.0, abs=0.1)
        assert offset == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("block", [7, 8192])
def test_rows_are_centred_and_scaled_by_one_number(block, monkeypatch):
    monkeypatch.setattr(store, "BLOCK", block)
    rows = (np.random.default_rng(0).normal(size=(50, 6)) * [1, 2, 3, 4, 5, 6] + 7).astype(np.float32)
    scaled = standardise(rows)
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-5)
    assert (scaled**2).sum(1).mean() == pytest.approx(6, rel=1e-5)
    ratio = (rows - rows.mean(0)) / scaled
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-2)
    assert not standardise(np.ones((20, 3), np.float32)).any()


def test_the_decay_under_which_one_side_crowds_an_end_is_chosen():
    generator = np.random.default_rng(0)
    fold = generator.integers(4, size=400)
    in_a = generator.random(400) < 0.5
    noise = generator.normal(size=(400, 3))
    scores = noise + np.stack([np.zeros(400), in_a * 2.0, np.zeros(400)], axis=1)
    assert choose_decay(scores, in_a, ~in_a, fold, np.array([0.1, 1.0, 10.0]), 0.05) == 1


def test_of_equally_good_decays_the_largest_is_chosen():
    fold, in_a = np.arange(100) % 4, np.arange(100) < 50
    scores = np.tile(np.random.default_rng(0).normal(size=(100, 1)), 3)
    assert choose_decay(scores, in_a, ~in_a, fold, np.array([1.0, 10.0, 0.1]), 0.05) == 1


def test_calibration_recovers_slope_and_offset_of_true_logits():
    generator = np.random.default_rng(0)
    score = generator.normal(size=20_000)
    in_a = generator.random(20_000) < 1 / (1 + np.exp(-(2 * score - 1)))
    slope, offset = calibrate(score, in_a, ~in_a)
    assert slope == pytest.approx(2, abs=0.1)
    assert offset == pytest.approx(-1, abs=0.1)


def test_calibration_flips_with_the_sides():
    generator = np.random.default_rng(0)
    score, in_a = generator.normal(size=100), generator.random(100) < 0.3
    slope, offset = calibrate(score, in_a, ~in_a)
    other_slope, other_offset = calibrate(-score, ~in_a, in_a)
    assert (slope, offset) == pytest.approx((other_slope, -other_offset), abs=1e-9)


def test_calibration_keeps_the_order_of_scores_that_point_the_wrong_way_and_of_those_that_separate_perfectly():
    score = np.linspace(-1, 1, 40)
    assert calibrate(score, score < 0, score >= 0)[0] > 0
    slope, offset = calibrate(score, score >= 0, score < 0)
    assert 0 < slope < 1e4
    assert np.isfinite(offset)
