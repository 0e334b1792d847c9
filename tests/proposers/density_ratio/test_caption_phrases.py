from __future__ import annotations

from latentdiff.hypotheses import Counted, ImageRef, Part
from latentdiff.language import Difference
from latentdiff.proposers.density_ratio.phrases import write_phrases


def test_phrases_become_hypotheses_in_their_order_with_the_images_that_support_them():
    extreme = [ImageRef("a", 4, "x", "", 2.0), ImageRef("a", 9, "y", "", 1.0), ImageRef("b", 1, "z", "", -2.0)]
    differences = [Difference("grass", "a", (1,)), Difference("snow", "b", (0,)), Difference("dog", "a", (0, 1))]
    hypotheses = write_phrases(extreme, differences, Part.DISCOVERY)
    assert [(one.side, one.words, one.rank) for one in hypotheses] == [
        ("a", ("grass",), 1),
        ("b", ("snow",), 1),
        ("a", ("dog",), 2),
    ]
    assert [one.score for one in hypotheses] == [1.0, 1.0, 2.0]  # the captions that say it
    assert [ref.id for ref in hypotheses[2].images] == ["x", "y"]
    assert hypotheses[1].images == (extreme[2],)
    for one in hypotheses:
        assert (one.proposer, one.part, one.name_found, one.latent) == ("density_ratio", Part.DISCOVERY, True, None)
        assert not one.rank_decides  # of phrases that are verified the evidence says which is surer


def test_the_evidence_of_a_phrase_counts_the_captions_that_hold_it_as_whole_words():
    captions = [("a", "a dog on grass"), ("a", "Dog"), ("a", "hotdog"), ("b", "snow, a dog"), ("b", "")]
    extreme = [ImageRef(side, row, str(row), "", 1.0, caption) for row, (side, caption) in enumerate(captions)]
    first, second = write_phrases(
        extreme, [Difference("snow", "b", (0,)), Difference("dog", "a", (0, 1))], Part.DISCOVERY
    )
    assert (first.words, second.words) == (("snow",), ("dog",))  # in the order given
    assert second.images == tuple(extreme[:2])
    assert first.images == (extreme[3],)
    assert second.score == 2.0
    assert first.counted is second.counted is Counted.CAPTIONS
    counted = second.evidence
    assert counted is not None
    assert (counted.count_a, counted.n_a, counted.count_b, counted.n_b, counted.q_value) == (2, 3, 1, 2, 1.0)
