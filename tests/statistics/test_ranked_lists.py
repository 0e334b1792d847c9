from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from latentdiff.statistics.ranked_lists import DEPTHS, RankedLists

few = settings(max_examples=30, deadline=None)
seeds = st.integers(0, 10_000)


def draw_lists(seed: int, n: int = 60, things: int = 8, levels: int = 6):
    """Things that show in some of n images, with ties: the images of each, and how much each shows it."""
    rng = np.random.default_rng(seed)
    images = [rng.permutation(n)[: rng.integers(0, n + 1)] for _ in range(things)]
    return images, [rng.integers(1, levels + 1, len(one)).astype(float) for one in images]


def depths_twin(values: np.ndarray) -> list[int]:
    """Where a list may be cut, one depth at a time: of the grid those inside it, and its whole length."""
    falling = sorted(values.tolist(), reverse=True)
    grid = list(DEPTHS)
    while grid[-1] < len(falling):
        grid.append(2 * grid[-1])
    grown = set()
    for depth in [*(d for d in grid if d < len(falling)), *([len(falling)] if falling else [])]:
        while depth < len(falling) and falling[depth] == falling[depth - 1]:
            depth += 1
        grown.add(depth)
    return sorted(grown)


@few
@given(seeds)
def test_a_list_holds_its_images_those_that_show_it_most_first(seed):
    images, values = draw_lists(seed)
    lists = RankedLists.of(images, values, 60)
    assert len(lists) == len(images) and lists.lengths.tolist() == [len(one) for one in images]
    for number, (rows, shown) in enumerate(zip(images, values, strict=True)):
        expected = [row for _, row in sorted(zip(-shown, rows.tolist(), strict=True))]
        assert lists.first(number, 60).tolist() == expected
        assert lists.first(number, 7).tolist() == expected[:7]


@few
@given(seeds)
def test_lists_that_are_sorted_but_for_ties_are_the_same_lists(seed):
    images, values = draw_lists(seed)
    expected = RankedLists.of(images, values, 60)
    orders = [np.lexsort((np.random.default_rng(seed).permutation(len(v)), -v)) for v in values]
    joined = [
        np.concatenate([one[order] for one, order in zip(column, orders, strict=True)]) for column in (images, values)
    ]
    found = RankedLists.of_sorted(*joined, expected.starts, 60)
    np.testing.assert_array_equal(found.images, expected.images)
    np.testing.assert_array_equal(found.values, expected.values)


@few
@given(seeds)
def test_a_depth_inside_a_tie_grows_to_its_end(seed):
    images, values = draw_lists(seed)
    lists = RankedLists.of(images, values, 60)
    for number, shown in enumerate(values):
        assert lists.depths(number).tolist() == depths_twin(shown)


@few
@given(seeds)
def test_counts_of_a_list_are_those_of_its_first_images(seed):
    images, values = draw_lists(seed)
    lists = RankedLists.of(images, values, 60)
    own = np.random.default_rng(seed).random(60) < 0.4
    for number in range(len(lists)):
        depths = lists.depths(number)
        expected = [int(own[lists.first(number, int(depth))].sum()) for depth in depths]
        assert lists.counts(number, depths, own).tolist() == expected


def test_weights_are_powers_of_the_share_of_the_most():
    lists = RankedLists.of([np.array([3, 1, 2])], [np.array([1.0, 4.0, 2.0])], 5)
    assert lists.weights(0, 1).tolist() == [1.0, 0.5, 0.25]
    assert lists.weights(0, 2).tolist() == [1.0, 0.25, 0.0625]
