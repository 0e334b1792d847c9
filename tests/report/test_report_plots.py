from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdiff.hypotheses import Interval, RankedFinding, opposite
from latentdiff.report import plots
from latentdiff.report.listing import Entry


def entry(finding, key="a1"):
    return Entry(RankedFinding(finding), key, 1)


def with_evidence(finding, **changes):
    """The finding with other evidence."""
    one = finding.hypothesis
    return replace(finding, hypothesis=replace(one, evidence=replace(one.evidence, **changes)))


def swapped(finding):
    """The same finding with the sets exchanged."""
    e = finding.evidence
    exchanged = with_evidence(
        finding,
        count_a=e.count_b,
        count_b=e.count_a,
        prevalence_a=e.prevalence_b,
        prevalence_b=e.prevalence_a,
        prevalence_a_interval=e.prevalence_b_interval,
        prevalence_b_interval=e.prevalence_a_interval,
        difference=-e.difference,
        difference_interval=Interval(-e.difference_interval.high, -e.difference_interval.low),
    )
    return replace(exchanged, hypothesis=replace(exchanged.hypothesis, side=opposite(finding.side)))


def test_dots_of_prevalence_lie_where_the_axis_says(make_finding):
    evidence = make_finding(counts=(52, 4)).hypothesis.evidence
    dots = plots.prevalence(evidence)
    top = float(dots.top.split("\u202f")[0]) / 100
    for span, share, interval in (
        (dots.a, evidence.prevalence_a, evidence.prevalence_a_interval),
        (dots.b, evidence.prevalence_b, evidence.prevalence_b_interval),
    ):
        assert span.at / 100 * top == pytest.approx(share, abs=1e-5)
        assert (span.low / 100 * top, span.high / 100 * top) == pytest.approx((interval.low, interval.high), abs=1e-5)
    assert top >= evidence.prevalence_a_interval.high


def test_more_in_a_lies_left_of_zero_and_swapping_mirrors_the_forest(make_finding):
    findings = [make_finding(counts=(52, 4)), make_finding(("umbrella",), "b", (7, 71))]
    here = plots.forest([entry(f, f.side + "1") for f in findings])
    there = plots.forest([entry(swapped(f), f.side + "1") for f in findings])
    (_, left), (_, right) = here.rows
    assert left.low < left.at < left.high < 50 < right.low < right.at < right.high
    mirrored = [(100 - s.at, 100 - s.high, 100 - s.low) for _, s in reversed(there.rows)]
    assert [(s.at, s.low, s.high) for _, s in here.rows] == [pytest.approx(m, abs=0.011) for m in mirrored]


def test_a_finding_at_the_level_lies_on_the_line_of_the_volcano(make_finding):
    finding = with_evidence(make_finding(), q_value=0.05)
    plot = plots.volcano([entry(finding)], [(0.01, 0.9), (-0.02, 1e-5)], level=0.05)
    assert plot.points[0].y == pytest.approx(plot.bar, abs=0.01)
    assert plot.cloud.count("M") == 2


def test_surer_findings_lie_higher_and_none_leaves_the_plot(make_finding):
    findings = [
        entry(with_evidence(f, q_value=q))
        for f, q in ((make_finding(), q) for q in (1.0, 0.2, 1e-3, 1e-12, 1e-90, 0.0))
    ]
    heights = [p.y for p in plots.volcano(findings, []).points]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] == 100 and heights[-1] == 0


@given(st.lists(st.tuples(st.floats(-0.5, 0.5), st.floats(0, 1)), min_size=1, max_size=12))
def test_labels_of_one_side_never_share_a_line(a_finding, places):
    base = replace(a_finding, verification=None)
    entries = []
    for i, (difference, q) in enumerate(places):
        side = "a" if difference > 0 else "b"
        finding = with_evidence(base, difference=difference, q_value=q)
        finding = replace(finding, hypothesis=replace(finding.hypothesis, side=side))
        entries.append(entry(finding, f"{side}{i}"))
    points = plots.volcano(entries, []).points
    for side in "ab":
        heights = sorted(p.y for p in points if p.label and p.entry.finding.side == side)
        assert all(upper - lower > 6.5 for lower, upper in pairwise(heights))


def test_the_histogram_gives_both_sets_the_same_area_whatever_their_size(make_result):
    density = make_result().artefact("density_ratio")
    small = replace(density, histogram_b=tuple(c * 10 for c in density.histogram_a))
    plot = plots.histogram(small)
    assert plot.a == plot.b


def test_a_histogram_without_data_is_left_out(make_result):
    density = make_result().artefact("density_ratio")
    assert plots.histogram(replace(density, histogram_edges=(), histogram_a=(), histogram_b=())) is None
    assert plots.histogram(replace(density, histogram_a=(0,) * 40, histogram_b=(0,) * 40)) is None


@given(st.floats(1e-6, 1e6))
def test_axes_end_at_a_round_number_not_far_above_the_data(value):
    end = plots.round_up(value)
    assert value * (1 - 1e-6) <= end <= 2 * value
    assert float(f"{end:.1e}") == pytest.approx(end)
