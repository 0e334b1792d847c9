"""Tables, figures and the page: what they say, and that no word from outside becomes markup."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser

import pyarrow.parquet as pq
import pytest

from latentdiff.hypotheses import Interval
from latentdiff.noisydiff.methods.predictions import Prediction
from latentdiff.noisydiff.methods.registry import CHANCE
from latentdiff.noisydiff.pages.figures import plot, setting_figure, standard_figures
from latentdiff.noisydiff.pages.page import Content, render, write_page
from latentdiff.noisydiff.pages.summary import needed_text, said_table, sensitivity_table, standard_tables
from latentdiff.noisydiff.pairs.pair import Pair, Truth
from latentdiff.noisydiff.scoring.aggregate import Run
from latentdiff.noisydiff.scoring.curves import Needed
from latentdiff.noisydiff.scoring.measures import by_names, score
from latentdiff.noisydiff.scoring.similarity import SentenceSpace
from latentdiff.presentation.figures import svg, write_figures
from latentdiff.presentation.tables import to_markdown, write_rows, write_tables
from latentdiff.statistics.estimates import Curve, Estimate

HOSTILE = '</script><img src=x onerror="alert(1)">&amp;\'"<b>|*_`'
METHODS = ("concept", "density", "combined", "gsclip", "random-words", "random-latents")


def letters(texts):
    return [[text.count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts]


def benchmark(word="umbrella", name="person"):
    """Twelve pairs at three scarcities, each side named by some methods, and two A = A pairs."""
    pairs, answers = [], []
    for i in range(12):
        truth = {"a": Truth(word, (word, "brolly")), "b": Truth("tie", ("tie",), "n04433585")}
        ids = tuple(f"{i}-{n}" for n in range(100 * (1 + i % 2)))
        pairs.append(Pair(f"{name}/{i}", name, ids, ids, truth, (0.05, 0.02, 0.01)[i % 3]))
        for j, method in enumerate(METHODS):
            said = ((word, "rain") if (i + j) % 3 else ("snow", "ice"), ("hat",))
            details = {"q": 0.01, "images": {"a": ["0-1"], "b": []}, "says": {"note": word}} if j == 0 else {}
            answers.append(Prediction(method, f"{name}/{i}", {"a": said, "b": (("ties",),)}, details=details))
    for i in range(2):
        pairs.append(Pair(f"same/{i}", name, ("x",), ("y",), {}, 0.0))
        answers += [Prediction(m, f"same/{i}", {"a": (("hat",),)}, confirmed={"a": (False,)}) for m in METHODS[:2]]
    return pairs, answers


def everything(word="umbrella", name="person"):
    pairs, answers = benchmark(word, name)
    space = SentenceSpace(letters)
    scores = score(pairs, answers, by_names, space)
    tables = standard_tables(pairs, answers, scores, by_names, space)
    plots = standard_figures(scores, "synonym, 25 words", "similarity, top 5")
    run = {"command": word, "settings": {"k": 32, "word": word}}
    return Content(f"Noisy-Diff {word}", f"{name} lede", pairs, answers, scores, tables, plots, run)


@pytest.fixture(scope="module")
def content():
    return everything()


class Elements(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def bones(page):
    """What markup could change: each tag with the names of its attributes, and its classes."""
    return [(tag, tuple(attrs), attrs.get("class")) for tag, attrs in Elements(page).tags]


def test_every_table_that_the_benchmark_allows_is_there(content):
    assert [table.name for table in content.tables] == [
        "hits-exact", "hits-synonym", "hits-one-step", "similarity", "differences-concept", "differences-density",
        "differences-combined", "scarcity", "rho", "coverage", "mixtures", "said", "false-alarms", "cost",
    ]  # fmt: skip


def test_chance_stands_beside_every_hit(content):
    table = next(t for t in content.tables if t.name == "hits-synonym")
    for method, *cells in table.rows:
        for cell in cells:
            assert set(cell.chance) == (set() if method.startswith("random") else {"random-words", "random-latents"})
    text = to_markdown([table], "t")
    assert text.count("; chance ") == 5 * 4


def test_without_similarity_and_without_a_truth_the_tables_are_fewer():
    pairs, answers = benchmark()
    scores = score(pairs, answers, by_names)
    names = {t.name for t in standard_tables(pairs, answers, scores, by_names)}
    assert not names & {"similarity", "coverage"} and "hits-exact" in names
    same = [p for p in pairs if not p.truth]
    about = [a for a in answers if a.pair.startswith("same")]
    assert {t.name for t in standard_tables(same, about, [], by_names)} == {"false-alarms", "cost"}


def test_files_can_be_read_back(content, tmp_path):
    write_tables(content.tables, tmp_path)
    write_rows(content.scores, tmp_path / "scores.parquet")
    read = json.loads((tmp_path / "tables.json").read_text())
    assert list(read) == [t.name for t in content.tables]
    for table in content.tables:
        assert pq.read_table(tmp_path / f"{table.name}.parquet").num_rows == len(table.rows)
    rows = pq.read_table(tmp_path / "scores.parquet")
    assert rows.num_rows == len(content.scores) and "values: synonym, 25 words" in rows.column_names


@pytest.mark.parametrize(
    ("needed", "text"),
    [
        (Needed(0.8, 34.4, Interval(21, 60), False), "34 (21 to 60)"),
        (Needed(0.8, 5, Interval(5, 5), True), "≤ 5"),
        (Needed(0.8, 40, Interval(30, math.inf), False), "40 (30 to not reached)"),
        (Needed(0.8, math.inf, Interval(math.inf, math.inf), False), "not reached"),
    ],
)
def test_images_needed_are_said_in_words(needed, text):
    assert needed_text(needed) == text


def at(value):
    return Estimate(value, Interval(value, value), 1)


def test_chance_is_dashed_and_ten_methods_look_different():
    lines = [Curve(f"m{i}", (1, 2), (at(0), at(1))) for i in range(10)] + [Curve("parent", (1, 2), (at(0), at(0)))]
    drawn = plot(lines, "f", "F", "", "x", "y", ("number", "unit")).lines
    assert len({(line.style, line.dash) for line in drawn}) == 11 and drawn[-1].style == "chance"


def test_figures_are_whole_svg_files_with_hostile_labels(content, tmp_path):
    assert [f.name for f in content.figures] == ["coverage", "scarcity", "planted", "scale"]
    hostile = [replace(f, title=HOSTILE, x_label=HOSTILE) for f in content.figures]
    write_figures(hostile, tmp_path)
    for file in tmp_path.iterdir():
        tree = ElementTree.parse(file)
        assert {e.tag.rpartition("}")[2] for e in tree.iter()} <= {
            "svg", "title", "style", "rect", "text", "line", "path", "circle",
        }  # fmt: skip
    assert "<title>" in svg(hostile[0])


def test_a_changed_setting_stands_beside_the_one_that_is_set():
    pairs, answers = benchmark()
    scores = score(pairs, answers, by_names)
    none = [replace(one, values=dict.fromkeys(one.values, 0.0)) for one in scores]
    base, other = Run({"k": 8}, scores), Run({"k": 32}, none)
    table = sensitivity_table("k", [base, other], base, ["concept"])
    assert [row[1] for row in table.rows] == ["8 (as set)", "32"]
    hits, change = table.rows[0][3].value, table.rows[1][6].value
    assert table.rows[0][6] is None and hits > 0
    assert change == pytest.approx(-hits)


def test_what_is_said_of_few_pairs_stands_in_a_table_and_of_many_does_not():
    pairs, answers = benchmark()
    rows = said_table(pairs, answers).rows
    assert ("person/0", "umbrella", METHODS[0], "snow, hat") in rows
    assert len(rows) == 12 * 2 * len([m for m in METHODS if m not in CHANCE])
    assert not said_table([*pairs, *(replace(p, id=f"more {p.id}") for p in pairs)], answers).rows


def test_similarity_is_drawn_against_a_setting():
    pairs, answers = benchmark()
    scores = score(pairs, answers, by_names, SentenceSpace(letters))
    runs = [Run({"retrieved": n}, scores) for n in (5, 10, 20)]
    figure = setting_figure(runs, ["density"], "similarity, top 5", "retrieved", "retrieved", "Retrieved images")
    assert [len(line.dots) for line in figure.lines] == [3]


def test_hostile_words_change_no_tag_and_no_attribute_of_the_page():
    plain = render(everything("word", "name"), by_names)
    hostile = render(everything(HOSTILE, HOSTILE), by_names)
    assert bones(hostile) == bones(plain)
    assert HOSTILE in Elements(hostile).text


def test_the_page_asks_nobody_for_anything(content):
    page = render(content, by_names)
    elements = Elements(page)
    for _, attrs in elements.tags:
        for name in ("src", "href", "action", "srcset"):
            assert (attrs.get(name) or "#").startswith(("#", "data:"))
    assert "http" not in page.replace("http-equiv", "")
    assert "url(" not in page and "@import" not in page


def test_every_pair_is_there_with_truth_answers_and_marks(content):
    page = render(content, by_names)
    entries = [attrs for tag, attrs in Elements(page).tags if attrs.get("class") == "entry"]
    assert len(entries) == len(content.pairs)
    assert {e["data-outcome"] for e in entries} == {"both", "one", "same"}
    assert '<mark class="exact" title="exact"><bdi>umbrella</bdi> ✓</mark>' in page
    assert '<mark class="exact" title="exact"><bdi>ties</bdi> ✓</mark>' in page
    assert "says.note" in page and "nothing planted" in page


def test_an_image_whose_bytes_are_not_there_becomes_its_id(content):
    from io import BytesIO

    from PIL import Image

    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    page = render(replace(content, images={"0-1": file.getvalue()}), by_names)
    assert page.count('src="data:image/jpeg') == 12
    assert '<span class="blank a"><bdi>0-1</bdi>' in render(replace(content, images={"other": b"x"}), by_names)


def test_a_page_of_nothing_is_a_page(tmp_path):
    write_page(Content("t", "l", (), (), ()), by_names, tmp_path / "page.html")
    assert "</html>" in (tmp_path / "page.html").read_text()
