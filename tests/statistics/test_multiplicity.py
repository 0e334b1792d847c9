from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from latentdiff.statistics import adjust


@pytest.mark.parametrize(("correction", "oracle"), [("bh", "fdr_bh"), ("by", "fdr_by")])
def test_q_values_agree_with_statsmodels(correction, oracle):
    p = np.random.default_rng(0).random(200) ** 3
    p[:20] = p[20:40]
    np.testing.assert_allclose(adjust(p, correction), multipletests(p, method=oracle)[1], rtol=1e-12)


def test_nothing_tested_has_no_q_values():
    assert adjust(np.zeros(0)).shape == (0,)
