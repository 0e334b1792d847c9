from __future__ import annotations

from dataclasses import replace
from functools import partial, reduce

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_array
from statistics_tester import check_statistic

from latentdiff.embeddings import store
from latentdiff.proposers.latent_statistics import LatentSums, sum_latents

calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def draw(make, seed=0, n=60, latents=7):
    rng = np.random.default_rng(seed)
    return make.sparse_set(rng, n, rng.random(latents) ** 3)


def arrays(statistics):
    moments = statistics.moments
    return (statistics.starts, statistics.rows, statistics.values, *moments)


def assert_equal(one, other):
    for left, right in zip(arrays(one), arrays(other), strict=True):
        np.testing.assert_array_equal(left, right)


def test_statistics_are_those_of_the_dense_activations(make):
    dense = draw(make)
    statistics = make.statistics(dense)
    assert (statistics.n, statistics.latents) == dense.shape
    np.testing.assert_array_equal(statistics.counts, (dense > 0).sum(axis=0))
    np.testing.assert_allclose(statistics.moments.first, dense.sum(axis=0, dtype=float), rtol=1e-12)
    for latent in range(statistics.latents):
        rows, values = statistics.firings(latent)
        np.testing.assert_array_equal(rows, np.flatnonzero(dense[:, latent]))
        np.testing.assert_array_equal(values, dense[rows, latent])


def test_statistics_are_those_of_a_sparse_matrix_by_columns_and_of_dense_sums(make):
    dense, embeddings = draw(make), make.unit_rows(60)
    columns, wide = csc_array(dense), dense.astype(float)
    expected = {
        "starts": columns.indptr,
        "rows": columns.indices,
        "values": columns.data,
        "weighted": wide.T @ embeddings.astype(float),
        "first": wide.sum(axis=0),
        "second": (wide**2).sum(axis=0),
    }
    check_statistic(
        partial(LatentSums, 7, 6),
        lambda part: (make.codes(dense[part]), embeddings[part], part.start),
        60,
        expected,
        read=lambda found: {**vars(found), **found.moments._asdict()},
        atol=1e-6,
    )


@settings(calm, max_examples=40)
@given(st.lists(st.integers(0, 60), max_size=5), st.randoms())
def test_blocks_merge_in_any_order_to_the_same_bits(make, cuts, random):
    dense = draw(make)
    blocks = make.summed(dense, cuts=cuts)
    in_order = reduce(LatentSums.merge, blocks).compute()
    random.shuffle(blocks)
    assert_equal(reduce(LatentSums.merge, blocks).compute(), in_order)


@settings(calm, max_examples=20)
@given(st.lists(st.integers(0, 60), max_size=5))
def test_how_rows_are_cut_into_blocks_changes_no_firing_and_moments_by_rounding_only(make, cuts):
    dense = draw(make)
    whole, merged = make.statistics(dense), reduce(LatentSums.merge, make.summed(dense, cuts=cuts)).compute()
    assert_equal(replace_weighted(merged, whole), whole)
    np.testing.assert_allclose(merged.moments.weighted, whole.moments.weighted, atol=1e-6)


def replace_weighted(one, other):
    return replace(one, moments=one.moments._replace(weighted=other.moments.weighted))


def test_computing_leaves_the_sums_open_for_more_rows(make):
    dense, embeddings = draw(make), make.unit_rows(60)
    sums = LatentSums(7, 6)
    sums.update(make.codes(dense[:30]), torch.from_numpy(embeddings[:30]), 0)
    first = sums.compute()
    sums.update(make.codes(dense[30:]), torch.from_numpy(embeddings[30:]), 30)
    assert_equal(first, make.statistics(dense[:30], embeddings[:30]))
    assert_equal(sums.compute(), reduce(LatentSums.merge, make.summed(dense, cuts=[30])).compute())


def test_rows_that_are_missing_or_added_twice_are_refused(make):
    first, second, third = make.summed(draw(make), cuts=[20, 40])
    with pytest.raises(ValueError, match="row 20 should come next"):
        first.merge(third).compute()
    with pytest.raises(ValueError, match="row 40 should come next"):
        first.merge(second).merge(second).merge(third).compute()
    with pytest.raises(ValueError, match="no rows"):
        LatentSums(7, 6).compute()


def test_a_firing_costs_ten_bytes_while_it_is_gathered(make):
    dense = draw(make)
    (block,) = make.summed(dense)[0]._blocks
    assert block.latent.nbytes + block.row.nbytes + block.value.nbytes == 10 * np.count_nonzero(dense)


def test_latents_beyond_16_bits_keep_their_numbers(make):
    dense = np.zeros((2, 70_000), dtype=np.float32)
    dense[1, 69_999] = 2.0
    statistics = make.statistics(dense)
    np.testing.assert_array_equal(np.flatnonzero(statistics.counts), [69_999])


def test_monosemanticity_is_the_weighted_mean_cosine_over_pairs(make):
    dense, embeddings = draw(make), make.unit_rows(60)
    purity = make.statistics(dense, embeddings).moments.monosemanticity()
    for latent in range(dense.shape[1]):
        above = below = 0.0
        for i in range(60):
            for j in range(i + 1, 60):
                weight = float(dense[i, latent]) * float(dense[j, latent])
                above += weight * float(embeddings[i].astype(float) @ embeddings[j].astype(float))
                below += weight
        if np.count_nonzero(dense[:, latent]) < 2:
            assert np.isnan(purity[latent])
        else:
            assert purity[latent] == pytest.approx(above / below, abs=1e-6)


def test_monosemanticity_is_1_on_equal_images_and_undefined_below_two_firings(make):
    dense = np.array([[1.0, 3.0, 0.0], [2.0, 0.0, 0.0], [0.5, 0.0, 0.0]], dtype=np.float32)
    same = np.repeat(make.unit_rows(1), 3, axis=0)
    purity = make.statistics(dense, same).moments.monosemanticity()
    assert purity[0] == pytest.approx(1.0, abs=1e-6)
    assert np.isnan(purity[1:]).all()


def test_moments_of_two_sets_are_those_of_their_union(make):
    dense, embeddings = draw(make), make.unit_rows(60)
    whole = make.statistics(dense, embeddings).moments.monosemanticity()
    a, b = make.statistics(dense[:25], embeddings[:25]), make.statistics(dense[25:], embeddings[25:])
    np.testing.assert_allclose(a.moments.pooled(b.moments).monosemanticity(), whole, atol=1e-6)


def test_latents_that_fire_together_are_counted_over_the_rows_that_are_asked_for(make):
    dense = draw(make)
    statistics = make.statistics(dense)
    for rows in (np.arange(60), np.array([3]), np.array([], dtype=int), np.flatnonzero(dense[:, 6])):
        found = statistics.fire_together(rows.astype(np.uint32))
        np.testing.assert_array_equal(found, (dense[rows] > 0).sum(axis=0))


def test_one_pass_over_a_set_reads_it_in_blocks_and_reports_progress(make, monkeypatch):
    monkeypatch.setattr(store, "BLOCK", 25)
    dense, embeddings = draw(make), make.unit_rows(60)

    class Sae:
        d_in, num_latents = embeddings.shape[1], 7

        def encode(self, x):
            return make.codes(dense[[np.flatnonzero((embeddings == row).all(axis=1))[0] for row in x]])

    seen = []
    sums = sum_latents(Sae(), embeddings, lambda *report: seen.append(report))
    assert_equal(sums.compute(), reduce(LatentSums.merge, make.summed(dense, cuts=[25, 50])).compute())
    assert seen == [("reading latents", done, 60) for done in (25, 50, 60)]
