"""The page of a benchmark: one HTML file that opens from disk, with any pair to look at, tables and figures.

It looks like the report of a comparison (`latentdiff.report`) and keeps its rules: style and script lie in the page
and are named in its content security policy, images are `data:` addresses, every word from outside is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from latentdiff.hypotheses import SIDES, Side
from latentdiff.noisydiff.methods.predictions import Prediction
from latentdiff.noisydiff.methods.registry import CHANCE
from latentdiff.noisydiff.pairs.pair import Pair, Truth
from latentdiff.noisydiff.scoring.aggregate import methods_of
from latentdiff.noisydiff.scoring.catalogue import MAIN, NEAR, Level
from latentdiff.noisydiff.scoring.measures import Accepted, Judge, SideScore, level_of
from latentdiff.presentation import numbers, standalone
from latentdiff.presentation.figures import Figure
from latentdiff.presentation.tables import Table
from latentdiff.presentation.thumbnails import data_uri
from sae_training.files import replacing

HERE = Path(__file__).parent
WORDS = 25  # shown of a side's findings
LONGEST = 400  # characters of one piece of evidence
TILES = 6  # images a method and side

MARKS = {Level.EXACT: "✓", Level.SYNONYM: "≈", Level.ONE_STEP: "±"}


@dataclass(frozen=True)
class Content:
    """What the page shows."""

    title: str
    lede: str  # one sentence: which data, which encoder, how many pairs
    pairs: Sequence[Pair]
    predictions: Sequence[Prediction]
    scores: Sequence[SideScore]
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()
    run: Mapping[str, Any] = field(default_factory=dict)  # settings, versions, command
    images: Mapping[str, bytes] = field(default_factory=dict)  # image id -> encoded image, for `details["images"]`


@dataclass(frozen=True)
class MethodFindings:
    """One method on one side."""

    method: str
    findings: tuple[tuple[tuple[str, Level | None], ...], ...]  # entries with the level that they reach
    roles: tuple[str, ...]  # of each finding; "" where the method claims nothing of it
    rank: int | None  # of the first exact or synonym hit
    similarity: float | None
    abstained: bool
    tiles: tuple[str, ...]  # ids of images that the method showed


@dataclass(frozen=True)
class PairSide:
    """One side of a pair."""

    side: Side
    truth: Truth | None
    shift: Truth | None  # what the side is as a whole
    also: tuple[str, ...]  # further names of the truth
    images: int
    by_method: tuple[MethodFindings, ...]


@dataclass(frozen=True)
class Entry:
    """One pair to look at."""

    pair: Pair
    sides: tuple[PairSide, ...]
    outcome: str  # how the main method did by the main measure: "both", "one", "none"; "shift" alone; "same" for A = A
    evidence: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]  # method -> what its prediction carries


def write_page(content: Content, judge: Judge, file: Path) -> None:
    """Writes the page, whole or not at all."""
    page = render(content, judge)
    with replacing(file) as temporary:
        temporary.write_text(page, encoding="utf-8")


def render(content: Content, judge: Judge) -> str:
    """The page as text.

    Args:
        content: what is shown; of every prediction at most 25 words a side.
        judge: which words name a truth, for the marks.
    """
    style = standalone.style("page.css", "figure.css", "benchmark.css")
    script = (HERE / "page.js").read_text(encoding="utf-8")
    methods = methods_of(content.predictions)
    main = "combined" if "combined" in methods else next((m for m in methods if m not in CHANCE), "")
    return (
        standalone.environment(HERE)
        .get_template("page.html.jinja")
        .render(
            content=content,
            entries=entries(content, judge, methods, main),
            methods=methods,
            main=main,
            marks=MARKS,
            facts=standalone.flatten(content.run),
            thumbnail=cache(lambda id: Markup(data_uri(content.images[id])) if id in content.images else ""),
            percent=numbers.percent,
            unit=numbers.unit,
            number=numbers.number,
            style=style,
            script=Markup(script),
            policy=standalone.policy(style, script),
        )
    )


def entries(content: Content, judge: Judge, methods: Sequence[str], main: str) -> list[Entry]:
    """Every pair with what each method said of it, in the methods' order."""
    scores = {(s.pair, s.method, s.side): s for s in content.scores}
    by_pair: dict[str, dict[str, Prediction]] = {}
    for prediction in content.predictions:
        by_pair.setdefault(prediction.pair, {})[prediction.method] = prediction
    return [_entry(pair, by_pair.get(pair.id, {}), scores, judge, methods, main) for pair in content.pairs]


def _entry(
    pair: Pair,
    by_method: Mapping[str, Prediction],
    scores: Mapping[tuple[str, str, Side], SideScore],
    judge: Judge,
    methods: Sequence[str],
    main: str,
) -> Entry:
    sides = []
    for side in SIDES:
        truth = pair.truth.get(side)
        accepted = judge(truth) if truth else Accepted(frozenset(), frozenset(), frozenset())
        methods_found = tuple(
            _of_method(by_method[method], side, accepted, scores.get((pair.id, method, side)))
            for method in methods
            if method in by_method
        )
        also = tuple(name for name in truth.names if name != truth.phrase) if truth else ()
        images = len(pair.a if side == "a" else pair.b)
        sides.append(PairSide(side, truth, pair.shift.get(side), also, images, methods_found))
    hits = [scores[pair.id, main, side].values[MAIN] for side in pair.truth if (pair.id, main, side) in scores]
    named = sum(hits)
    alone = "same" if pair.is_null else "shift" if not pair.truth else ""
    outcome = alone or ("both" if hits and named == len(hits) else "one" if named else "none")
    evidence = tuple(
        (method, tuple((key, value[:LONGEST]) for key, value in standalone.flatten(by_method[method].details)))
        for method in methods
        if method in by_method and by_method[method].details
    )
    return Entry(pair, tuple(sides), outcome, evidence)


def _of_method(prediction: Prediction, side: Side, accepted: Accepted, score: SideScore | None) -> MethodFindings:
    findings, left = [], WORDS
    for finding in prediction.findings.get(side, ()):
        findings.append(tuple((entry, level_of(entry, accepted)) for entry in finding[:left]))
        left -= len(finding)
        if left <= 0:
            break
    images = prediction.details.get("images")
    of_side = images.get(side) if isinstance(images, Mapping) else None
    tiles = tuple(map(str, of_side))[:TILES] if isinstance(of_side, (list, tuple)) else ()
    return MethodFindings(
        prediction.method,
        tuple(findings),
        prediction.roles.get(side, ("",) * len(prediction.findings.get(side, ())))[: len(findings)],
        score.ranks[Level.SYNONYM] if score else None,
        score.values.get(NEAR) if score else None,
        prediction.abstained,
        tiles,
    )
