from __future__ import annotations

import numpy as np

from latentdiff.embeddings import from_arrays, store
from latentdiff.proposers.density_ratio.distinct_images import gather_distinct


def a_set(hashes, rows):
    return from_arrays(np.array(rows, float), table={"hash": np.array(hashes, np.uint64)})


def test_an_image_counts_once_per_side_however_often_it_occurs():
    a = a_set([7, 3, 7], [[1, 0], [0, 1], [1, 0]])
    b = a_set([3, 9], [[0, 1], [-1, 0]])
    images = gather_distinct(a, b, folds=5, seed=0)
    assert images.row_a.tolist() == [1, 0, -1]  # hashes 3, 7, 9
    assert images.row_b.tolist() == [0, -1, 1]
    np.testing.assert_array_equal(images.embedding, [[0, 1], [1, 0], [-1, 0]])


def test_exchanging_the_sets_exchanges_only_the_rows(two_sets):
    a, b = two_sets(n=50)
    one, other = gather_distinct(a, b, 5, 0), gather_distinct(b, a, 5, 0)
    np.testing.assert_array_equal(one.embedding, other.embedding)
    np.testing.assert_array_equal(one.fold, other.fold)
    np.testing.assert_array_equal(one.row_a, other.row_b)


def test_the_order_of_rows_in_a_set_does_not_matter(two_sets):
    a, b = two_sets(n=50)
    order = np.random.default_rng(1).permutation(50)
    one, other = gather_distinct(a, b, 5, 0), gather_distinct(a.select(order), b, 5, 0)
    np.testing.assert_array_equal(one.embedding, other.embedding)
    np.testing.assert_array_equal(one.row_a[one.in_a], order[other.row_a[other.in_a]])


def test_equal_images_that_were_embedded_differently_give_one_embedding_whichever_side_comes_first():
    a, b = a_set([5], [[1, 0]]), a_set([5, 5], [[0.8, 0.6], [0.6, 0.8]])
    np.testing.assert_array_equal(gather_distinct(a, b, 5, 0).embedding, gather_distinct(b, a, 5, 0).embedding)


def test_sets_are_read_by_blocks_to_the_same_distinct_images(monkeypatch):
    def set_of(rows):
        return a_set(10 + np.arange(len(rows)) % 7, rows)  # each of seven images several times, never embedded alike

    rows = np.random.default_rng(0).normal(size=(40, 3))
    whole = gather_distinct(set_of(rows[:23]), set_of(rows[23:]), 5, 0)
    units = set_of(rows[:23]).rows(slice(None)), set_of(rows[23:]).rows(slice(None))
    for i, one in enumerate(whole.embedding):
        assert one.tobytes() == min(row.tobytes() for half in units for row in half[i::7])
    monkeypatch.setattr(store, "BLOCK", 4)
    by_blocks = gather_distinct(set_of(rows[:23]), set_of(rows[23:]), 5, 0)
    for name in ("embedding", "row_a", "row_b", "fold"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(by_blocks, name))


def test_folds_are_about_equal_and_move_with_the_seed(two_sets):
    a, b = two_sets(n=2000, d=4)
    fold = gather_distinct(a, b, 5, 0).fold
    assert np.abs(np.bincount(fold, minlength=5) - 800).max() < 5 * np.sqrt(800)
    assert (fold == gather_distinct(a, b, 5, 1).fold).mean() < 0.3
