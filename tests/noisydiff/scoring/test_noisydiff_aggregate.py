"""Means over pairs, differences, chance, curves and false alarms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from latentdiff.errors import LatentDiffError
from latentdiff.noisydiff.methods.predictions import Prediction
from latentdiff.noisydiff.pairs.pair import Pair, Truth
from latentdiff.noisydiff.scoring.aggregate import Run, methods_of, paired, per_pair, readings
from latentdiff.noisydiff.scoring.claims import costs, deciding, false_alarms, mixtures, precisions
from latentdiff.noisydiff.scoring.curves import (
    by_planted,
    by_scarcity,
    by_setting,
    by_size,
    correlations,
    images_needed,
    joint_coverage,
    planted_by_scarcity,
)
from latentdiff.noisydiff.scoring.measures import SideScore, by_names
from latentdiff.statistics.bootstrap import estimate

shares = st.floats(0, 1, allow_nan=False)
two_sides = st.lists(st.tuples(shares, shares), min_size=1, max_size=12)


def side(value, pair="p", which="a", method="m", parent="person", scarcity=0.1, planted=10, images=100):
    return SideScore(method, pair, parent, which, "dog", scarcity, planted, images, {"hit": float(value)}, {})


def both(values, method="m", **changes):
    return [
        side(value, f"p{i}", which, method, **changes)
        for i, pair in enumerate(values)
        for which, value in zip("ab", pair, strict=True)
    ]


@settings(deadline=None)
@given(two_sides)
def test_the_mean_is_over_pairs_and_lies_in_its_interval_that_lies_in_the_values(values):
    found = estimate(list(per_pair(both(values), "hit", "m").values()))
    means = [sum(pair) / 2 for pair in values]
    assert found.value == pytest.approx(np.mean(means)) and found.pairs == len(values)
    assert min(means) - 1e-9 <= found.interval.low <= found.interval.high <= max(means) + 1e-9


@settings(deadline=None)
@given(two_sides, two_sides)
def test_exchanging_two_methods_negates_their_difference(ours, theirs):
    scores = both(ours, "x") + both(theirs, "y")
    one, other = paired(scores, "hit", "x", "y"), paired(scores, "hit", "y", "x")
    assert one.pairs == min(len(ours), len(theirs))
    assert one.value == pytest.approx(-other.value)
    assert one.interval.low == pytest.approx(-other.interval.high, abs=1e-9)


def test_a_method_does_not_differ_from_itself():
    values = [(0, 1), (1, 1), (0.3, 0.2)]
    found = paired(both(values, "x") + both(values, "y"), "hit", "x", "y")
    assert (found.value, found.interval.low, found.interval.high) == (0, 0, 0)


def test_chance_stands_beside_every_method_on_the_pairs_that_it_answered():
    scores = both([(0, 0), (1, 1)], "random-words") + both([(1, 1)], "x") + both([(0, 0), (0, 1)], "parent")
    found = {reading.method: reading for reading in readings(scores, "hit")}
    assert list(found) == ["x", "random-words", "parent"] == methods_of(scores)
    assert {name: e.value for name, e in found["x"].chance.items()} == {"random-words": 0, "parent": 0}
    assert found["parent"].chance == {} and found["parent"].best_chance is None
    assert readings(both([(1, 1)], "x"), "hit")[0].best_chance is None


def test_an_unknown_measure_lists_the_valid_ones():
    with pytest.raises(LatentDiffError, match=r"unknown measure 'hits' \(valid: hit\)"):
        per_pair(both([(1, 1)]), "hits", "m")


@settings(deadline=None)
@given(two_sides)
def test_joint_coverage_is_the_share_of_pairs_with_both_sides_above_and_only_falls(values):
    curve = joint_coverage(both(values), "m", "hit")
    for threshold, found in zip(curve.x, curve.y, strict=True):
        assert found.value == pytest.approx(np.mean([a >= threshold and b >= threshold for a, b in values]))
    heights = [found.value for found in curve.y]
    assert heights[0] == 1 and heights == sorted(heights, reverse=True)


def test_correlation_and_pooled_p_are_those_of_scipy():
    rng = np.random.default_rng(0)
    scores, by_parent = [], {}
    for parent, count in (("car", 8), ("person", 15)):
        scarcity, value = rng.random(count), rng.random((count, 2))
        by_parent[parent] = stats.pearsonr(scarcity, value.mean(1))
        for i in range(count):
            for j, which in enumerate("ab"):
                scores.append(side(value[i, j], f"{parent}{i}", which, parent=parent, scarcity=scarcity[i]))
    scores += [side(1, "lone", parent="dog"), side(1, "other", parent="dog")]  # two pairs say nothing of a slope
    found = correlations(scores, "m", "hit")
    assert [c.parent for c in found.parents] == ["car", "person"]
    for c in found.parents:
        assert (c.rho, c.p_value) == pytest.approx(tuple(by_parent[c.parent]))
    statistic = -2 * sum(math.log(r.pvalue) for r in by_parent.values())
    assert found.p_value == pytest.approx(stats.chi2.sf(statistic, 4))
    assert found.rho == pytest.approx((8 * by_parent["car"][0] + 15 * by_parent["person"][0]) / 23)


def test_where_nothing_varies_there_is_no_correlation():
    found = correlations(both([(1, 1)] * 4), "m", "hit")
    assert found.parents == () and math.isnan(found.p_value)


def at_levels(hits):
    """Scores of one side a pair: planted images -> hits."""
    return [
        side(hit, f"{n}/{i}", planted=n, scarcity=n / 1000, images=1000)
        for n, row in hits.items()
        for i, hit in enumerate(row)
    ]


def test_the_scarcity_curve_has_a_point_for_every_level():
    scores = at_levels({5: [0, 0, 1, 0], 20: [1, 1], 50: [1]})
    curve = by_scarcity(scores, "m", "hit")
    assert curve.x == (0.005, 0.02, 0.05) and [e.value for e in curve.y] == [0.25, 1, 1]
    assert by_planted(scores, "m", "hit").x == (5, 20, 50) and by_size(scores, "m", "hit").x == (1000,)


def test_the_images_planted_at_each_point_of_the_curve_are_means_over_pairs():
    scores = [*at_levels({5: [0, 1], 20: [1]}), side(1, "odd", planted=60, scarcity=0.02)]
    assert planted_by_scarcity(scores, "m") == {0.005: 5, 0.02: 40}
    assert tuple(sorted(planted_by_scarcity(scores, "m"))) == by_scarcity(scores, "m", "hit").x


@settings(deadline=None)
@given(st.lists(st.floats(0.001, 0.5), min_size=20, max_size=60))
def test_many_levels_are_put_into_few_bins_that_lose_no_pair(scarcities):
    curve = by_scarcity([side(1, f"p{i}", scarcity=s) for i, s in enumerate(scarcities)], "m", "hit")
    assert len(curve.x) <= 8 and sum(e.pairs for e in curve.y) == len(scarcities)
    assert min(scarcities) * 0.99 <= curve.x[0] and curve.x[-1] <= max(scarcities) * 1.01


def test_images_needed_lie_on_the_line_between_two_levels():
    scores = at_levels({10: [1, 0, 0, 0, 0], 20: [1, 1, 1, 0, 0], 40: [1, 1, 1, 1, 1]})
    found = images_needed(scores, "m", "hit")
    assert found.images == pytest.approx(math.sqrt(20 * 40))  # half-way from .6 to 1, over the logarithm
    assert found.interval.low <= found.images <= found.interval.high and not found.at_most


def test_a_dip_does_not_move_the_number_of_images_backwards():
    scores = at_levels({10: [1, 1, 1, 1, 0], 20: [0, 0, 0, 0, 0], 40: [1, 1, 1, 1, 1]})
    assert 20 < images_needed(scores, "m", "hit").images <= 40


def test_a_share_never_reached_takes_infinitely_many_and_one_reached_at_once_says_at_most():
    assert images_needed(at_levels({10: [0, 1], 20: [0, 1]}), "m", "hit").images == math.inf
    found = images_needed(at_levels({10: [1, 1], 20: [1, 1]}), "m", "hit")
    assert (found.images, found.at_most) == (10, True)


def test_a_curve_over_a_setting_has_a_point_for_each_run():
    runs = [Run({"k": 32}, both([(1, 1), (0, 0)])), Run({"k": 8}, both([(1, 1), (1, 1)]))]
    curve = by_setting(runs, "m", "hit", "k")
    assert curve.x == (8, 32) and [e.value for e in curve.y] == pytest.approx([1, 0.5])


def test_a_curve_over_a_setting_in_words_is_refused():
    with pytest.raises(LatentDiffError, match="'rank' is not a number"):
        by_setting([Run({"rank": "jsd"}, both([(1, 1)]))], "m", "hit", "rank")


SAME = [Pair(f"s{i}", "", ("1",), ("2",), {}, 0.0) for i in range(20)]


def test_a_false_alarm_is_a_confirmed_finding_or_any_word_of_a_method_that_confirms_none():
    answers = [Prediction("ours", f"s{i}", {"a": (("x",),)}, confirmed={"a": (i == 3,), "b": ()}) for i in range(20)]
    answers += [Prediction("baseline", f"s{i}", {"a": (("x",), ("y",)), "b": (("z",),)}) for i in range(20)]
    answers += [Prediction("silent", "s0", {"a": ()}, abstained=True)]
    ours, baseline, silent = false_alarms(SAME, answers)
    low, high = stats.binomtest(1, 20).proportion_ci(method="wilson")
    assert (ours.alarms, ours.share, ours.abstains) == (1, 0.05, True)
    assert (ours.interval.low, ours.interval.high) == pytest.approx((low, high))
    assert (baseline.share, baseline.findings.value, baseline.abstains) == (1, 3, False)
    assert (silent.runs, silent.alarms) == (1, 0)


def test_any_role_is_a_claim_and_confirmed_findings_without_one_are_none():
    found, roles = {"a": (("x",), ("y",))}, [("", ""), ("", "travels"), ("shift", ""), ("", "")]
    answers = [
        Prediction("ours", f"s{i}", found, {"a": (True, True)}, {"a": of}, abstained=True) for i, of in enumerate(roles)
    ]
    answers += [Prediction("unchecked", f"s{i}", found, {}, {"a": of}) for i, of in enumerate(roles)]
    for method in false_alarms(SAME, answers):
        assert (method.alarms, method.runs, method.abstains) == (2, 4, True)


def test_two_styles_are_no_null_pair():
    shift = {"a": Truth("photo", ("photo",)), "b": Truth("sketch", ("sketch",))}
    pair = Pair("p", "", ("1",), ("2",), {}, 0.0, shift=shift)
    assert false_alarms([pair], [Prediction("m", "p", {"a": (("x",),)})]) == []


def test_methods_that_claim_or_abstain_decide_and_others_do_not():
    answers = [
        Prediction("ours", "p", {"a": (("x",),)}, roles={"a": ("",)}), Prediction("shy", "p", abstained=True),
        Prediction("shy", "q"), Prediction("checks", "p", confirmed={"a": ()}), Prediction("always", "p"),
    ]  # fmt: skip
    assert deciding(answers) == {"ours", "shy", "checks"}


def test_pairs_with_a_truth_raise_no_false_alarm():
    pair = Pair("p", "", ("1",), ("2",), {"a": Truth("dog", ("dog",))}, 0.1)
    assert false_alarms([pair], [Prediction("m", "p", {"a": (("x",),)})]) == []


def test_precision_counts_confirmed_findings_of_the_first_five_on_sides_with_a_truth():
    dog, hat = Truth("dog", ("dog",)), Truth("hat", ("hat", "cap"))
    pairs = [Pair("p", "", ("1",), ("2",), {"a": dog, "b": hat}, 0.1), Pair("q", "", ("1",), ("2",), {"a": dog}, 0.1)]
    told = {"a": (("dog", "cat"), ("cat", "dogs"), ("cat",)), "b": (("red", "cap"),)}
    far = (("x",),) * 5 + (("dog",),)
    answers = [
        Prediction("ours", "p", told, confirmed={"a": (True, True, False), "b": (True,)}),
        Prediction("ours", "q", {"a": far, "b": (("dog",),)}, confirmed={"a": (False,) * 5 + (True,), "b": (True,)}),
        Prediction("never checks", "p", told),
        *(Prediction("ours", f"s{i}", told, confirmed={"a": (True,) * 3, "b": (True,)}) for i in range(20)),
    ]
    (ours,) = precisions([*pairs, *SAME], answers, by_names)
    assert (ours.method, ours.confirmed.value, ours.confirmed.pairs) == ("ours", 1.0, 2)
    assert (ours.first_word.value, ours.any_word.value) == pytest.approx((1 / 3, 1.0))


def test_costs_are_means_over_pairs():
    answers = [Prediction("m", str(i), {}, seconds=i, captioned=40, abstained=i == 0) for i in range(4)]
    (cost,) = costs(answers)
    assert (cost.seconds.value, cost.captioned.value, cost.abstained, cost.pairs) == (1.5, 40, 0.25, 4)


@settings(deadline=None)
@given(st.integers(0, 7), st.integers(0, 7))
def test_a_mixture_takes_the_first_findings_of_both_branches(concepts, densities):
    first = Prediction("concept", "p", {"a": tuple((f"c{i}",) for i in range(concepts))}, seconds=1)
    second = Prediction("density", "p", {"a": tuple((f"d{i}",) for i in range(densities))}, seconds=2, captioned=7)
    found = {mixture.method: mixture for mixture in mixtures([second, first])}
    assert list(found) == ["5+0", "4+1", "3+2", "2+3", "1+4", "0+5"]
    for method, mixture in found.items():
        ours, theirs = map(int, method.split("+"))
        assert mixture.findings["a"] == first.findings["a"][:ours] + second.findings["a"][:theirs]
        assert (mixture.seconds, mixture.captioned) == (3, 7)


def test_a_pair_that_one_branch_did_not_answer_is_in_no_mixture():
    assert mixtures([Prediction("concept", "p", {}), Prediction("density", "q", {})]) == []


def test_a_mixture_claims_nothing():
    first = Prediction("concept", "p", {"a": (("x",), ("y",))}, {}, {"a": ("lead", "")}, {"a": (("1",), ())})
    second = Prediction("density", "p", {"a": (("z",),)}, {}, {"a": ("lead",)})
    assert all(not mixture.roles and not mixture.shown for mixture in mixtures([first, second]))
