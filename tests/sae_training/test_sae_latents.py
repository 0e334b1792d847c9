"""Statistics of each latent, against loops over the dense codes."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import torch
from statistics_tester import check_statistic
from torch import Tensor

from sae_training import rows as rows_module
from sae_training.calibration import set_threshold
from sae_training.codes import SparseCodes
from sae_training.latents import FiringDensity, StrongestRows, density_histogram, measure_latents
from sae_training.metadata import SaeMetadata
from sae_training.model import SparseAutoencoder
from sae_training.monosemanticity import Monosemanticity
from sae_training.rows import Rows

ROWS, LATENTS, WIDTH = 90, 13, 5


def dense_codes(seed: int = 0) -> Tensor:
    """Latents from never firing over firing once to firing often, with values that repeat."""
    g = torch.Generator().manual_seed(seed)
    share = torch.linspace(0, 0.5, LATENTS)
    values = torch.randint(1, 6, (ROWS, LATENTS), generator=g) / 4
    z = values * (torch.rand(ROWS, LATENTS, generator=g) < share)
    z[:, 1] = 0
    z[17, 1] = 2.0
    return z


def sparse(z: Tensor) -> SparseCodes:
    row, latent = z.nonzero().T
    return SparseCodes(row, latent, z[row, latent], *z.shape)


def unit_rows(n: int = ROWS) -> Tensor:
    return torch.nn.functional.normalize(torch.randn(n, WIDTH, generator=torch.Generator().manual_seed(1)), dim=1)


def test_density_is_the_share_of_rows_that_fire_a_latent() -> None:
    z = dense_codes()
    expected = [sum(float(v) > 0 for v in z[:, j]) / ROWS for j in range(LATENTS)]
    check_statistic(partial(FiringDensity, LATENTS), lambda part: (sparse(z[part]),), ROWS, expected)


def test_monosemanticity_is_the_weighted_mean_cosine_over_all_pairs() -> None:
    z, e = dense_codes(), unit_rows()
    expected = []
    for j in range(LATENTS):
        above = below = 0.0
        for i in range(ROWS):
            for other_row in range(i + 1, ROWS):
                weight = float(z[i, j]) * float(z[other_row, j])
                above += weight * float(e[i].double() @ e[other_row].double())
                below += weight
        expected.append(above / below if below else math.nan)
    check_statistic(
        partial(Monosemanticity, LATENTS, WIDTH), lambda part: (sparse(z[part]), e[part]), ROWS, expected, atol=1e-6
    )


def brute_strongest(z: Tensor, count: int) -> list[list[int]]:
    found = []
    for j in range(z.shape[1]):
        firing = sorted((-float(z[i, j]), i) for i in range(len(z)) if z[i, j] > 0)[:count]
        found.append([i for _, i in firing] + [-1] * (count - len(firing)))
    return found


def test_the_strongest_rows_are_those_of_a_sort_of_every_column() -> None:
    z = dense_codes()
    check_statistic(
        partial(StrongestRows, LATENTS, 4), lambda part: (sparse(z[part]), part.start), ROWS, brute_strongest(z, 4)
    )


def test_the_histogram_counts_every_latent_once_and_those_that_never_fire_apart() -> None:
    density = torch.tensor([0.0, 0.0, 1e-3, 2e-3, 0.05, 0.1, 1.0], dtype=torch.float64)
    edges, counts, never_fired = density_histogram(density, per_decade=1)
    assert edges.tolist() == [-3, -2, -1, 0]
    assert counts.tolist() == [2, 1, 2]
    assert never_fired == 2
    drawn = 10 ** -(4 * torch.rand(500, generator=torch.Generator().manual_seed(2), dtype=torch.float64))
    edges, counts, never_fired = density_histogram(drawn)
    np.testing.assert_array_equal(counts, np.histogram(np.log10(drawn.numpy()), edges.numpy())[0])
    assert density_histogram(torch.zeros(3)).never_fired == 3


def test_one_pass_measures_a_model_as_its_dense_codes_say(monkeypatch: pytest.MonkeyPatch) -> None:
    g = torch.Generator().manual_seed(3)
    sae = SparseAutoencoder(WIDTH, LATENTS, SaeMetadata("batch_topk", 3))
    for weights in (sae.W_enc, sae.W_dec):
        weights.data.copy_(torch.nn.functional.normalize(torch.randn(LATENTS, WIDTH, generator=g), dim=1))
    x = unit_rows(150)
    set_threshold(sae, [x], 150)
    a = x @ sae.W_enc.T
    z = torch.where(a > sae.threshold, a, 0).detach()
    monkeypatch.setattr(rows_module, "CHUNK_ROWS", 25)
    measured = measure_latents(sae, Rows(x), strongest=3)
    assert measured.density.tolist() == pytest.approx((z > 0).double().mean(dim=0).tolist())
    assert measured.strongest.tolist() == brute_strongest(z, 3)
    whole = Monosemanticity(LATENTS, WIDTH)
    whole.update(sparse(z), x)
    np.testing.assert_allclose(measured.ms, whole.compute(), atol=1e-6)
