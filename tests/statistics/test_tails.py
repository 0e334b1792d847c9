from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from latentdiff.statistics.tails import log_tail


@pytest.mark.parametrize("skewness", [-1.5, -0.3, 0.3, 1.5])
@pytest.mark.parametrize("z", [-1.0, 0.0, 2.0, 5.0])
def test_the_tail_is_that_of_pearsons_type_iii(z, skewness):
    expected = max(stats.pearson3.sf(z, skewness), 1e-300)
    assert np.exp(log_tail(z, skewness)) == pytest.approx(expected, rel=1e-8)


def test_without_skewness_it_is_the_normal_tail_however_far_out():
    z = np.array([-3.0, 0.0, 4.0, 60.0])
    np.testing.assert_allclose(log_tail(z, 0.0), stats.norm.logsf(z), rtol=1e-10)


def test_of_a_rare_side_it_promises_no_more_than_the_binomial():
    n, share, count = 400, 0.01, 16
    spread = np.sqrt(n * share * (1 - share))
    z, skewness = (count - 0.5 - n * share) / spread, (1 - 2 * share) / spread
    exact = stats.binom.sf(count - 1, n, share)
    assert exact < np.exp(log_tail(z, skewness)) < 4 * exact
    assert stats.norm.sf(z) < exact / 100
