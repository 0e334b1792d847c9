from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from latentdiff.combine import CombineSettings, combine
from latentdiff.errors import LatentDiffError
from latentdiff.evidence import gather_evidence
from latentdiff.findings import Finding, Verification

latents = itertools.count()


def evidence(count_a: int, count_b: int, n: int = 200):
    one = np.array([0.01])
    return gather_evidence(np.array([count_a]), n, np.array([count_b]), n, one, one)[0]


def found(word: str, branch: str = "concept", status: str | None = None, more: int = 20, side: str = "a", **fields):
    shown = evidence(more, 0) if side == "a" else evidence(0, more)
    return Finding(
        side=side,
        branches=(branch,),
        words=(word,),
        name_found=True,
        score=1.0,
        evidence=shown,
        verification=Verification(status, 0.2, shown) if status else None,
        latent=next(latents) if branch == "concept" else None,
        **fields,
    )


def words(findings):
    return [f.words[0] for f in findings]


def vectors(**angles: float):
    return {word: np.array([np.cos(angle), np.sin(angle)]) for word, angle in angles.items()}


def test_confirmed_findings_come_first_and_in_each_part_concepts_in_their_order_then_phrases():
    concepts = [found("dog", status="weak"), found("cat", status="confirmed", more=9), found("hen", status="confirmed")]
    concepts += [found("ant"), found("bee", status="refuted")]
    density = [found("pig", "density", "refuted", more=60), found("cow", "density", "confirmed", more=30)]
    assert words(combine(concepts, density, {})) == ["cat", "hen", "cow", "dog", "ant", "bee", "pig"]


@pytest.mark.parametrize("side", ["a", "b"])
def test_of_phrases_a_smaller_difference_in_many_images_goes_before_a_larger_one_in_few(side):
    few, many = (found(name, "density", side=side) for name in ("few", "many"))
    few = replace(few, evidence=evidence(8, 0, 20) if side == "a" else evidence(0, 8, 20))
    many = replace(many, evidence=evidence(60, 0) if side == "a" else evidence(0, 60))
    assert words(combine([], [few, many], {})) == ["many", "few"]


def test_exchanging_the_sets_exchanges_the_sides_and_keeps_the_order():
    def flip(f: Finding) -> Finding:
        return found(f.words[0], f.branches[0], f.verification.status, max(f.evidence.count_a, f.evidence.count_b),
                     "b" if f.side == "a" else "a")  # fmt: skip

    concepts = [
        found("dog", status="weak", more=9),
        found("cat", status="confirmed"),
        found("cow", side="b", status="weak"),
    ]
    density = [found("pig", "density", "confirmed", more=33)]
    one = combine(concepts, density, {})
    other = combine([flip(f) for f in concepts], [flip(f) for f in density], {})
    for side, opposite in (("a", "b"), ("b", "a")):
        assert words(f for f in one if f.side == side) == words(f for f in other if f.side == opposite)


def test_near_synonyms_merge_into_the_surer_one_and_keep_both_provenances():
    concepts = [found("puppy", status="weak", latent_words=("paw",))]
    density = [found("dog", "density", "confirmed"), found("car", "density", "confirmed", more=10)]
    merged = combine(concepts, density, vectors(puppy=0.1, dog=0.0, car=1.5))
    assert words(merged) == ["dog", "car"]
    assert merged[0].branches == ("concept", "density")
    assert (merged[0].latent, merged[0].latent_words) == (concepts[0].latent, ("paw",))
    assert merged[1].branches == ("density",)


def test_latents_that_are_called_alike_become_members_of_the_first():
    one, other = found("dog", more=30, members=(900,)), found("puppy", more=20, members=(901,))
    (merged,) = combine([one, other], [], vectors(dog=0.0, puppy=0.1))
    assert merged.latent == one.latent
    assert merged.members == (900, other.latent, 901)


@pytest.mark.parametrize(
    "other",
    [
        found("puppy", "density", side="b"),
        replace(found("puppy", "density"), name_found=False),
        replace(found("puppy", "density"), words=()),
        found("unknown", "density"),
        found("far", "density"),
    ],
)
def test_other_sides_nameless_unknown_and_unlike_findings_stay_apart(other):
    merged = combine([found("dog")], [other], vectors(dog=0.0, puppy=0.1, far=0.6))  # cos .6 = .825
    assert len(merged) == 2
    assert all(len(f.branches) == 1 for f in merged)


def test_the_mix_takes_three_concepts_and_two_phrases_and_then_the_rest():
    concepts = [found(f"c{i}", more=10) for i in range(5)]
    density = [found(f"d{i}", "density", more=40) for i in range(4)]
    mixed = combine(concepts, density, {}, CombineSettings(order="mix"))
    assert words(mixed) == ["c0", "c1", "c2", "d0", "d1", "c3", "c4", "d2", "d3"]
    mixed = combine(concepts, density, {}, CombineSettings(order="mix", concepts=0, density=5))
    assert words(mixed) == ["d0", "d1", "d2", "d3", "c0", "c1", "c2", "c3", "c4"]


def test_the_mix_is_filled_from_the_other_branch_and_counts_what_both_found_once():
    concepts = [found(f"c{i}") for i in range(5)]
    both = found("same", "density")
    merged = combine(concepts, [both], vectors(c0=0.0, same=0.1), CombineSettings(order="mix"))
    assert words(merged) == ["c0", "c1", "c2", "c3", "c4"]
    assert merged[0].branches == ("concept", "density")


def test_the_mix_too_puts_what_is_confirmed_before_what_is_not():
    concepts = [found("c0", status="refuted"), found("c1", status="confirmed")]
    density = [found("d0", "density", "confirmed"), found("d1", "density", "weak")]
    assert words(combine(concepts, density, {}, CombineSettings(order="mix"))) == ["c1", "d0", "d1", "c0"]


def test_nothing_confirmed_still_returns_all_and_says_of_each_what_it_is():
    listed = combine([found("dog", status="weak"), found("cat", status="refuted")], [], {})
    assert [f.verification.status for f in listed] == ["weak", "refuted"]


def test_nothing_found_is_an_empty_list():
    assert combine([], [], {}) == ()


def test_a_setting_out_of_range_is_named():
    with pytest.raises(LatentDiffError, match=r"did you mean 'mix'"):
        CombineSettings(order="mixed")
    with pytest.raises(LatentDiffError, match=r"combine.merge_above is a cosine above 0, at most 1; it is 1.5"):
        CombineSettings(merge_above=1.5)
