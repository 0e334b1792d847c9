"""Intervals by bootstrap, against scipy's and against the definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from latentdiff.statistics import bootstrap
from latentdiff.statistics.bootstrap import estimate, ratio


def test_the_interval_is_that_of_scipy_bootstrap():
    values = np.random.default_rng(3).random(60)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=0).confidence_interval
    ours = estimate(values).interval
    assert ours.low == pytest.approx(theirs.low, abs=0.006) and ours.high == pytest.approx(theirs.high, abs=0.006)


def test_the_counts_are_those_of_draws_with_replacement():
    counts = bootstrap.draw_counts(7, 0)
    assert counts.shape == (bootstrap.DRAWS, 7) and set(counts.sum(1)) == {7.0}
    assert counts.mean() == 1 and counts.var() == pytest.approx(1 - 1 / 7, abs=0.03)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12))
def test_a_ratio_weighs_each_pair_by_its_whole(drawn):
    parts, wholes = [min(pair) for pair in drawn], [max(pair) for pair in drawn]
    found = ratio(parts, wholes)
    if not sum(wholes):
        assert np.isnan(found.value)
        return
    assert found.value == sum(parts) / sum(wholes)
    counts = bootstrap.draw_counts(len(drawn), 0)
    again = [(c @ parts) / (c @ wholes) for c in counts if c @ wholes]
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(np.quantile(again, (0.025, 0.975))))
