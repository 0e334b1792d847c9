"""Three of the benchmark's twenty pairs: what is planted is named."""

from __future__ import annotations

import pytest

import latentdiff
from benchmarks.planted import draw_pair, judge
from latentdiff.hypotheses import SIDES


@pytest.mark.slow
@pytest.mark.usefixtures("word_vectors")
def test_planted_concepts_are_named_in_the_top_five_of_their_side() -> None:
    encoder = latentdiff.load_encoder("mini")
    named = []
    for seed in range(3):
        pair = draw_pair(seed)
        result = latentdiff.compare(pair.specs["a"], pair.specs["b"], encoder=encoder)
        named += [judge(result, side, pair.planted[side])["concept branch, any of five words"] for side in SIDES]
    assert sum(named) >= 5  # of six; by chance, none


def test_a_pair_plants_different_concepts_and_is_the_same_for_the_same_seed() -> None:
    pair = draw_pair(7)
    assert pair == draw_pair(7) != draw_pair(8)
    assert pair.planted["a"] != pair.planted["b"]
    assert f"{pair.planted['a'].replace(' ', '_')}=0.04" in pair.specs["a"]
    assert f"{pair.planted['a'].replace(' ', '_')}=0&" in pair.specs["b"] + "&"
