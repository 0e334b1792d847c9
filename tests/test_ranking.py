from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import Finding, Hypothesis, Part, RankedFinding, Side, Status, Verification, opposite
from latentdiff.ranking import CombineSettings, rank
from latentdiff.statistics import gather_evidence

latents = itertools.count()


def evidence(count_a: int, count_b: int, n: int = 200):
    one = np.array([0.01])
    return gather_evidence(np.array([count_a]), n, np.array([count_b]), n, one, one)[0]


def found(
    word: str, proposer: str = "sae_latents", status: str | None = None, more: int = 20, side: Side = "a", **fields
) -> Finding:
    shown = fields.pop("shown", None) or (evidence(more, 0) if side == "a" else evidence(0, more))
    by_latent = proposer == "sae_latents"
    hypothesis = Hypothesis(
        side=side,
        proposer=proposer,
        words=fields.pop("words", (word,)),
        name_found=fields.pop("name_found", True),
        score=1.0,
        part=Part.DISCOVERY,
        rank=fields.pop("rank", 1),
        rank_decides=by_latent,
        evidence=shown,
        latent=next(latents) if by_latent else None,
        **fields,
    )
    status = Status(status) if status else Status.NOT_CHECKED
    return Finding(hypothesis, status, None if by_latent else Verification(0.2, shown))


def in_order(findings: list[Finding]) -> list[Finding]:
    """The same, ranked by their proposer in this order."""
    return [replace(f, hypothesis=replace(f.hypothesis, rank=place)) for place, f in enumerate(findings, 1)]


def words(ranking: Iterable[RankedFinding]) -> list[str]:
    return [one.finding.words[0] for one in ranking]


def vectors(**angles: float):
    return {word: np.array([np.cos(angle), np.sin(angle)]) for word, angle in angles.items()}


def test_what_is_sure_comes_first_by_what_it_claims_least_then_each_proposer_in_its_own_order():
    concepts = [found("dog", status="weak"), found("cat", status="leads", more=9), found("hen", status="leads")]
    concepts += [found("ant"), found("bee", status="weak")]
    density = [found("pig", "density_ratio", "refuted", more=60), found("cow", "density_ratio", "leads", more=30)]
    assert words(rank([*in_order(concepts), *density], {})) == ["cow", "hen", "cat", "dog", "ant", "bee", "pig"]


def test_the_overall_shift_comes_before_what_leads_and_that_before_what_only_differs():
    statuses = ("refuted", "tested", "travels", "leads", "not checked", "overall shift", "weak", "differs")
    findings = [found(status, "mean_shift", status, more=90 - 9 * i) for i, status in enumerate(statuses)]
    assert words(rank(findings, {})) == [
        *("overall shift", "leads", "differs", "travels", "tested", "weak", "not checked", "refuted"),
    ]


@pytest.mark.parametrize("side", ["a", "b"])
def test_a_lead_seen_in_many_images_goes_before_one_with_a_larger_difference_in_few(side):
    few = found("few", status="leads", side=side, shown=evidence(8, 0, 20) if side == "a" else evidence(0, 8, 20))
    many = found("many", status="leads", side=side, more=60, rank=2)
    assert words(rank([few, many], {})) == ["many", "few"]


@pytest.mark.parametrize("side", ["a", "b"])
def test_of_phrases_a_smaller_difference_in_many_images_goes_before_a_larger_one_in_few(side):
    few = found("few", "density_ratio", side=side, shown=evidence(8, 0, 20) if side == "a" else evidence(0, 8, 20))
    many = found("many", "density_ratio", side=side, shown=evidence(60, 0) if side == "a" else evidence(0, 60))
    assert words(rank([few, many], {})) == ["many", "few"]


def test_of_phrases_the_verified_evidence_decides_and_not_the_captions_that_say_them():
    said_often, said_rarely = evidence(9, 0, 10), evidence(2, 0, 10)
    dog, grass = found("dog", "density_ratio", shown=said_often), found("grass", "density_ratio", shown=said_rarely)
    dog = replace(dog, status=Status.WEAK, verification=Verification(0.1, evidence(20, 10)))
    grass = replace(grass, status=Status.WEAK, verification=Verification(0.1, evidence(60, 10)))
    assert words(rank([dog, grass], {})) == ["grass", "dog"]


def test_latents_that_nobody_ranked_among_the_others_follow_them_the_surest_first():
    ranked = [found("one", more=5), found("two", more=6)]
    alone = [found("few", more=5), found("many", more=60)]
    alone = [replace(f, hypothesis=replace(f.hypothesis, rank_decides=False)) for f in alone]
    assert words(rank([*alone, *in_order(ranked)], {})) == ["one", "two", "many", "few"]


def test_proposers_stand_in_the_order_in_which_they_proposed():
    first, second = found("first", "visdiff"), found("second", "density_ratio", more=90)
    assert words(rank([first, second], {})) == ["first", "second"]


def test_what_nobody_counted_goes_by_its_score_behind_what_was_counted():
    bare = [found(word, "mean_shift") for word in ("low", "high")]
    bare = [
        Finding(replace(f.hypothesis, evidence=None, score=score)) for f, score in zip(bare, (0.1, 0.2), strict=True)
    ]
    assert words(rank([*bare, found("counted", "mean_shift", more=3)], {})) == ["counted", "high", "low"]


def test_exchanging_the_sides_exchanges_the_sides_and_keeps_the_order():
    def flip(f: Finding) -> Finding:
        of = f.evidence
        return found(f.words[0], f.hypothesis.proposer, f.status, max(of.count_a, of.count_b), opposite(f.side),
                     rank=f.hypothesis.rank)  # fmt: skip

    concepts = [
        found("dog", status="weak", more=9),
        found("cat", status="leads"),
        found("cow", side="b", status="weak"),
    ]
    findings = [*in_order(concepts), found("pig", "density_ratio", "leads", more=33)]
    one, other = rank(findings, {}), rank([flip(f) for f in findings], {})
    for side in ("a", "b"):
        assert words(f for f in one if f.side == side) == words(f for f in other if f.side == opposite(side))


def test_near_synonyms_stand_behind_the_surer_one_and_all_who_proposed_it_are_told():
    puppy = found("puppy", status="weak", latent_words=("paw",))
    dog, car = found("dog", "density_ratio", "leads"), found("car", "density_ratio", "leads", more=10)
    first, second = rank([puppy, dog, car], vectors(puppy=0.1, dog=0.0, car=1.5))
    assert (first.finding, first.alike) == (dog, (puppy,))
    assert first.proposers == ("density_ratio", "sae_latents")
    assert (first.latents, first.latent_words) == ((puppy.hypothesis.latent,), ("paw",))
    assert (second.finding, second.alike, second.proposers, second.latents) == (car, (), ("density_ratio",), ())


def test_latents_that_are_called_alike_stand_behind_the_first_with_their_members():
    one, other = found("dog", more=30, members=(900,)), found("puppy", more=20, members=(901,), rank=2)
    (merged,) = rank([one, other], vectors(dog=0.0, puppy=0.1))
    assert merged.finding is one and merged.alike == (other,)
    assert merged.latents == (one.hypothesis.latent, 900, other.hypothesis.latent, 901)


@pytest.mark.parametrize(
    "other",
    [
        found("puppy", "density_ratio", side="b"),
        found("puppy", "density_ratio", name_found=False),
        found("puppy", "density_ratio", words=()),
        found("unknown", "density_ratio"),
        found("far", "density_ratio"),
    ],
)
def test_other_sides_nameless_unknown_and_unlike_findings_stay_apart(other):
    merged = rank([found("dog"), other], vectors(dog=0.0, puppy=0.1, far=0.6))  # cos .6 = .825
    assert len(merged) == 2
    assert all(len(one.proposers) == 1 and not one.alike for one in merged)


def test_the_mix_takes_three_latents_and_two_phrases_and_then_the_rest():
    concepts = in_order([found(f"c{i}", more=10) for i in range(5)])
    density = [found(f"d{i}", "density_ratio", more=40) for i in range(4)]
    mixed = rank([*concepts, *density], {}, CombineSettings(order="mix"))
    assert words(mixed) == ["c0", "c1", "c2", "d0", "d1", "c3", "c4", "d2", "d3"]
    mixed = rank([*concepts, *density], {}, CombineSettings(order="mix", concepts=0, density=5))
    assert words(mixed) == ["d0", "d1", "d2", "d3", "c0", "c1", "c2", "c3", "c4"]


def test_the_mix_is_filled_from_the_other_proposer_and_counts_what_both_found_once():
    concepts = in_order([found(f"c{i}") for i in range(5)])
    both = found("same", "density_ratio")
    merged = rank([*concepts, both], vectors(c0=0.0, same=0.1), CombineSettings(order="mix"))
    assert words(merged) == ["c0", "c1", "c2", "c3", "c4"]
    assert merged[0].proposers == ("density_ratio", "sae_latents")


def test_the_mix_too_puts_what_is_confirmed_before_what_is_not():
    concepts = in_order([found("c0", status="refuted"), found("c1", status="leads")])
    density = [found("d0", "density_ratio", "leads"), found("d1", "density_ratio", "weak")]
    assert words(rank([*concepts, *density], {}, CombineSettings(order="mix"))) == ["c1", "d0", "d1", "c0"]


def test_nothing_confirmed_still_returns_all_and_says_of_each_what_it_is():
    listed = rank([found("dog", status="weak"), found("cat", status="refuted", rank=2)], {})
    assert [one.finding.status for one in listed] == ["weak", "refuted"]


def test_findings_are_ranked_as_they_are():
    findings = [found("dog", status="weak"), found("puppy", "density_ratio"), found("cat", side="b")]
    ranking = rank(findings, vectors(dog=0.0, puppy=0.1))
    assert {id(f) for one in ranking for f in (one.finding, *one.alike)} == set(map(id, findings))


def tree(ranking: Iterable[RankedFinding]) -> list[tuple[str, list[str]]]:
    return [(one.finding.words[0], [under.words[0] for under in one.travelling]) for one in ranking]


def sure_at(p: float, word: str, **fields) -> Finding:
    one = found(word, status="travels", **fields)
    return replace(one, hypothesis=replace(one.hypothesis, evidence=replace(one.evidence, p_value=p)))


def test_what_travels_stands_under_its_lead_the_surest_first_of_either_side():
    findings = [
        sure_at(1e-5, "leash"),
        found("dog", status="leads", more=40),
        sure_at(1e-9, "collar"),
        found("cat", status="leads", more=30, side="b"),
        sure_at(1e-7, "empty street", side="b"),
        found("hen", status="leads", more=10),
    ]
    ranking = rank(findings, {}, under={0: 1, 2: 1, 4: 1})
    assert tree(ranking) == [("dog", ["collar", "empty street", "leash"]), ("hen", []), ("cat", [])]
    assert ranking[0].latents == (findings[1].hypothesis.latent,)


@pytest.mark.parametrize("order", ["confidence", "mix"])
def test_what_travels_with_a_lead_that_stands_behind_another_is_shown_with_that(order):
    findings = [
        found("dog", status="leads", more=40),
        found("puppy", status="leads", more=30),
        sure_at(1e-4, "leash"),
        sure_at(1e-6, "collar"),
    ]
    ranking = rank(findings, vectors(dog=0.0, puppy=0.1), CombineSettings(order=order), {2: 0, 3: 1})
    assert tree(ranking) == [("dog", ["collar", "leash"])]
    assert [one.words[0] for one in ranking[0].alike] == ["puppy"]


def test_what_travels_is_not_merged_with_what_is_called_alike():
    findings = [found("dog", status="leads"), sure_at(1e-6, "puppy"), found("hound", status="weak")]
    ranking = rank(findings, vectors(dog=0.0, puppy=0.1, hound=0.1), under={1: 0})
    assert tree(ranking) == [("dog", ["puppy"])]
    assert [one.words[0] for one in ranking[0].alike] == ["hound"]


def test_no_finding_is_lost_or_told_twice():
    findings = [found(f"w{i}", status="leads" if i % 3 == 0 else "travels", side="ab"[i % 2]) for i in range(12)]
    ranking = rank(findings, vectors(w0=0.0, w6=0.1), under={i: i - i % 3 for i in range(12) if i % 3})
    told = [id(f) for one in ranking for f in (one.finding, *one.alike, *one.travelling)]
    assert sorted(told) == sorted(map(id, findings))


def test_a_name_that_both_sides_have_merges_with_nothing():
    dog, puppy = found("dog", status="leads"), replace(found("puppy", status="leads"), name_holds=False)
    assert len(rank([dog, puppy], vectors(dog=0.0, puppy=0.1))) == 2


def test_nothing_found_is_an_empty_list():
    assert rank([], {}) == ()


def test_a_setting_out_of_range_is_named():
    with pytest.raises(LatentDiffError, match=r"did you mean 'mix'"):
        CombineSettings(order="mixed")
    with pytest.raises(LatentDiffError, match=r"combine.merge_above is a cosine above 0, at most 1; it is 1.5"):
        CombineSettings(merge_above=1.5)
