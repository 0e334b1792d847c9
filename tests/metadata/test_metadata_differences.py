"""How much columns of metadata differ, against scipy and against counting by hand."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metadata_tables import contrast_of, mixed, turned
from scipy import stats

from latentdiff.contrasts import Contrast
from latentdiff.hypotheses import opposite
from latentdiff.metadata import ColumnSummary, Kind, MetadataDifference, compare_metadata


def by_name(contrast: Contrast) -> dict[str, MetadataDifference]:
    return {one.column: one for one in compare_metadata(contrast, 0.05)}


def exchanged(one: MetadataDifference) -> MetadataDifference:
    return replace(one, side=one.side and opposite(one.side), a=one.b, b=one.a)


def test_numbers_are_tested_as_scipy_does() -> None:
    contrast = mixed()
    found = by_name(contrast)
    for name in ("brightness", "height", "year", "exposure"):
        a, b = (contrast.groups[side].table.column(name).drop_null() for side in ("a", "b"))
        a, b = (values.to_numpy().astype(float) for values in (a, b))
        oracle = stats.mannwhitneyu(a, b, method="asymptotic")
        area = oracle.statistic / (len(a) * len(b))
        assert found[name].kind is Kind.NUMBER
        assert found[name].p_value == pytest.approx(oracle.pvalue)
        assert found[name].auroc == pytest.approx(max(area, 1 - area))
        assert found[name].side == ("a" if area > 0.5 else "b")
        assert found[name].a == ColumnSummary(contrast.size("a") - len(a), float(np.median(a)))
        assert found[name].b == ColumnSummary(contrast.size("b") - len(b), float(np.median(b)))


def test_the_interval_is_delongs_and_is_missing_where_no_pair_is_the_other_way_round() -> None:
    a, b = np.arange(40.0), np.arange(12.0, 40)
    found = by_name(contrast_of({"iso": a}, {"iso": b}))["iso"]
    wins = (b[:, None] > a) + 0.5 * (b[:, None] == a)
    spread = 1.959964 * np.sqrt(wins.mean(1).var(ddof=1) / len(b) + wins.mean(0).var(ddof=1) / len(a))
    assert found.auroc_interval is not None and found.side == "b"
    assert found.auroc == pytest.approx(wins.mean())
    assert found.auroc_interval.low == pytest.approx(wins.mean() - spread)
    assert found.auroc_interval.high == pytest.approx(wins.mean() + spread)
    apart = by_name(contrast_of({"iso": [1, 2, 3]}, {"iso": [4, 5, 6]}))["iso"]
    assert (apart.auroc, apart.auroc_interval, apart.side) == (1.0, None, "b")


def test_categories_are_tested_as_scipy_does_and_no_value_is_one_of_them() -> None:
    a = ["fix"] * 60 + ["nox"] * 30 + ["pix"] * 20 + [None] * 10
    b = ["fix"] * 30 + ["nox"] * 30 + ["pix"] * 40 + [None] * 20
    found = by_name(contrast_of({"camera": a}, {"camera": b}))["camera"]
    assert found.p_value == pytest.approx(stats.chi2_contingency([[60, 30, 20, 10], [30, 30, 40, 20]]).pvalue)
    assert (found.kind, found.auroc_interval, found.side) == (Kind.CATEGORY, None, "a")
    assert found.a == ColumnSummary(10, None, "fix", 0.5, 0.25)
    assert found.b == ColumnSummary(20, None, "pix", pytest.approx(1 / 3), pytest.approx(1 / 6))


def test_two_categories_are_tested_exactly_where_images_are_few() -> None:
    found = by_name(contrast_of({"night": [True] * 7 + [False]}, {"night": [True] * 2 + [False] * 7}))["night"]
    assert found.p_value == pytest.approx(stats.fisher_exact([[7, 1], [2, 7]]).pvalue)
    assert found.side == "a"
    assert found.a == ColumnSummary(0, None, "true", 7 / 8, 2 / 9)
    assert found.b == ColumnSummary(0, None, "false", 7 / 9, 1 / 8)
    assert found.auroc == pytest.approx((7 * 7 + 0.5 * (7 * 2 + 1 * 7)) / 72)


def test_the_area_of_categories_that_say_nothing_is_not_that_of_the_sample_that_orders_them() -> None:
    generator = np.random.default_rng(0)
    areas, naive = [], []
    for _ in range(40):
        a, b = (generator.integers(0, 40, 100) for _ in "ab")
        areas.append(by_name(contrast_of({"place": a.astype(str)}, {"place": b.astype(str)}))["place"].auroc)
        share = (np.bincount(a, minlength=40) - np.bincount(b, minlength=40)).astype(float)
        naive.append((np.sign(share[a][:, None] - share[b]) + 1).mean() / 2)
    assert np.mean(naive) > 0.6 and np.mean(areas) < 0.53


def test_the_most_different_comes_first_and_all_that_is_tested_is_corrected_together() -> None:
    found = compare_metadata(mixed(), 0.05)
    names = {one.column for one in found}
    assert names == {"width", "height", "brightness", "year", "exposure", "night", "camera", "pixels", "aspect"}
    assert [one.auroc for one in found] == sorted((one.auroc for one in found), reverse=True)
    q = stats.false_discovery_control([one.p_value for one in found])
    assert [one.q_value for one in found] == pytest.approx(q.tolist())
    assert [one.differs for one in found] == [value <= 0.05 for value in q]
    assert {one.differs for one in found} == {True, False}
    assert all(one.differs for one in compare_metadata(mixed(), 0.9999)) and not compare_metadata(
        contrast_of({"caption": ["x", "y", "z"]}, {"caption": ["u"]}), 0.05
    )


def test_equal_groups_differ_in_nothing_and_no_side_has_more() -> None:
    columns = {"iso": [1, 2, 3, None], "night": [True, False, True, True], "camera": ["fix", "nox", "fix", None]}
    for one in compare_metadata(contrast_of(columns, columns), 0.05):
        assert (one.auroc, one.side, one.differs) == (0.5, None, False)
        assert one.a == one.b and one.a.category is None


@pytest.mark.parametrize("seed", range(5))
def test_exchanging_the_groups_exchanges_the_sides_and_changes_nothing_else(seed: int) -> None:
    contrast = mixed(seed=seed)
    back = compare_metadata(turned(contrast), 0.05)
    assert [exchanged(one) for one in compare_metadata(contrast, 0.05)] == list(back)


values = st.none() | st.integers(0, 4) | st.floats(allow_nan=True)
texts = st.none() | st.sampled_from(["", "fix", "nox", "pix"])


@settings(max_examples=150, deadline=None)
@given(*[st.lists(st.tuples(values, texts, st.booleans()), min_size=1, max_size=25) for _ in "ab"])
def test_exchanging_changes_nothing_else_in_small_groups_of_any_values(a: list, b: list) -> None:
    there, back = (
        contrast_of(
            *[
                {
                    "iso": [None if row[0] is None else float(row[0]) for row in rows],
                    "camera": [row[1] for row in rows],
                    "night": [row[2] for row in rows],
                }
                for rows in pair
            ]
        )
        for pair in ((a, b), (b, a))
    )
    found = compare_metadata(there, 0.05)
    assert [exchanged(one) for one in found] == list(compare_metadata(back, 0.05))
    assert all(0.5 <= one.auroc <= 1 and 0 <= one.p_value <= 1 for one in found)


def test_differences_are_plain_values_for_json() -> None:
    found = json.loads(json.dumps([asdict(one) for one in compare_metadata(mixed(), 0.05)]))
    assert {one["kind"] for one in found} == {"number", "category"}
    assert all(isinstance(one["differs"], bool) for one in found)
