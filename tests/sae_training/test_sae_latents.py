"""What each latent does, against loops over the dense codes, in one batch and merged."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
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


CUTS = [slice(0, 10), slice(10, 70), slice(70, 90)]


def test_density_is_the_share_of_rows_in_one_batch_or_merged() -> None:
    z = dense_codes()
    expected = [sum(float(v) > 0 for v in z[:, j]) / ROWS for j in range(LATENTS)]
    batches, first, second = FiringDensity(LATENTS), FiringDensity(LATENTS), FiringDensity(LATENTS)
    for part in CUTS:
        batches.update(sparse(z[part]))
    assert batches.compute().tolist() == pytest.approx(expected)
    first.update(sparse(z[:40]))
    second.update(sparse(z[40:]))
    first.merge_state(second)
    assert first.compute().tolist() == pytest.approx(expected)


def test_monosemanticity_is_the_weighted_mean_cosine_over_all_pairs_however_rows_are_batched() -> None:
    z, e = dense_codes(), unit_rows()
    whole, merged, other = (Monosemanticity(LATENTS, WIDTH) for _ in range(3))
    whole.update(sparse(z), e)
    merged.update(sparse(z[:33]), e[:33])
    other.update(sparse(z[33:]), e[33:])
    merged.merge_state(other)
    np.testing.assert_allclose(whole.compute(), merged.compute(), rtol=1e-12)
    for j in range(LATENTS):
        above = below = 0.0
        for i in range(ROWS):
            for other_row in range(i + 1, ROWS):
                weight = float(z[i, j]) * float(z[other_row, j])
                above += weight * float(e[i].double() @ e[other_row].double())
                below += weight
        found = float(whole.compute()[j])
        assert (math.isnan(found) and below == 0) or found == pytest.approx(above / below, abs=1e-6)


def brute_strongest(z: Tensor, count: int) -> list[list[int]]:
    found = []
    for j in range(z.shape[1]):
        firing = sorted((-float(z[i, j]), i) for i in range(len(z)) if z[i, j] > 0)[:count]
        found.append([i for _, i in firing] + [-1] * (count - len(firing)))
    return found


def test_the_strongest_rows_are_those_of_a_sort_of_every_column() -> None:
    z = dense_codes()
    batches, first, second = (StrongestRows(LATENTS, 4) for _ in range(3))
    for part in CUTS:
        batches.update(sparse(z[part]), part.start)
    assert batches.compute().tolist() == brute_strongest(z, 4)
    first.update(sparse(z[:33]), 0)
    second.update(sparse(z[33:]), 33)
    first.merge_state(second)
    assert first.compute().tolist() == brute_strongest(z, 4)


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
