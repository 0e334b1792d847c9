"""Who survives: the fast selections against sorting."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sae_training import sparsity
from sae_training.errors import SaeError
from sae_training.pre_activations import Full


def positions(rule: sparsity.Rule, pre: torch.Tensor, k: int) -> torch.Tensor:
    index, values = rule(Full(pre), k)
    assert torch.equal(values, pre.flatten()[index])
    return index


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 300),
    latents=st.integers(1, 40),
    k=st.integers(1, 12),
    shift=st.floats(-3, 3),
    seed=st.integers(0, 99),
)
def test_batch_topk_keeps_the_largest_positive_entries_of_the_batch(
    rows: int, latents: int, k: int, shift: float, seed: int
) -> None:
    pre = torch.from_numpy(np.random.default_rng(seed).standard_normal((rows, latents)) + shift)
    flat = pre.flatten()
    expected = [i for i in flat.argsort(descending=True)[: rows * k].tolist() if flat[i] > 0]
    assert positions(sparsity.batch_topk, pre, k).tolist() == sorted(expected)


def test_batch_topk_is_exact_where_the_sampled_rows_mislead() -> None:
    pre = torch.rand(256, 50, generator=torch.Generator().manual_seed(0))
    pre[:: 256 // sparsity.SAMPLED_ROWS] += 10  # just the rows that are sampled are far larger than the rest
    expected = pre.flatten().topk(256 * 20).indices.sort().values
    assert torch.equal(positions(sparsity.batch_topk, pre, 20), expected)


def test_batch_topk_keeps_all_entries_that_tie_with_the_smallest_survivor() -> None:
    pre = torch.tensor([[3.0, 1.0, 1.0], [2.0, 1.0, 0.0]])
    assert positions(sparsity.batch_topk, pre, 2).tolist() == [0, 1, 2, 3, 4]


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 40),
    latents=st.integers(1, 30),
    k=st.integers(1, 30),
    shift=st.floats(-3, 3),
    seed=st.integers(0, 99),
)
def test_topk_keeps_the_largest_positive_entries_of_each_row(
    rows: int, latents: int, k: int, shift: float, seed: int
) -> None:
    k = min(k, latents)
    pre = torch.from_numpy(np.random.default_rng(seed).standard_normal((rows, latents)) + shift)
    expected = []
    for i, row in enumerate(pre):
        best = sorted(range(latents), key=lambda j, row=row: -row[j])[:k]
        expected += sorted(i * latents + j for j in best if row[j] > 0)
    assert positions(sparsity.topk, pre, k).tolist() == expected


def test_an_unknown_variant_names_the_nearest_and_lists_all() -> None:
    with pytest.raises(
        SaeError,
        match=r"variant 'batchtopk'; did you mean 'batch_topk'\? \(valid: batch_topk, matryoshka_batch_topk, topk\)",
    ):
        sparsity.variant("batchtopk")


def test_topk_keeps_all_entries_of_a_row_that_tie_with_its_smallest_survivor() -> None:
    pre = torch.tensor([[3.0, 1.0, 1.0], [2.0, -1.0, 0.0]])
    assert positions(sparsity.topk, pre, 2).tolist() == [0, 1, 2, 3]


def test_the_groups_of_matryoshka_cover_all_latents() -> None:
    variant = sparsity.variant("matryoshka_batch_topk")
    assert variant.widths(64) == [4, 12, 28, 64]
    assert variant.widths(3) == [1, 3]
