from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from exchange import exchanged, without_odds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latentdiff.contrasts import Contrast
from latentdiff.embeddings import from_arrays
from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import Part
from latentdiff.proposers.sae_latents import DIVERGENCES, PAPER, SCORES, ConceptSettings, propose
from latentdiff.proposers.sae_latents.filters import ACTIVE, IMPURE, UNNAMED
from latentdiff.proposers.sae_latents.table import compare_latents
from latentdiff.proposers.workspace import Workspace
from latentdiff.statistics import newcombe
from latentdiff.statistics.enrichment import FEWEST

calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def choose(source="decoder", level=0.05, **options):
    """The settings that the proposer reads; fewer permutations than it has by itself."""
    concepts = ConceptSettings(**{"permutations": 60, **options})
    return SimpleNamespace(concepts=concepts, level=level, naming=SimpleNamespace(source=source))


def compare(make, a, b, **options):
    """What is proposed of two dense sets, all their images, with orthogonal decoder rows."""
    workspace = make.workspace(a, b)
    return propose(workspace.contrast, workspace, choose(**options))


def planted(make, seed, n=1000, latents=200, share=0.05):
    """Two sets of one kind, rare latents and common ones; latent 7 fires more often in A."""
    rng = np.random.default_rng(seed)
    prevalence = np.exp(rng.uniform(np.log(0.001), np.log(0.1), latents))
    prevalence[7] = 0.004
    a, b = make.sparse_set(rng, n, prevalence), make.sparse_set(rng, n, prevalence)
    a[:, 7] = np.where(rng.random(n) < share, rng.gamma(3.0, 1.0, n), a[:, 7])
    return a, b


def other_way(one):
    """What the other order of the sets must say; here images are named by their side, and three details have one."""
    swapped = exchanged(one)
    details = {"gap": -one.details["gap"], "mean_a": one.details["mean_b"], "mean_b": one.details["mean_a"]}
    return dataclasses.replace(
        swapped,
        images=named_by_side(swapped.images),
        near_misses=named_by_side(swapped.near_misses),
        details=one.details | details,
    )


def named_by_side(refs):
    return tuple(dataclasses.replace(ref, id=ref.side + ref.id[1:]) for ref in refs)


@settings(calm, max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    n_a=st.integers(1, 80),
    n_b=st.integers(1, 80),
    coarse=st.booleans(),
    rank=st.sampled_from(sorted(SCORES)),
    divergence=st.sampled_from(sorted(DIVERGENCES)),
    hide=st.sampled_from([0.0, 0.3]),
)
def test_swapping_sets_flips_every_direction_and_changes_nothing_else_to_the_last_bit(
    make, seed, n_a, n_b, coarse, rank, divergence, hide
):
    rng = np.random.default_rng(seed)
    prevalence = rng.random(12) ** 3
    a, b = make.sparse_set(rng, n_a, prevalence), make.sparse_set(rng, n_b, prevalence)
    if coarse:
        a, b = np.ceil(a), np.ceil(b)
    options = {"rank": rank, "divergence": divergence, "hide_active": hide, "hide_ms": hide, "hide_name": hide}
    options |= {"permutations": 10}
    one, other = compare(make, a, b, **options), compare(make, b, a, **options)
    for side in "ab":
        mine = [h for h in one.hypotheses if h.side == side]
        theirs = [h for h in other.hypotheses if h.side != side]
        assert [other_way(h) for h in mine] == [
            dataclasses.replace(h, evidence=without_odds(h.evidence)) for h in theirs
        ]
        for h, g in zip(mine, theirs, strict=True):
            assert h.evidence.odds_ratio * g.evidence.odds_ratio == pytest.approx(1, rel=1e-12)
    assert (one.p_value, one.cut) == (other.p_value, other.cut)
    mirrored = tuple((-difference, q) for difference, q in one.artefact.volcano)
    assert other.artefact == dataclasses.replace(one.artefact, volcano=mirrored)


def test_random_halves_rarely_differ_while_a_planted_concept_of_five_percent_is_found(make):
    seeds = range(20)
    alarms = sum(compare(make, *planted(make, seed, share=0.0)).artefact.significant > 0 for seed in seeds)
    assert alarms <= 3
    for seed in seeds:
        result = compare(make, *planted(make, seed))
        first = result.hypotheses[0]
        assert (first.latent, first.side) == (7, "a")
        assert first.evidence.q_value <= 0.05


def test_strength_alone_is_evidence(make):
    """It fires as often on both sides, and hardest on one: the images that fire it hardest count."""
    rng = np.random.default_rng(0)
    a, b = (make.sparse_set(rng, 600, np.full(50, 0.2)) for _ in range(2))
    b[:, 3] *= 3
    result = compare(make, a, b)
    first = next(f for f in result.hypotheses if f.side == "b")
    assert first.latent == 3 and first.evidence.q_value < 0.05
    fires = (a[:, 3] > 0).sum() + (b[:, 3] > 0).sum()
    assert first.evidence.count_a + first.evidence.count_b < fires
    assert abs((a[:, 3] > 0).mean() - (b[:, 3] > 0).mean()) < 0.05 < -first.evidence.difference


def test_a_finding_says_what_it_measured(make):
    a, b = planted(make, 0)
    result = compare(make, a, b, rank="gap")
    finding = result.hypotheses[0]
    details = dict(finding.details)
    assert set(details) == {
        *("jsd", "jsd_corrected", "jsd_presence", "jsd_strength", "gap", "ms", "name_cosine", "name_fidelity"),
        *("mean_a", "mean_b"),
    }
    assert finding.score == abs(details["gap"])
    assert details["gap"] == pytest.approx(a[:, 7].mean(dtype=float) - b[:, 7].mean(dtype=float))
    assert finding.words == finding.latent_words == ("word7", "thing") and finding.proposer == "sae_latents"
    assert finding.label_blind and finding.part is Part.ALL
    assert details["name_cosine"] == make.namer(200).name(np.eye(200)[7:8])[0].cosines[0]


def test_findings_stand_by_side_the_significant_ones_first_by_their_p_then_by_their_score(make):
    a, b = planted(make, 1)
    rng = np.random.default_rng(1)
    a[:, 9] = np.where(rng.random(1000) < 0.1, 0.1, a[:, 9])  # weak and very sure: its score is low
    result = compare(make, a, b, per_side=4, rank="gap")
    assert [f.side for f in result.hypotheses] == ["a"] * 4 + ["b"] * 4
    assert [f.latent for f in result.hypotheses[:2]] == [9, 7]
    assert result.hypotheses[0].score < result.hypotheses[1].score
    for side in "ab":
        own = [f for f in result.hypotheses if f.side == side]
        order = [(f.evidence.p_value if f.evidence.q_value <= 0.05 else 1, -f.score) for f in own]
        assert order == sorted(order) and [f.rank for f in own] == [1, 2, 3, 4]
    assert any(f.evidence.q_value > 0.05 for f in result.hypotheses)
    assert result.artefact.significant == sum(q <= 0.05 for _, q in result.artefact.volcano) == 2
    assert result.artefact.listed == 2
    assert all((f.details["gap"] > 0) == (f.side == "a") for f in result.hypotheses)


def test_all_that_is_significant_is_listed_up_to_a_number_and_of_the_rest_no_more_than_asked_for(make):
    rng = np.random.default_rng(2)
    a, b = (make.sparse_set(rng, 400, np.full(30, 0.05)) for _ in range(2))
    a[:, :12] = np.where(rng.random((400, 12)) < 0.3, 2.0, a[:, :12])
    for per_side, most, expected in ((3, 100, 12), (3, 7, 7), (14, 100, 14)):
        found = compare(make, a, b, per_side=per_side, significant_per_side=most)
        own = [f.latent for f in found.hypotheses if f.side == "a"]
        assert len(own) == expected and set(own[:12]) <= set(range(12))
        assert found.artefact.significant == 12 and found.artefact.listed == min(12, most)


def evidence_twin(table, latent, side):
    """Counts at the depth whose interval claims most, one depth after the other."""
    own, (n_a, n_b) = table.contrast.pooled.own, (table.activations.n_a, table.activations.n_b)
    claims = []
    for depth in table.lists.depths(latent).tolist():
        first = int(own[table.lists.first(latent, depth)].sum())
        count_a = first if table.contrast.pooled.first == "a" else depth - first
        low, high = newcombe(np.array([count_a]), n_a, np.array([depth - count_a]), n_b)
        claims.append((float(low[0] if side == "a" else -high[0]), -depth, count_a, depth - count_a))
    return max(claims)[2:]


def test_the_evidence_is_of_the_depth_whose_interval_claims_most_and_the_p_of_the_surest(make):
    a, b = planted(make, 3, latents=40)
    workspace = make.workspace(a, b)
    table = compare_latents(workspace, ConceptSettings(permutations=20), 0.05)
    tested = np.flatnonzero(table.lists.lengths >= FEWEST)
    assert len(tested) > 20
    for latent in tested.tolist():
        for side in "ab":
            found = table.evidence(latent, side)
            assert (found.count_a, found.count_b) == evidence_twin(table, latent, side)
            assert (found.p_value, found.q_value) == (
                table.enrichment.p_value[latent], table.enrichment.adjusted[latent],
            )  # fmt: skip


def test_of_a_latent_that_too_few_images_fire_to_be_tested_all_count(make):
    a, b = np.zeros((2, 30, 2), np.float32)
    a[:3, 0], b[:1, 0], a[:20, 1] = 1, 2, 1
    found = compare_latents(make.workspace(a, b), ConceptSettings(), 0.05).evidence(0, "a")
    assert (found.count_a, found.count_b, found.p_value, found.q_value) == (3, 1, 1.0, 1.0)


def test_the_p_of_no_difference_is_that_of_the_surest_latent_and_the_cut_that_of_the_permutations(make):
    result = compare(make, *planted(make, 1))
    assert result.p_value == min(f.evidence.q_value for f in result.hypotheses)
    assert 0 < result.cut < 0.05
    for one in result.hypotheses:
        assert (one.evidence.p_value <= one.cut) == (one.evidence.q_value <= 0.05)


def test_latents_whose_images_are_alike_count_for_more(make):
    a, b = planted(make, 2)
    workspace = make.workspace(a, b)
    table = compare_latents(workspace, ConceptSettings(permutations=20), 0.05)
    tested = np.flatnonzero(table.lists.lengths >= FEWEST)
    same_power = tested[table.enrichment.power[tested] == 2]
    order = np.argsort(workspace.latents.monosemanticity[same_power])
    assert (np.diff(table.enrichment.cut[same_power][order]) > 0).all()
    mean_rank = (len(tested) + 1) / 2
    most = table.enrichment.cut[same_power].max() / table.enrichment.plain_cut
    assert most <= len(tested) / mean_rank + 1e-9


def test_differences_are_asked_for_inside_strata(make):
    rng = np.random.default_rng(0)
    a, b = (make.sparse_set(rng, 500, np.full(20, 0.05)) for _ in range(2))
    night_a, night_b = rng.random(500) < 0.7, rng.random(500) < 0.2
    for dense, night in ((a, night_a), (b, night_b)):
        dense[:, 4] = np.where(night & (rng.random(500) < 0.5), 3.0, 0)  # a lamp, by night alone
    a[:, 7] = np.where(rng.random(500) < 0.2, 3.0, a[:, 7])  # a kite, night and day
    workspace = make.workspace(a, b)
    strata = workspace.contrast.pooled.gather({"a": night_a.astype(np.int64), "b": night_b.astype(np.int64)})
    told = {}
    for name, inside in (("alone", None), ("given", strata)):
        found = propose(workspace.contrast, dataclasses.replace(workspace, strata=inside), choose())
        told[name] = {f.latent for f in found.hypotheses if f.evidence.q_value <= 0.05}
    assert told == {"alone": {4, 7}, "given": {7}}


def directed(n, share, seed, axis=2):
    """Embeddings of which the first share lies along an axis."""
    rows = np.random.default_rng(seed).normal(scale=0.3, size=(n, 6)) + 0.2
    rows[: round(share * n), axis] += 3
    return rows


@pytest.mark.parametrize("side", ["a", "b"])
def test_a_latent_is_called_by_the_images_of_both_sides_that_fire_it_hardest(make, side):
    """Most of them are of one side, and that does not matter."""
    sets = {"a": from_arrays(directed(200, 0.1, 1)), "b": from_arrays(directed(200, 0.02, 2))}
    fires = {"a": np.zeros((200, 9), np.float32), "b": np.zeros((200, 9), np.float32)}
    fires["a"][:20, 5] = fires["b"][:4, 5] = 2
    other = "b" if side == "a" else "a"
    contrast = Contrast.between(sets[side], sets[other])
    workspace = Workspace(contrast, None, None, make.latents(fires[side], fires[other]))
    (found,) = [f for f in propose(contrast, workspace, choose("exemplars")).hypotheses if f.latent == 5]
    assert (found.side, found.words[0], found.latent_words[0]) == (side, "word2", "word5")
    assert found.name_found and found.details["name_fidelity"] > 0.95
    (by_row,) = [f for f in propose(contrast, workspace, choose("decoder")).hypotheses if f.latent == 5]
    assert by_row.words == by_row.latent_words == found.latent_words


def test_a_name_that_does_not_hold_on_other_images_is_no_name(make):
    workspace = make.workspace(*planted(make, 0))  # what fires has nothing to do with what images look like
    found = propose(workspace.contrast, workspace, choose("exemplars", per_side=40))
    assert np.mean([f.name_found for f in found.hypotheses]) < 0.2
    assert all(f.words for f in found.hypotheses)  # it is told all the same


def test_images_come_strongest_first_and_near_misses_barely_show_it(make):
    a, b = planted(make, 2)
    finding = compare(make, a, b, exemplars=5, near_misses=3).hypotheses[0]
    order = np.argsort(-a[:, 7], kind="stable")[: np.count_nonzero(a[:, 7])]
    assert [i.row for i in finding.images] == order[:5].tolist()
    assert [i.row for i in finding.near_misses] == order[-3:].tolist()
    assert [i.value for i in finding.images] == a[order[:5], 7].tolist()


def test_no_image_is_both_an_example_and_a_near_miss(make):
    a, b = np.zeros((20, 1), dtype=np.float32), np.zeros((20, 1), dtype=np.float32)
    a[:4, 0] = [4, 3, 2, 1]
    (finding,) = compare(make, a, b, exemplars=3).hypotheses
    assert ([i.row for i in finding.images], [i.row for i in finding.near_misses]) == ([0, 1, 2], [3])
    (finding,) = compare(make, a, b, exemplars=6, near_misses=0).hypotheses
    assert (len(finding.images), finding.near_misses) == (4, ())


def test_hiding_takes_findings_from_view_but_not_from_the_tests(make):
    a, b = planted(make, 3)
    whole, hidden = compare(make, a, b), compare(make, a, b, hide_name=0.99)
    assert dataclasses.replace(hidden.artefact, hidden={}, listed=1) == whole.artefact
    assert hidden.p_value == whole.p_value
    assert whole.hypotheses[0].latent == 7 and whole.artefact.significant == 1 and whole.artefact.hidden == {}
    assert hidden.artefact.hidden == {UNNAMED: 1}  # of the findings that are significant
    assert {f.latent for f in hidden.hypotheses} <= {0, 1}  # the best names


def test_every_choice_of_the_paper_can_be_set_at_once(make):
    result = compare(make, *planted(make, 3), **PAPER)
    assert set(result.artefact.hidden) == {ACTIVE, IMPURE, UNNAMED}
    assert "jsd_presence" not in result.hypotheses[0].details


def test_members_of_a_finding_lie_on_its_side_and_appear_once(make):
    rng = np.random.default_rng(4)
    a, b = planted(make, 4)
    a[:, 8] = a[:, 7] * rng.uniform(0.4, 0.6, len(a))
    b[:, 8] = b[:, 7] * 0.5
    result = compare(make, a, b, per_side=30)
    assert result.hypotheses[0].members == (8,)
    seen = [latent for f in result.hypotheses for latent in (f.latent, *f.members)]
    assert len(seen) == len(set(seen))


def test_a_set_does_not_differ_from_itself(make):
    a, _ = planted(make, 5)
    result = compare(make, a, a)
    assert (
        result.hypotheses == ()
        and result.artefact.significant == 0
        and result.artefact.tested == len(result.artefact.volcano) > 0
    )


def test_silent_sets_are_compared_without_complaint(make):
    result = compare(make, np.zeros((3, 4)), np.zeros((2, 4)))
    assert (result.hypotheses, result.artefact.tested, result.artefact.volcano) == ((), 0, ())


def test_statistics_of_another_sae_are_refused(make):
    ones = np.ones((3, 2))
    latents = dataclasses.replace(make.latents(ones, ones), decoder=np.eye(3))
    with pytest.raises(ValueError, match="different numbers of latents"):
        compare_latents(Workspace(make.contrast(ones, ones), None, None, latents), ConceptSettings(), 0.05)


def test_statistics_of_another_set_are_refused(make):
    ones = np.ones((3, 2))
    workspace = Workspace(make.contrast(ones, ones[:2]), None, None, make.latents(ones, ones))
    with pytest.raises(ValueError, match="statistics of 3 rows, but 2 images of set B are compared"):
        compare_latents(workspace, ConceptSettings(), 0.05)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("rank", "jsdgap", "did you mean 'jsd_gap'"),
        ("divergence", "kl", "unknown concepts.divergence 'kl'"),
        ("permutations", -1, "concepts.permutations must be at least 0; it is -1"),
        ("significant_per_side", 0, "concepts.significant_per_side"),
        ("hide_ms", 1.0, "concepts.hide_ms"),
        ("per_side", 0, "concepts.per_side must be at least 1; it is 0"),
        ("near_misses", -1, "concepts.near_misses"),
    ],
)
def test_a_setting_out_of_range_is_named_with_its_value(key, value, says):
    with pytest.raises(LatentDiffError, match=says):
        ConceptSettings(**{key: value})
