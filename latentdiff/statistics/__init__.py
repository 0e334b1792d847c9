"""Intervals, tests, corrections, power and ROC curves, for many things at once (docs/methods.md, 4)."""

from latentdiff.statistics.evidence import gather_evidence
from latentdiff.statistics.intervals import Z, log_odds_ratio, newcombe, wilson
from latentdiff.statistics.multiplicity import adjust
from latentdiff.statistics.power import smallest_detectable
from latentdiff.statistics.roc import auroc, auroc_of_categories, delong
from latentdiff.statistics.tests import category_test, fisher, g_test, mann_whitney, presence_test

__all__ = [
    "Z",
    "adjust",
    "auroc",
    "auroc_of_categories",
    "category_test",
    "delong",
    "fisher",
    "g_test",
    "gather_evidence",
    "log_odds_ratio",
    "mann_whitney",
    "newcombe",
    "presence_test",
    "smallest_detectable",
    "wilson",
]
