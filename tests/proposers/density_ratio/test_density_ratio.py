from __future__ import annotations

import logging

import numpy as np
import pytest

from latentdiff.contrasts import Contrast
from latentdiff.embeddings import EmbeddingSet, from_arrays
from latentdiff.errors import LatentDiffError
from latentdiff.proposers.density_ratio import DensityRatio, DensitySettings
from latentdiff.proposers.density_ratio.proposer import estimate_density_ratio
from latentdiff.verdict import NotRun, NotRunReason

QUICK = DensitySettings(weight_decays=(0.3, 3.0), iterations=30)


def estimate(a: EmbeddingSet, b: EmbeddingSet, settings: DensitySettings = QUICK) -> DensityRatio:
    found = estimate_density_ratio(Contrast.between(a, b), settings)
    assert isinstance(found, DensityRatio)
    return found


def test_a_planted_mode_of_five_percent_is_found_and_shown(two_sets):
    a, b = two_sets(n=1000, d=384, planted=0.05)
    result = estimate(a, b, DensitySettings())
    assert result.different
    assert result.p_value < 1e-4
    assert result.p_value_a < result.p_value_b
    shown = [ref for ref in result.extreme if ref.side == "a"]
    assert len(shown) == 10
    assert sum(ref.row < 50 for ref in shown) >= 9
    assert shown[0].value > 0 > next(ref for ref in result.extreme if ref.side == "b").value


def test_a_mode_of_two_percent_hardly_moves_the_area_under_the_curve_but_the_test_sees_it(two_sets):
    result = estimate(*two_sets(n=2000, d=128, planted=0.02))
    assert result.different
    assert result.auroc_interval.low < 0.5


def test_random_halves_of_one_set_are_rarely_called_different(halves):
    rejected = [estimate(*halves(seed)).different for seed in range(50)]
    assert sum(rejected) <= 6


def test_random_halves_with_copies_on_both_sides_are_rarely_called_different(halves):
    rejected = [estimate(*halves(seed, copies=120)).different for seed in range(25)]
    assert sum(rejected) <= 4


def test_exchanging_the_sets_flips_the_log_ratios_and_changes_nothing_else(two_sets):
    a, b = two_sets(n=300, planted=0.1)
    one, other = estimate(a, b), estimate(b, a)
    assert one.different
    flipped = {("b" if ref.side == "a" else "a", ref.row): -ref.value for ref in other.extreme}
    assert {(ref.side, ref.row) for ref in one.extreme} == set(flipped)
    for ref in one.extreme:
        assert ref.value == pytest.approx(flipped[ref.side, ref.row], abs=1e-6)
    assert (one.p_value, one.p_value_a, one.p_value_b) == (other.p_value, other.p_value_b, other.p_value_a)
    assert one.auroc == pytest.approx(other.auroc, abs=1e-9)
    assert one.histogram_a == other.histogram_b[::-1]
    assert (one.n_a, one.n_b) == (other.n_b, other.n_a)


def test_the_same_sets_give_the_same_result_bit_for_bit_in_any_order_of_rows(two_sets):
    a, b = two_sets(n=200, planted=0.1)
    once, again = estimate(a, b), estimate(a, b)
    assert once == again
    order = np.random.default_rng(0).permutation(200)
    shuffled = estimate(a.select(order), b)
    assert shuffled.p_value == once.p_value
    assert [ref.value for ref in shuffled.extreme] == [ref.value for ref in once.extreme]


def test_without_a_difference_nothing_is_proposed(halves):
    results = [estimate(*halves(seed)) for seed in range(3)]
    assert all(bool(result.extreme) == result.different for result in results)
    assert any(not result.different for result in results)


def test_a_set_against_itself_is_no_difference(two_sets):
    a, _ = two_sets(n=200)
    result = estimate(a, a)
    assert not result.different
    assert result.auroc == pytest.approx(0.5)
    assert (result.n_a, result.n_b) == (200, 200)


def test_images_that_both_sides_have_are_not_shown_as_a_difference(two_sets):
    a, b = two_sets(n=300, planted=0.3)
    shared = a.select(np.arange(45))  # half of the planted mode
    rows = np.concatenate([b.rows(slice(None)), shared.rows(slice(None))])
    b = from_arrays(rows, table={"hash": np.concatenate([b.hashes, shared.hashes])})
    result = estimate(a, b)
    assert result.different
    assert all(ref.row >= 45 for ref in result.extreme if ref.side == "a")


def test_very_unequal_sets_still_show_what_the_small_one_has_more_of(two_sets):
    a, b = two_sets(n=1500, planted=0.02)  # 30 of the first 150 rows are the mode: 20 %
    result = estimate(a.select(np.arange(150)), b)
    assert result.different
    assert result.p_value_a < 0.025


def test_the_histograms_count_every_image(two_sets):
    result = estimate(*two_sets(n=150))
    assert sum(result.histogram_a) == result.n_a == 150
    assert sum(result.histogram_b) == result.n_b == 150
    assert len(result.histogram_edges) == len(result.histogram_a) + 1


def test_the_hidden_layer_finds_it_too(two_sets):
    settings = DensitySettings(head="hidden", weight_decays=(1e-2, 1e-1))
    result = estimate(*two_sets(n=400, d=64, planted=0.1), settings)
    assert result.different


def test_too_few_images_say_nothing_and_say_so(two_sets, caplog):
    with caplog.at_level(logging.WARNING):
        result = estimate_density_ratio(Contrast.between(*two_sets(n=12)), QUICK)
    assert result == NotRun(NotRunReason.TOO_FEW_IMAGES, needed=20, n_a=12, n_b=12)
    assert "did not run: it needs 20 different images a side and has 12 and 12" in caplog.text


def test_sets_of_different_width_are_refused():
    generator = np.random.default_rng(0)
    with pytest.raises(LatentDiffError, match="different width"):
        estimate(from_arrays(generator.normal(size=(30, 4))), from_arrays(generator.normal(size=(30, 5))))
