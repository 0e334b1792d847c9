"""What annotations say of the answers: tables of claims, leads and shifts, and what the page tells of both."""

from __future__ import annotations

import re

import markupsafe
import pytest

from latentdiff.noisydiff.methods.predictions import Prediction
from latentdiff.noisydiff.pages.figures import standard_figures
from latentdiff.noisydiff.pages.page import Content, render
from latentdiff.noisydiff.pages.summary import scarcity_table, standard_tables
from latentdiff.noisydiff.pairs.builder import Annotated
from latentdiff.noisydiff.pairs.shifts import Planting, Styled, shift_pair
from latentdiff.noisydiff.scoring.judged import Judged, judge_claims
from latentdiff.noisydiff.scoring.measures import by_names, score

STRANGE = '</script><img src=x onerror="alert(1)">&amp;\'"<b>|*`'  # as the name of a style


def styled():
    """Two styles, alone and with dogs planted on A, answered by a method with roles and by one without."""
    known = {
        f"{style}-{i}": Styled(style, "dog", frozenset({"dog"})) for style in ("photo", STRANGE) for i in range(80)
    }
    pairs = [shift_pair(known, (STRANGE, "photo"), 60, planting) for planting in (None, Planting("dog", "a", 0.08))]
    said, answers = ((STRANGE, "x"), ("dog",), ("dog",)), []
    for pair in pairs:
        roles, shown = {"a": ("shift", "lead", ""), "b": ()}, {"a": ((), pair.a[:1], ()), "b": ()}
        answers.append(Prediction("combined", pair.id, {"a": said, "b": ()}, {}, roles, shown))
        answers.append(Prediction("gsclip", pair.id, {"a": said}))
    annotated = Annotated(
        {id: one.labels | {one.style} for id, one in known.items()},
        {"dog": pairs[1].truth["a"], "photo": pairs[0].shift["b"], STRANGE: pairs[0].shift["a"]},
    )
    return pairs, answers, judge_claims(pairs, answers, annotated, by_names)


def test_what_annotations_say_of_claims_leads_and_shifts_stands_in_tables():
    pairs, answers, judged = styled()
    tables = {
        t.name: t for t in standard_tables(pairs, answers, score(pairs, answers, by_names), by_names, None, judged)
    }
    assert [row[:2] for row in tables["claims"].rows] == [("combined", "lead"), ("combined", "shift")]
    assert tables["claims"].rows[1][3].value == 1  # the style is what the claim says
    ((method, scarcity, planted, found, *_),) = tables["leads"].rows
    assert (method, scarcity, planted, found.value) == ("combined", pytest.approx(0.0769, abs=1e-3), 5, 1)
    assert [row[:3] for row in tables["shifts"].rows] == [
        (method, "yes", share) for method in ("combined", "gsclip") for share in ("nothing", "8.0\u202f%")
    ]
    assert tables["shift-pairs"].rows[0][3] == f"{STRANGE} | –"
    assert judge_claims(pairs, answers, None, by_names) == Judged()


def test_where_nothing_is_planted_anywhere_there_is_no_figure_and_no_hit():
    pairs, answers, judged = styled()
    alone = [one for one in answers if one.pair == pairs[0].id]
    of_alone = Judged([c for c in judged.claims if c.pair == pairs[0].id], shifts=judged.shifts)
    tables = standard_tables(pairs[:1], alone, [], by_names, None, of_alone)
    assert {"shifts", "claims"} <= {t.name for t in tables} and "hits-exact" not in {t.name for t in tables}
    assert standard_figures([], "synonym, 25 words", "similarity, top 5") == []


def test_the_scarcity_table_says_verdict_and_confirmed_truth_of_those_that_decide():
    pairs, answers, _ = styled()
    rows = {
        row[0]: row for row in scarcity_table(score(pairs, answers, by_names), "synonym, 25 words", {"combined"}).rows
    }
    *_, planted, hits, different, confirmed, needed = rows["combined"]
    assert (planted, hits.estimate.value, different.value, confirmed.value, needed) == (5, 1, 1, 1, "≤ 5")
    assert rows["gsclip"][4:6] == (None, None)


def test_the_page_tells_shifts_and_roles_and_escapes_them():
    pairs, answers, _ = styled()
    page = render(Content("t", "l", pairs, answers, score(pairs, answers, by_names)), by_names)
    assert re.findall('data-outcome="([a-z]+)"', page) == ["shift", "both"]
    assert page.count("<small>lead</small>") == page.count("<small>shift</small>") == 2
    told = f"shift: <bdi>{markupsafe.escape(STRANGE)}</bdi>, <bdi>photo</bdi>" in page
    assert told and page.count("no difference") == 0
    assert STRANGE not in page and "<img" not in page
