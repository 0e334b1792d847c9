"""Design columns and strata of metadata, against counting by hand and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metadata_tables import contrast_of, mixed, turned
from scipy.stats import rankdata

from latentdiff.errors import LatentDiffError
from latentdiff.metadata import covariates, read_columns, strata


def sides_exchanged(contrast, rows: np.ndarray) -> np.ndarray:
    n_a = contrast.size("a")
    return np.concatenate([rows[n_a:], rows[:n_a]])


def test_a_number_is_its_standardised_value_and_hinges_at_quantiles_of_both_groups() -> None:
    generator = np.random.default_rng(0)
    a, b = generator.exponential(50, 300), generator.normal(20, 5, 200)
    found = covariates(contrast_of({"iso": a}, {"iso": b}), "iso")
    pooled = np.concatenate([a, b])
    z = (pooled - pooled.mean()) / pooled.std()
    expected = [z, *(np.maximum(0, z - np.quantile(z, knot)) for knot in (0.2, 0.5, 0.8, 0.95))]
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, np.transpose(expected), atol=1e-12)


def test_hinges_that_say_the_same_or_nothing_are_left_out() -> None:
    two = covariates(contrast_of({"flash": [0, 1, 1]}, {"flash": [0, 0]}), "flash")
    assert two.shape == (5, 1)  # both values are ends: the value itself says all
    crowd = covariates(contrast_of({"iso": [5.0] * 80}, {"iso": [0.0, 9.0] * 10}), "iso")
    assert crowd.shape == (100, 2)  # 5 is all knots but the last, which is the largest value
    assert np.linalg.matrix_rank(np.column_stack([np.ones(100), crowd])) == 3


def test_a_missing_number_is_told_by_an_indicator_alone() -> None:
    a, b = [1.0, None, 3.0, 4.0, 5.0], [2.0, float("nan"), 7.0]
    found = covariates(contrast_of({"iso": a}, {"iso": b}), "iso")
    known = [0, 2, 3, 4, 5, 7]
    np.testing.assert_array_equal(found[[1, 6]], [[0.0] * (found.shape[1] - 1) + [1.0]] * 2)
    of_known = covariates(contrast_of({"iso": [1.0, 3.0, 4.0, 5.0]}, {"iso": [2.0, 7.0]}), "iso")
    np.testing.assert_array_equal(found[known], np.column_stack([of_known, np.zeros(6)]))


def test_numbers_of_any_size_are_standardised() -> None:
    contrast = contrast_of({"gps": [-1.7e308, 1.0, 2.0, 3.0]}, {"gps": [1.7e308, 1.0, 2.0]})
    z = covariates(contrast, "gps")[:, 0]
    np.testing.assert_allclose([z.mean(), z.std()], [0, 1], atol=1e-12)


def test_categories_are_indicators_against_the_most_frequent_and_rare_ones_are_one() -> None:
    a = ["fix"] * 9 + ["nox"] * 5 + ["pix"] * 2 + [None] * 3
    b = ["fix"] * 1 + ["nox"] * 1 + ["pix"] * 2 + ["qix"] * 4 + [None] * 3
    found = covariates(contrast_of({"camera": a}, {"camera": b}), "camera")
    labels = np.array([label or "" for label in a + b])
    assert found.shape == (30, 3)
    expected = [labels == "", labels == "nox", np.isin(labels, ["pix", "qix"])]
    np.testing.assert_array_equal(found, np.transpose(expected).astype(float))


def test_where_all_categories_are_rare_each_is_its_own() -> None:
    found = covariates(contrast_of({"camera": ["fix", "fix", "nox"]}, {"camera": ["pix", "pix", "nox"]}), "camera")
    np.testing.assert_array_equal(found, [[0, 0], [0, 0], [1, 0], [0, 1], [0, 1], [1, 0]])


def test_no_design_holds_the_constant_or_a_column_twice() -> None:
    contrast = mixed()
    for column in read_columns(contrast):
        design = np.column_stack([np.ones(105), covariates(contrast, column.name)])
        assert np.linalg.matrix_rank(design) == design.shape[1], column.name


def test_categories_are_strata_and_several_columns_cross() -> None:
    a = {"camera": ["fix", "nox", None], "night": [True, True, False]}
    b = {"camera": ["nox", "", "fix", "fix"], "night": [True, False, False, True]}
    contrast = contrast_of(a, b)
    np.testing.assert_array_equal(strata(contrast, ["camera"]), [1, 2, 0, 2, 0, 1, 1])
    np.testing.assert_array_equal(strata(contrast, ["camera", "night"]), [2, 3, 0, 3, 0, 1, 2])
    np.testing.assert_array_equal(strata(contrast, []), np.zeros(7))
    assert strata(contrast, ["night"]).dtype == np.int64


def test_numbers_are_cut_at_fifths_of_both_groups_together() -> None:
    iso = np.random.default_rng(0).permutation(100).astype(float)
    found = strata(contrast_of({"iso": iso[:70]}, {"iso": iso[70:]}), ["iso"])
    np.testing.assert_array_equal(found, iso // 20)


@settings(max_examples=100, deadline=None)
@given(*[st.lists(st.none() | st.integers(0, 6), min_size=2, max_size=40) for _ in "ab"])
def test_fifths_are_those_of_mean_ranks_and_no_value_is_a_stratum(a: list, b: list) -> None:
    rows = np.array([np.nan if value is None else value for value in a + b])
    contrast = contrast_of({"iso": np.array(a, float)}, {"iso": np.array(b, float)})
    try:
        found = strata(contrast, ["iso"])
    except LatentDiffError:
        return
    known = np.isfinite(rows)
    fifth = np.full(len(rows), 5.0)
    doubled = 2 * rankdata(rows[known]) - 1
    fifth[known] = 5 * doubled // (2 * known.sum())
    np.testing.assert_array_equal(found, np.unique(fifth, return_inverse=True)[1])


@pytest.mark.parametrize("ones", [1, 3, 50, 97, 99])
def test_two_numbers_are_two_strata_however_rare_one_is(ones: int) -> None:
    flash = np.arange(100) < ones
    found = strata(contrast_of({"flash": flash[:40] * 1}, {"flash": flash[40:] * 1.0}), ["flash"])
    np.testing.assert_array_equal(found, flash)


def test_exchanging_the_groups_exchanges_the_rows_and_changes_no_bit() -> None:
    contrast = mixed()
    names = [column.name for column in read_columns(contrast)]
    for name in names:
        there, back = covariates(contrast, name), covariates(turned(contrast), name)
        np.testing.assert_array_equal(sides_exchanged(contrast, there), back)
    there, back = strata(contrast, names[:4]), strata(turned(contrast), names[:4])
    np.testing.assert_array_equal(sides_exchanged(contrast, there), back)


def test_many_columns_do_not_run_out_of_numbers() -> None:
    contrast = mixed()
    names = [column.name for column in read_columns(contrast)]
    found = strata(contrast, names * 12)
    np.testing.assert_array_equal(found, strata(contrast, names))
    assert found.max() < 105


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lens", r"unknown metadata column 'lens' \(valid: night\)"),
        ("caption", r"'caption' cannot be taken into account: it is free text \(valid: night\)"),
        ("author", r"'author' cannot be taken into account: one set has no value of it \(valid: night\)"),
    ],
)
def test_what_cannot_be_taken_into_account_is_refused(name: str, message: str) -> None:
    a = {"caption": ["a cat", "a dog", "a hat"], "night": [True, False, True], "author": ["me", "you", "me"]}
    contrast = contrast_of(a, {"caption": ["a car", "a bus", "a van"], "night": [False, False, True]})
    with pytest.raises(LatentDiffError, match=message):
        covariates(contrast, name)
    with pytest.raises(LatentDiffError, match=message):
        strata(contrast, ["night", name])
