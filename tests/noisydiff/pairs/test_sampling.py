from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentdiff.errors import LatentDiffError
from latentdiff.noisydiff.pairs.sampling import TooFewImages, counts, halves, matched, shuffled, truth_of

ids = st.sets(st.text("abc123", min_size=1), max_size=30).map(sorted)


@settings(deadline=None)
@given(ids, st.integers(0, 5), st.randoms())
def test_order_follows_from_ids_and_seed_and_not_from_the_order_they_come_in(
    ids: list[str], seed: int, random: object
) -> None:
    mixed = list(ids)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert shuffled(mixed, seed, "x") == shuffled(ids, seed, "x")
    assert sorted(shuffled(ids, seed, "x")) == ids


def test_other_names_and_other_seeds_draw_another_order() -> None:
    many = [f"{i:03d}" for i in range(100)]
    orders = [shuffled(many, seed, *names) for seed, names in ((0, ("x",)), (1, ("x",)), (0, ("y",)), (0, ("x", "y")))]
    assert len({tuple(order) for order in orders}) == 4


@settings(deadline=None)
@given(ids, st.integers(0, 5))
def test_halves_are_disjoint_hold_everything_and_differ_by_one_at_most(ids: list[str], seed: int) -> None:
    one, other = halves(ids, seed, "x")
    assert sorted((*one, *other)) == ids
    assert len(other) - len(one) in (0, 1)


@settings(deadline=None)
@given(st.integers(0, 9), st.integers(0, 5))
def test_every_two_items_are_matched_once(count: int, seed: int) -> None:
    items = [str(i) for i in range(count)]
    found = list(matched(items, seed, "x"))
    assert sorted(tuple(sorted(pair)) for pair in found) == list(combinations(items, 2))


@pytest.mark.parametrize("count", [8, 9])
def test_the_first_matches_hold_no_item_twice(count: int) -> None:
    first = list(matched([str(i) for i in range(count)], 0, "x"))[:4]
    assert len({item for pair in first for item in pair}) == 8


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from([0.1, 0.05, 0.02, 0.01, 0.005, 0.5, 0.9]))
def test_a_side_is_the_largest_with_its_scarcity(background: int, planted: int, scarcity: float) -> None:
    def fits(total: int) -> bool:  # exactly, so that rounding decides nothing
        return scarcity * total <= planted + 1e-9 and (1 - scarcity) * total <= background + 1e-9

    largest = max(total for total in range(background + planted + 1) if fits(total))
    try:
        many, few = counts(background, planted, scarcity)
    except TooFewImages:
        assert round(scarcity * largest) < 1 or largest - round(scarcity * largest) < 1
        return
    assert many + few == largest
    assert 1 <= few <= planted and 1 <= many <= background
    assert abs(few - scarcity * (many + few)) <= 0.5 + 1e-9


def test_scarcity_none_takes_everything_and_a_size_is_kept() -> None:
    assert counts(1000, 70, None) == (1000, 70)
    assert counts(1000, 70, 0.05, 400) == (380, 20)
    assert counts(1240, 40, 0.01) == (1239, 13)
    assert counts(9999, 3, 0.01) == (297, 3)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((100, 5, 2.0), "the scarcity is 2; give a share"),
        ((100, 5, 0.0), "the scarcity is 0"),
        ((100, 50, 0.005), "too few for a share of 0.005"),
        ((100, 5, 0.1, 60), "too few for a share of 0.1 in 60 images"),
        ((100, 0, None), "too few"),
        ((0, 10, None), "too few"),
        ((100, 5, None, 60), "size of a side is 60"),
    ],
)
def test_what_cannot_be_had_is_one_line(arguments: tuple, complaint: str) -> None:
    with pytest.raises(LatentDiffError, match=complaint) as error:
        counts(*arguments)
    assert "\n" not in str(error.value)


def test_a_truth_is_a_nouns_first_name_or_the_label_and_what_it_means() -> None:
    assert (truth_of("n02769748").phrase, truth_of("n02769748").wnid) == ("backpack", "n02769748")
    assert (truth_of("wine_glass").names, truth_of("wine_glass").wnid) == (("wine glass",), "n04592099")
    assert truth_of("art painting").wnid is None
