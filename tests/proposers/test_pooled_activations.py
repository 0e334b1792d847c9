from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latentdiff.proposers.pooled_activations import pool

calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)


def draw(make, seed=0, n_a=40, n_b=30, latents=7):
    """Two dense sets with ties, and latents that never fire."""
    rng = np.random.default_rng(seed)
    prevalence = rng.random(latents) ** 3 * (rng.random(latents) < 0.8)
    return tuple(np.ceil(2 * make.sparse_set(rng, n, prevalence)) / 2 for n in (n_a, n_b))


def test_pooled_activations_are_those_of_the_dense_sets(make):
    a, b = draw(make)
    pooled = pool(make.statistics(a), make.statistics(b))
    assert (pooled.n_a, pooled.n_b, pooled.n, pooled.latents) == (40, 30, 70, 7)
    np.testing.assert_array_equal(pooled.count_a, (a > 0).sum(axis=0))
    np.testing.assert_array_equal(pooled.count, (a > 0).sum(axis=0) + (b > 0).sum(axis=0))
    np.testing.assert_allclose(pooled.mean_b, b.mean(axis=0, dtype=float), rtol=1e-12)
    np.testing.assert_allclose(pooled.gap, a.mean(axis=0, dtype=float) - b.mean(axis=0, dtype=float), atol=1e-12)
    for latent in range(7):
        here = slice(pooled.starts[latent], pooled.starts[latent + 1])
        fired = np.sort(np.concatenate([a[:, latent], b[:, latent]]))
        np.testing.assert_array_equal(pooled.value[here], fired[fired > 0])
        assert (pooled.latent[here] == latent).all()
        in_a, row = pooled.in_a[here], pooled.row[here]
        np.testing.assert_array_equal(pooled.value[here][in_a], a[row[in_a], latent])
        np.testing.assert_array_equal(pooled.value[here][~in_a], b[row[~in_a], latent])


@calm
@given(st.integers(0, 1000))
def test_exchanging_the_sets_exchanges_their_columns_to_the_last_bit(make, seed):
    a, b = map(make.statistics, draw(make, seed))
    one, other = pool(a, b), pool(b, a)
    np.testing.assert_array_equal(one.value, other.value)
    np.testing.assert_array_equal(one.mean_a, other.mean_b)
    np.testing.assert_array_equal(one.gap, -other.gap)


def test_a_ranked_value_is_that_of_the_sorted_column_with_its_zeros(make):
    a, b = draw(make)
    pooled = pool(make.statistics(a), make.statistics(b))
    both = np.sort(np.concatenate([a, b]), axis=0)
    for rank in (0, 30, 69):
        found = pooled.ranked_value(np.full(7, rank), np.full(7, 70))
        np.testing.assert_array_equal(found, both[rank])
