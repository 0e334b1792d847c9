from __future__ import annotations

import numpy as np
import pytest

from latentdiff.statistics import adjust, gather_evidence, presence_test


def test_evidence_holds_plain_numbers_of_each_thing():
    count_a, count_b = np.array([40, 0]), np.array([10, 3])
    p = presence_test(count_a, 1000, count_b, 500)
    first, second = gather_evidence(count_a, 1000, count_b, 500, p, adjust(p))
    assert (first.count_a, first.count_b, first.n_a, first.n_b) == (40, 10, 1000, 500)
    assert (first.prevalence_a, first.prevalence_b, first.difference) == (0.04, 0.02, 0.02)
    assert first.odds_ratio == pytest.approx((40.5 / 960.5) / (10.5 / 490.5))
    assert first.odds_ratio_interval.low < first.odds_ratio < first.odds_ratio_interval.high
    assert first.difference_interval.low < first.difference < first.difference_interval.high
    assert second.prevalence_a_interval.low == 0 and second.odds_ratio < 1
    assert first.p_value == p[0] and second.q_value == adjust(p)[1]
    assert all(type(value) in (int, float) for value in vars(first).values() if not hasattr(value, "low"))
