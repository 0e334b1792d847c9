"""Counts and what was tested on them, put together as `Evidence` (docs/methods.md, 4)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import Any

import numpy as np

from latentdiff.hypotheses import Evidence, Interval
from latentdiff.statistics.counts import Counts, Floats
from latentdiff.statistics.intervals import log_odds_ratio, newcombe, wilson


def gather_evidence(count_a: Counts, n_a: int, count_b: Counts, n_b: int, p: Floats, q: Floats) -> list[Evidence]:
    """Counts and what was tested on them, as `Evidence`, one for each thing.

    Args:
        count_a: [k] in how many images of A each thing is present.
        n_a: images in A.
        count_b: [k] the same for B.
        n_b: images in B.
        p: [k] two-sided p values.
        q: [k] the p values corrected (`adjust`).
    """
    log_odds, spread = log_odds_ratio(count_a, n_a, count_b, n_b)
    columns: dict[str, Iterable[Any]] = {
        "count_a": count_a.tolist(),
        "count_b": count_b.tolist(),
        "n_a": repeat(n_a),
        "n_b": repeat(n_b),
        "prevalence_a": (count_a / n_a).tolist(),
        "prevalence_b": (count_b / n_b).tolist(),
        "prevalence_a_interval": _intervals(*wilson(count_a, n_a)),
        "prevalence_b_interval": _intervals(*wilson(count_b, n_b)),
        "difference": (count_a / n_a - count_b / n_b).tolist(),
        "difference_interval": _intervals(*newcombe(count_a, n_a, count_b, n_b)),
        "odds_ratio": np.exp(log_odds).tolist(),
        "odds_ratio_interval": _intervals(np.exp(log_odds - spread), np.exp(log_odds + spread)),
        "p_value": p.tolist(),
        "q_value": q.tolist(),
    }
    return [Evidence(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=False)]


def _intervals(low: Floats, high: Floats) -> Iterable[Interval]:
    return map(Interval, low.tolist(), high.tolist())
