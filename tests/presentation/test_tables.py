"""Cells as text, as Markdown and as flat rows."""

from __future__ import annotations

import math
import re

from latentdiff.hypotheses import Interval
from latentdiff.presentation.tables import Column, Table, shown, to_markdown, to_rows
from latentdiff.statistics.estimates import Estimate, Reading

HOSTILE = '</script><img src=x onerror="alert(1)">&amp;\'"<b>|*_`'


def test_a_flat_row_has_value_interval_pairs_and_chance():
    e = Estimate(0.5, Interval(0.4, 0.6), 9)
    table = Table(
        "t", "T", "", (Column("m"), Column("hit", "percent")), (("x", Reading("x", "hit", e, {"parent": e})),)
    )
    assert to_rows(table) == [
        {"m": "x", "hit": 0.5, "hit low": 0.4, "hit high": 0.6, "hit pairs": 9, "hit chance, parent": 0.5}
    ]


def test_what_is_missing_or_not_finite_is_a_dash():
    nothing = Estimate(math.nan, Interval(math.nan, math.nan), 0)
    assert shown(None, "percent").value == shown(math.nan, "unit").value == shown(nothing, "unit").value == "–"
    assert shown(nothing, "unit").interval == ""


def test_hostile_words_end_no_cell_of_a_markdown_table():
    table = Table("t", HOSTILE, HOSTILE, (Column(HOSTILE),), ((HOSTILE,), ("a\n| b",)))
    lines = to_markdown([table], "t").splitlines()[6:]
    assert len(lines) == 4
    for line in lines:
        assert len(re.findall(r"(?<!\\)\|", line)) == 2 and "<" not in line
