"""Finished points kept and read back, and what is shown of them: table, page, terminal."""

from __future__ import annotations

import io
import json
import logging
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from latentdiff.hypotheses import Interval
from latentdiff.noisydiff.run.sae_scorer import MEASURE
from latentdiff.presentation.tables import to_rows
from latentdiff.statistics.estimates import Estimate
from latentdiff.sweep import terminal_table
from latentdiff.sweep.page import render
from latentdiff.sweep.point import Band, Result, _pooled, read_result, write_result
from latentdiff.sweep.tables import Outcome, agreement_table, best, figures, sweep_table, tables
from sae_training.agreement import Agreement
from sae_training.agreement import Band as OneBand


def measured(k: int, factor: int, shift: float = 0.0) -> dict[str, float]:
    return {
        "fvu": 0.4 / k + 0.01 * factor + shift,
        "l0": float(k),
        "dead": 0.001 * factor,
        "ms": 0.5,
        "named": 0.8,
        "fidelity": 0.03,
        "seconds": 12.0,
    }


def a_result(k: int, factor: int, variant: str = "batch_topk") -> Result:
    bands = (Band(-1, 0, 0, math.nan), Band(0, 1e-4, 10, 0.2), Band(1e-4, 1, 90, 0.6))
    return Result(
        {"sae.k": k, "sae.expansion_factor": factor, "sae.variant": variant},
        (measured(k, factor), measured(k, factor, 0.02)),
        0.56,
        bands,
        {"noisydiff": Estimate(0.4 + 0.01 * k, Interval(0.3, 0.6), 30)},
    )


@pytest.fixture
def outcome() -> Outcome:
    return Outcome(tuple(a_result(k, f) for k in (5, 20, 50) for f in (2, 16)), 8, 2, "900 <b>images</b>", (MEASURE,))


def test_a_finished_point_is_read_back_as_it_was_by_its_own_key_alone(tmp_path: Path) -> None:
    file = tmp_path / "point.json"
    result = replace(a_result(5, 2), bands=a_result(5, 2).bands[1:])
    write_result(file, "one", result)
    assert read_result(file, "one") == result
    assert read_result(file, "another") is None
    alone = Result({}, ({"fvu": 0.5},), None, ())
    write_result(file, "one", alone)
    assert read_result(file, "one") == alone
    assert read_result(tmp_path / "none.json", "one") is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"key": "one"}', '{"key": "one", "bands": 3}'])
def test_a_damaged_point_counts_as_missing(content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "point.json"
    file.write_text(content)
    with caplog.at_level(logging.WARNING):
        assert read_result(file, "one") is None
    assert "trained anew" in caplog.text


def test_the_table_holds_means_over_seeds(outcome: Outcome) -> None:
    rows = to_rows(sweep_table(outcome))
    assert [(row["sae.k"], row["sae.expansion_factor"]) for row in rows][:3] == [(5, 2), (5, 16), (20, 2)]
    assert rows[0]["FVU"] == pytest.approx(0.4 / 5 + 0.02 + 0.01)
    assert (rows[0]["agreement"], rows[0]["Noisy-Diff low"]) == (0.56, 0.3)
    assert "kept" not in rows[0]  # no classes, no column
    assert [row["fires on up to 0.01\u202f%"] for row in to_rows(agreement_table(outcome))] == [0.2] * 6
    single = replace(outcome, results=tuple(replace(r, bands=(), agreement=None) for r in outcome.results))
    assert [table.name for table in tables(single)] == ["sweep"]


def test_seeds_are_pooled_by_latents() -> None:
    one = Agreement(0.5, (OneBand(-1, 0, 0, math.nan), OneBand(0, 1, 10, 0.5)))
    other = Agreement(0.1, (OneBand(-1, 0, 0, math.nan), OneBand(0, 1, 30, 0.1)))
    silent, rest = _pooled([one, other])
    assert math.isnan(silent.matched)
    assert (rest.latents, rest.matched) == (40, pytest.approx(8 / 40))
    assert _pooled([]) == ()


def test_the_best_point_of_each_measure_is_named_and_of_equals_the_first(outcome: Outcome) -> None:
    found = {measure.name: result.values for measure, result in best(outcome)}
    assert (found["FVU"]["sae.k"], found["FVU"]["sae.expansion_factor"]) == (50, 2)
    assert found["Noisy-Diff"]["sae.k"] == 50
    assert (found["MS"]["sae.k"], found["MS"]["sae.expansion_factor"]) == (5, 2)
    assert "L0" not in found


def test_every_measure_is_drawn_over_the_first_number_with_a_line_for_each_other_choice(outcome: Outcome) -> None:
    drawn = {figure.name: figure for figure in figures(outcome)}
    assert {"fvu", "l0", "dead", "ms", "named", "agreement", "noisy-diff", "time"} == set(drawn)
    labels = [line.label for line in drawn["fvu"].lines]
    assert labels == ["expansion_factor 2, variant batch_topk", "expansion_factor 16, variant batch_topk"]
    assert "seeds from" in drawn["fvu"].lines[0].dots[0].title
    assert "95 % interval" in drawn["noisy-diff"].lines[0].dots[0].title
    tops = [tick.label for tick in drawn["l0"].y_ticks]
    assert "50" in tops or "60" in tops  # above 1 the axis goes up to what there is
    words = Outcome((Result({"sae.variant": "topk"}, (measured(5, 2),), None, ()),), 1, 1, "")
    assert figures(words) == []


def test_the_page_loads_nothing_escapes_words_and_says_how_far_it_is(outcome: Outcome) -> None:
    page = render(outcome, tables(outcome), {"command": "python train_sae.py --sweep <sae.k>"})
    assert "<b>images</b>" not in page and "--sweep &lt;sae.k&gt;" in page
    assert "6 of 8 points so far" in page
    assert "script-src" in page and "<script" not in page
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)""", page)
    assert "prefers-color-scheme: dark" in page


@pytest.mark.parametrize("width", [60, 160])
def test_the_terminal_shows_every_point_on_one_line_that_fits(outcome: Outcome, width: int) -> None:
    short = replace(
        outcome, results=tuple(replace(r, values=dict(list(r.values.items())[:2])) for r in outcome.results)
    )
    console = Console(width=width, record=True, file=io.StringIO())
    table = terminal_table(short, width, lines=False)
    console.print(table)
    lines = [line.rstrip() for line in console.export_text().splitlines()]
    assert max(map(len, lines)) <= width
    rows = [line.split() for line in lines if re.match(r" *\d", line)]
    assert len(rows) == 6
    assert all("56" in row for row in rows)
    headers = {str(column.header) for column in table.columns}
    assert {"FVU", "agreement", "Noisy-Diff"} < headers
    assert ({"fidelity", "time"} <= headers) == (width == 160)
    assert "…" not in "".join(lines)


def test_json_of_a_point_holds_its_key_and_values(tmp_path: Path) -> None:
    write_result(tmp_path / "p.json", "k", a_result(5, 2))
    read = json.loads((tmp_path / "p.json").read_text())
    assert (read["key"], read["values"]["sae.k"], len(read["seeds"])) == ("k", 5, 2)
