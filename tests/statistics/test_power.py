from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from latentdiff.statistics import presence_test, smallest_detectable


@pytest.mark.parametrize(("n_a", "n_b", "tests"), [(1000, 1000, 1), (1000, 1000, 6000), (300, 2000, 100)])
def test_the_smallest_detectable_prevalence_is_shown_with_probability_80_percent(n_a, n_b, tests):
    share = smallest_detectable(n_a, n_b, tests)
    power = []
    for n, other in ((n_a, n_b), (n_b, n_a)):
        shown = [stats.fisher_exact([[c, n - c], [0, other]]).pvalue <= 0.05 / tests for c in range(100)]
        least = next(c for c in range(100) if all(shown[c:]))
        assert presence_test(np.array([least]), n, np.array([0]), other)[0] <= 0.05 / tests  # Fisher's range
        power.append(stats.binom.sf(least - 1, n, share))
    assert min(power) == pytest.approx(0.8, abs=1e-6)


def test_sets_too_small_to_show_anything_say_so():
    assert smallest_detectable(3, 3, 1000) == 1.0
