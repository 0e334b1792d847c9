"""The measures against numpy and scipy."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from scipy.spatial.distance import cosine
from statistics_tester import check_statistic

from sae_training.measures import Measures, Reconstruction

ROWS, WIDTH, LATENTS = 100, 6, 20


def test_measures_equal_their_formulas() -> None:
    g = torch.Generator().manual_seed(0)
    h = torch.randn(ROWS, WIDTH, generator=g) + 3
    h_hat = h + 0.3 * torch.randn(ROWS, WIDTH, generator=g)
    z = torch.rand(ROWS, LATENTS, generator=g) * (torch.rand(ROWS, LATENTS, generator=g) < 0.02)
    expected = {
        "fvu": float((h - h_hat).double().square().sum()) / (np.var(h.double().numpy(), axis=0).sum() * ROWS),
        "l0": np.count_nonzero(z) / ROWS,
        "dead_share": np.mean([not column.any() for column in z.T.numpy()]),
        "cosine": np.mean([1 - cosine(a, b) for a, b in zip(h.double().numpy(), h_hat.double().numpy(), strict=True)]),
    }
    assert 0 < expected["dead_share"] < 1
    check_statistic(
        partial(Reconstruction, WIDTH, LATENTS),
        lambda part: (h[part], h_hat[part], z[part].nonzero()[:, 1]),
        ROWS,
        expected,
        read=Measures._asdict,
        rtol=1e-5,
    )
