"""The tables about claims: are they true, do leads show what was planted, what is claimed of nothing, the cost."""

from __future__ import annotations

from collections.abc import Sequence

from latentdiff.noisydiff.methods.predictions import SHOWN, TOP, Prediction
from latentdiff.noisydiff.pairs.pair import Pair
from latentdiff.noisydiff.scoring.catalogue import INTERVALS
from latentdiff.noisydiff.scoring.claims import costs, false_alarms, precisions
from latentdiff.noisydiff.scoring.leads import WORDS, SideLeads, lead_scores
from latentdiff.noisydiff.scoring.measures import Judge
from latentdiff.noisydiff.scoring.truths import FALSE_ABOVE, TRUE_AT, CheckedClaim, claim_truths
from latentdiff.presentation.tables import Cell, Column, Table
from latentdiff.statistics.estimates import Estimate


def claims_table(claims: Sequence[CheckedClaim], predictions: Sequence[Prediction]) -> Table:
    """How true the claims are."""
    rows: list[tuple[Cell, ...]] = [
        (of.method, of.role, of.claims, of.true, of.false, of.unknown, of.true_of_known)
        for of in claim_truths(claims, predictions)
    ]
    columns = (
        Column("method"), Column("role"), Column("claims a pair", "number"), Column("true", "percent"),
        Column("false", "percent"), Column("unknown", "percent"), Column("true, of those known", "percent"),
    )  # fmt: skip
    note = (
        "Claims about all pairs, planted or not, against what is annotated in the images: true where more images of "
        f"the claimed side show what the first word names (p ≤ {TRUE_AT}, Fisher), false where no more do, or p > "
        f"{FALSE_ABOVE}; unknown in between, and where the word names nothing annotated. What a method confirms that "
        f"knows no roles is “confirmed”. {INTERVALS}"
    )
    return Table("claims", "Truth of claims", note, columns, tuple(rows))


def leads_table(sides: Sequence[SideLeads]) -> Table:
    """Whether leads show what was planted, by scarcity."""
    rows: list[tuple[Cell, ...]] = [
        (of.method, of.scarcity, of.planted, of.found, of.first_word, of.any_word, of.others)
        for of in lead_scores(sides)
    ]
    columns = (
        Column("method"), Column("scarcity", "percent"), Column("images planted", "number"),
        Column("sides with a lead that shows it", "percent"), Column("and names it by its first word", "percent"),
        Column(f"among its first {WORDS} words", "percent"), Column("leads that show other images", "percent"),
    )  # fmt: skip
    note = (
        f"A lead shows what was planted where half of its images on its side (of the {SHOWN} that show it strongest) "
        "carry the label: words play no part. Then the share of sides on which the first such lead names it, exactly "
        f"or by a synonym; last, of all leads on these sides, those that show something else. {INTERVALS}"
    )
    return Table("leads", "Leads by their images", note, columns, tuple(rows))


def precision_table(pairs: Sequence[Pair], predictions: Sequence[Prediction], judge: Judge) -> Table:
    """How true the confirmed findings are."""
    rows: list[tuple[Cell, ...]] = [
        (p.method, p.confirmed, p.first_word, p.any_word)
        for p in precisions(pairs, predictions, judge)
        if p.confirmed.value
    ]
    columns = (
        Column("method"), Column("confirmed a side", "number"), Column("its first word is the truth", "percent"),
        Column("one of its words is", "percent"),
    )  # fmt: skip
    note = (
        f"Of the first {TOP} findings of a side those that are confirmed, and how many of them name the truth, exactly "
        "or by a synonym: a lower bound, since what comes with a thing differs too. "
    )
    return Table("precision", "What is confirmed", note + INTERVALS, columns, tuple(rows))


def alarm_table(pairs: Sequence[Pair], predictions: Sequence[Prediction], level: float = 0.05) -> Table:
    """What is claimed of random halves of one set."""
    rows: list[tuple[Cell, ...]] = [
        (
            f.method,
            Estimate(f.share, f.interval, f.runs),
            level if f.abstains else "none: it never abstains",
            f.findings,
            f.runs,
        )
        for f in false_alarms(pairs, predictions)
    ]
    columns = (
        Column("method"), Column("runs with a claim", "percent"), Column("level", "percent"),
        Column("findings a run", "number"), Column("runs", "number"),
    )  # fmt: skip
    note = (
        "Share of random halves of one set (A = A) with any claim, or with any proposal of a method that never claims "
        "or abstains; Wilson intervals. Methods that train an SAE for the pair (task-) are not asked."
    )
    return Table("false-alarms", "False alarms", note, columns, tuple(rows))


def cost_table(predictions: Sequence[Prediction]) -> Table:
    """Seconds and captions a pair."""
    rows: list[tuple[Cell, ...]] = [
        (c.method, c.seconds, c.captioned, c.abstained, c.pairs) for c in costs(predictions)
    ]
    columns = (
        Column("method"), Column("time a pair", "seconds"), Column("images captioned a pair", "number"),
        Column("answered “no difference”", "percent"), Column("pairs", "number"),
    )  # fmt: skip
    return Table("cost", "Cost", f"Means over pairs, embeddings cached. {INTERVALS}", columns, tuple(rows))
