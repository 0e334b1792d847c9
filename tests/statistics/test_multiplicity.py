from __future__ import annotations

import numpy as np
from statsmodels.stats.multitest import multipletests

from latentdiff.statistics import adjust


def test_q_values_agree_with_statsmodels():
    p = np.random.default_rng(0).random(200) ** 3
    p[:20] = p[20:40]
    np.testing.assert_allclose(adjust(p), multipletests(p, method="fdr_bh")[1], rtol=1e-12)


def test_nothing_tested_has_no_q_values():
    assert adjust(np.zeros(0)).shape == (0,)
