"""Which tables a benchmark shows (docs/methods.md, 8): hits, similarity, differences, scarcity, chance, cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from latentdiff.hypotheses import Interval
from latentdiff.noisydiff.methods.predictions import TOP, Prediction
from latentdiff.noisydiff.methods.registry import CHANCE
from latentdiff.noisydiff.pages.claim_tables import alarm_table, claims_table, cost_table, leads_table, precision_table
from latentdiff.noisydiff.pages.shift_tables import shift_pairs_table, shifts_table
from latentdiff.noisydiff.pairs.pair import Pair
from latentdiff.noisydiff.scoring import curves
from latentdiff.noisydiff.scoring.aggregate import Run, methods_of, paired, per_pair, readings
from latentdiff.noisydiff.scoring.catalogue import (
    CONFIRMED,
    CUTS,
    DIFFERENT,
    HITS,
    INTERVALS,
    JOINED,
    LEVELS,
    MAIN,
    NEAR,
    NEAR_JOINED,
    RANKS,
    SIMILARITIES,
    Level,
    in_words,
)
from latentdiff.noisydiff.scoring.claims import deciding, mixtures
from latentdiff.noisydiff.scoring.judged import Judged
from latentdiff.noisydiff.scoring.measures import Judge, SideScore, score
from latentdiff.noisydiff.scoring.similarity import SentenceSpace
from latentdiff.presentation import numbers
from latentdiff.presentation.tables import Cell, Column, Table
from latentdiff.statistics.bootstrap import estimate
from latentdiff.statistics.estimates import Estimate, Reading

PRESET_METHODS = ("concept", "density", "combined", "task-concept", "task-combined")
_LEVELS = 6  # of scarcity, up to which each has a column of its own
READABLE = 12  # pairs up to which a table says what each method says of them
COVERED = (0.4, 0.5, 0.6, 0.7, 0.8)  # thresholds of joint coverage in the table; the figure has all


def standard_tables(
    pairs: Sequence[Pair],
    predictions: Sequence[Prediction],
    scores: Sequence[SideScore],
    judge: Judge,
    space: SentenceSpace | None = None,
    judged: Judged | None = None,
) -> list[Table]:
    """Every table that the pairs and methods allow; one that would be empty is left out.

    Args:
        pairs: with a truth, or A = A.
        predictions: of all methods, as scored.
        scores: of those predictions (`measures.score`).
        judge: which words name a truth, for the mixtures of the proposers.
        space: as the scores were made with.
        judged: what annotations say of the predictions; None: nothing is annotated.
    """
    tables = [hit_table(scores, level) for level in LEVELS]
    near = _near_measures(scores)
    if near:
        tables.append(similarity_table(scores))
    tables += [difference_table(scores, method) for method in PRESET_METHODS if method in methods_of(scores)]
    tables += [scarcity_table(scores, MAIN, deciding(predictions)), correlation_table(scores, NEAR if near else MAIN)]
    if near:
        tables.append(coverage_table(scores, NEAR))
    mixed = mixtures([p for p in predictions if p.pair in {pair.id for pair in pairs if pair.truth}])
    if mixed:
        chance = [one for one in scores if one.method in CHANCE]
        tables.append(mixture_table([*score(pairs, mixed, judge, space), *chance]))
    tables += [said_table(pairs, predictions), precision_table(pairs, predictions, judge)]
    if judged:
        tables += [claims_table(judged.claims, predictions), leads_table(judged.leads)]
        tables += [shifts_table(judged.shifts), shift_pairs_table(judged.shifts)]
    tables += [alarm_table(pairs, predictions), cost_table(predictions)]
    return [table for table in tables if table.rows]


def hit_table(scores: Sequence[SideScore], level: Level) -> Table:
    """Hits of one level at every cut, and the rank of the first."""
    names = {
        Level.EXACT: "exact",
        Level.SYNONYM: "exact or synonym",
        Level.ONE_STEP: "exact, synonym or one WordNet step",
    }
    columns = [Column("method"), *(Column(cut, "percent") for cut in CUTS), Column("reciprocal rank", "unit")]
    measures = [*(HITS[level, cut].name for cut in CUTS), RANKS[level].name]
    note = f"Share of sides whose truth is named in the first findings or words. {INTERVALS}{_chance(scores)}"
    title = f"Hits: {names[level]}"
    return Table(f"hits-{level.replace(' ', '-')}", title, note, tuple(columns), _by_method(scores, measures))


def similarity_table(scores: Sequence[SideScore]) -> Table:
    """Largest cosines of the sentence space."""
    columns = [*(Column(cut, "unit") for cut in CUTS), *(Column(one.name, "unit") for one in JOINED.values())]
    note = (
        "Largest cosine between the truth and single words, and between the truth and the joined words of a finding. "
        f"{INTERVALS}{_chance(scores)}"
    )
    rows = _by_method(scores, _near_measures(scores))
    return Table("similarity", "Sentence similarity", note, (Column("method"), *columns), rows)


def difference_table(scores: Sequence[SideScore], method: str) -> Table:
    """How much better one method is than each other on the same pairs, over all and at each scarcity."""
    near = (NEAR, NEAR_JOINED) if _near_measures(scores) else ()
    hits = (*(HITS[Level.SYNONYM, cut].name for cut in ("top 5", "5 words")), MAIN)
    levels = sorted({float(f"{one.scarcity:.2g}") for one in scores}, reverse=True)
    of_level = {x: [one for one in scores if float(f"{one.scarcity:.2g}") == x] for x in levels}
    apart = levels if 1 < len(levels) <= _LEVELS else []
    columns = [
        *(Column(m, "points") for m in hits),
        *(Column(f"{MAIN}, at {numbers.percent(x)}", "points") for x in apart),
        *(Column(m, "unit") for m in near),
    ]
    rows: list[tuple[Cell, ...]] = [
        (
            other,
            *(paired(scores, measure, method, other) for measure in hits),
            *(paired(of_level[x], MAIN, method, other) for x in apart),
            *(paired(scores, measure, method, other) for measure in near),
        )
        for other in methods_of(scores)
        if other != method
    ]
    note = f"{method} minus the method of the row, paired: hits in percentage points, similarity in cosine. {INTERVALS}"
    title = f"Differences: {method} against the others"
    return Table(f"differences-{method}", title, note, (Column("against"), *columns), tuple(rows))


def scarcity_table(
    scores: Sequence[SideScore], measure: str, deciding: Collection[str] = (), share: float = 0.8
) -> Table:
    """Hits, verdicts and confirmed truths by scarcity, and from how many images on `share` of the hits is reached.

    Args:
        scores: of all methods.
        measure: of hits.
        deciding: methods that may answer "no difference" or claim what they say; the others get no verdict.
        share: of hits.
    """
    by_method = {method: curves.by_scarcity(scores, method, measure) for method in methods_of(scores)}
    chance = {m: dict(zip(by_method[m].x, by_method[m].y, strict=True)) for m in CHANCE if m in by_method}
    rows: list[tuple[Cell, ...]] = []
    for method, curve in by_method.items():
        planted = curves.planted_by_scarcity(scores, method)
        needed = needed_text(curves.images_needed(scores, method, measure, share))
        verdicts = [curves.by_scarcity(scores, method, name).y for name in (DIFFERENT.name, CONFIRMED.name)]
        for x, hits, different, confirmed in reversed(list(zip(curve.x, curve.y, *verdicts, strict=True))):
            beside = _beside(method, {m: y[x] for m, y in chance.items() if x in y})
            decided = (different, confirmed) if method in deciding else (None, None)
            rows.append((method, x, planted[x], Reading(method, measure, hits, beside), *decided, needed))
            needed = ""  # once a method
    columns = (
        Column("method"), Column("scarcity", "percent"), Column("images planted", "number"), Column("hits", "percent"),
        Column(DIFFERENT.name, "percent"), Column(CONFIRMED.name, "percent"),
        Column(f"images for {numbers.percent(share)}"),
    )  # fmt: skip
    note = (
        f"By the share of a side's images that show its truth: {in_words(measure)}, {DIFFERENT.words}, and "
        f"{CONFIRMED.words} (a lead: a finding that is significant given all others, or that is confirmed); last, from "
        f"how many images on the hits reach {numbers.percent(share)} (isotonic fit). {INTERVALS}{_chance(scores)}"
    )
    return Table("scarcity", "Scarcity", note, columns, tuple(rows))


def correlation_table(scores: Sequence[SideScore], measure: str) -> Table:
    """Pearson's rho against scarcity, one row a parent and one pooled."""
    rows: list[tuple[Cell, ...]] = []
    for method in methods_of(scores):
        found = curves.correlations(scores, method, measure)
        if found.parents:
            pairs = sum(c.pairs for c in found.parents)
            rows.append((method, "all, pooled", found.rho, found.p_value, pairs))
            rows += [(method, c.parent or "none", c.rho, c.p_value, c.pairs) for c in found.parents]
    columns = (Column("method"), Column("parent"), Column("rho", "unit"), Column("p", "p"), Column("pairs", "number"))
    note = f"Pearson's rho between scarcity and {in_words(measure)}, within each parent; pooled p by Fisher's method."
    return Table("rho", "Score against scarcity", note, columns, tuple(rows))


def coverage_table(scores: Sequence[SideScore], measure: str) -> Table:
    """Share of pairs whose sides are all at or above a threshold."""
    found = {m: curves.joint_coverage(scores, m, measure, COVERED).y for m in methods_of(scores)}
    chance = {method: found[method] for method in CHANCE if method in found}
    rows: list[tuple[Cell, ...]] = []
    for method, estimates in found.items():
        beside = [_beside(method, {m: y[i] for m, y in chance.items()}) for i in range(len(COVERED))]
        cells = (Reading(method, measure, e, c) for e, c in zip(estimates, beside, strict=True))
        rows.append((method, *cells))
    columns = (Column("method"), *(Column(f"≥ {numbers.unit(threshold)}", "percent") for threshold in COVERED))
    note = f"Share of pairs whose sides all reach the threshold by {in_words(measure)}. {INTERVALS}{_chance(scores)}"
    return Table("coverage", "Joint coverage", note, columns, tuple(rows))


def mixture_table(scores: Sequence[SideScore]) -> Table:
    """The paper's 5+0 ... 0+5."""
    near = (NEAR, NEAR_JOINED) if _near_measures(scores) else ()
    measures = [*(HITS[Level.SYNONYM, cut].name for cut in ("top 1", "top 5")), MAIN, *near]
    columns = (Column("concept + density"), *(Column(m, "unit" if m in near else "percent") for m in measures))
    note = f"First findings of the SAE latents, then of the density ratio, five in all. {INTERVALS}{_chance(scores)}"
    rows = tuple(row for row in _by_method(scores, measures) if row[0] not in CHANCE)
    return Table("mixtures", "Mix of the proposers", note, columns, rows)


def said_table(pairs: Sequence[Pair], predictions: Sequence[Prediction]) -> Table:
    """What is said of each side, where the pairs are few enough to be read; empty where they are not."""
    planted = [pair for pair in pairs if pair.truth]
    given = {(p.pair, p.method): p for p in predictions}
    methods = [method for method in methods_of(predictions) if method not in CHANCE]
    rows: list[tuple[Cell, ...]] = [
        (pair.id, truth.phrase, method, _first_words(given[pair.id, method].findings.get(side, ())))
        for pair in planted * (len(planted) <= READABLE)
        for side, truth in pair.truth.items()
        for method in methods
        if (pair.id, method) in given
    ]
    columns = (Column("pair"), Column("truth"), Column("method"), Column("says"))
    note = f"The first word of each of the first {TOP} findings on the side that shows the truth."
    return Table("said", "What each method says", note, columns, tuple(rows))


def _first_words(findings: Sequence[Sequence[str]]) -> str:
    return ", ".join(finding[0] for finding in findings[:TOP] if finding) or "nothing"


def sensitivity_table(setting: str, runs: Sequence[Run], base: Run, methods: Sequence[str]) -> Table:
    """The same pairs answered with one setting changed at a time.

    Args:
        setting: its name, in every run's settings.
        runs: one for each value of it, `base` among them.
        base: with the settings as they are.
        methods: whose scores.
    """
    names = (*(HITS[Level.SYNONYM, cut].name for cut in ("top 1", "top 5")), MAIN, RANKS[Level.SYNONYM].name)
    rows: list[tuple[Cell, ...]] = []
    for method in methods:
        for run in runs:
            value = str(run.settings[setting])
            both = [replace(one, method="base") for one in base.scores if one.method == method]
            own = [one for one in run.scores if one.method == method]
            cells = [estimate(list(per_pair(own, name, method).values())) for name in names]
            changes = [None if run is base else paired([*own, *both], name, method, "base") for name in names[1:3]]
            rows.append((method, f"{value} (as set)" if run is base else value, *cells, *changes))
    columns = (
        Column("method"), Column("value"), *(Column(name, "percent") for name in names[:3]), Column(names[3], "unit"),
        *(Column(f"{name}, change", "points") for name in names[1:3]),
    )  # fmt: skip
    note = f"Share of sides named, and the change against the value that is set, paired. {INTERVALS}"
    return Table(setting.replace(".", "-"), setting, note, columns, tuple(rows))


def needed_text(needed: curves.Needed) -> str:
    """The number of images with its interval: "34 (21 to 60)", "≤ 5", "not reached"."""

    def text(images: float) -> str:
        return f"{round(images):,}" if images < float("inf") else "not reached"

    if needed.images == float("inf") and needed.interval.low == float("inf"):
        return "not reached"
    interval: Interval = needed.interval
    ends = "" if interval.low == interval.high else f" ({text(interval.low)} to {text(interval.high)})"
    return f"{'≤ ' if needed.at_most else ''}{text(needed.images)}{ends}"


def _by_method(scores: Sequence[SideScore], measures: Sequence[str]) -> tuple[tuple[Cell, ...], ...]:
    columns = [readings(scores, measure) for measure in measures]
    return tuple((row[0].method, *row) for row in zip(*columns, strict=True))


def _chance(scores: Sequence[SideScore]) -> str:
    """What stands behind the numbers, where a method of chance was run."""
    run = [method for method in methods_of(scores) if method in CHANCE]
    return f" After each number the best of what chance gives on the same pairs ({', '.join(run)})." if run else ""


def _beside(method: str, chance: Mapping[str, Estimate]) -> Mapping[str, Estimate]:
    """Chance needs no chance beside it."""
    return {} if method in CHANCE else chance


def _near_measures(scores: Sequence[SideScore]) -> tuple[str, ...]:
    """The measures of similarity, as in the tables' order; none where similarity was not measured."""
    return SIMILARITIES if scores and all(name in scores[0].values for name in SIMILARITIES) else ()
