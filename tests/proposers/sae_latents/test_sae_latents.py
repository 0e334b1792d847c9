from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from exchange import exchanged, without_odds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import Part
from latentdiff.naming import DIRECTIONS
from latentdiff.proposers.sae_latents import DIVERGENCES, PAPER, SCORES, ConceptSettings, propose
from latentdiff.proposers.sae_latents.filters import ACTIVE, IMPURE, UNNAMED
from latentdiff.proposers.sae_latents.table import compare_latents
from latentdiff.proposers.workspace import Workspace

calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def choose(source="decoder", **options):
    """The settings that the proposer reads."""
    return SimpleNamespace(concepts=ConceptSettings(**options), naming=SimpleNamespace(source=source))


def compare(make, a, b, **options):
    """What is proposed of two dense sets, all their images, with orthogonal decoder rows."""
    contrast = make.contrast(a, b)
    return propose(contrast, Workspace(contrast, None, None, make.latents(a, b)), choose(**options))


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
    one, other = compare(make, a, b, **options), compare(make, b, a, **options)
    for side in "ab":
        mine = [h for h in one.hypotheses if h.side == side]
        theirs = [h for h in other.hypotheses if h.side != side]
        assert [other_way(h) for h in mine] == [
            dataclasses.replace(h, evidence=without_odds(h.evidence)) for h in theirs
        ]
        for h, g in zip(mine, theirs, strict=True):
            assert h.evidence.odds_ratio * g.evidence.odds_ratio == pytest.approx(1, rel=1e-12)
    assert (one.p_value, one.presence_tests) == (other.p_value, other.presence_tests)
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
    rng = np.random.default_rng(0)
    a, b = (make.sparse_set(rng, 600, np.full(50, 0.1)) for _ in range(2))
    b[:, 3] *= 2
    result = compare(make, a, b)
    first = next(f for f in result.hypotheses if f.side == "b")
    assert first.latent == 3 and first.evidence.q_value < 0.01
    assert abs(first.evidence.difference) < 0.05
    assert compare(make, a, b, strength_from=601).artefact.significant == 0


def test_a_finding_says_what_it_measured(make):
    a, b = planted(make, 0)
    result = compare(make, a, b, rank="gap")
    finding = result.hypotheses[0]
    details = dict(finding.details)
    assert set(details) == {
        *("jsd", "jsd_corrected", "jsd_presence", "jsd_strength", "gap", "ms", "name_cosine", "mean_a", "mean_b")
    }
    assert finding.score == abs(details["gap"])
    assert details["gap"] == pytest.approx(a[:, 7].mean(dtype=float) - b[:, 7].mean(dtype=float))
    assert finding.words == ("word7", "thing") and finding.name_found and finding.proposer == "sae_latents"
    assert (finding.evidence.count_a, finding.evidence.count_b) == ((a[:, 7] > 0).sum(), (b[:, 7] > 0).sum())
    assert details["name_cosine"] == make.names(200)[7].cosines[0]


def test_findings_stand_by_side_in_rank_order_significant_or_not(make):
    result = compare(make, *planted(make, 1), per_side=4)
    assert [f.side for f in result.hypotheses] == ["a"] * 4 + ["b"] * 4
    for side in "ab":
        scores = [f.score for f in result.hypotheses if f.side == side]
        assert scores == sorted(scores, reverse=True)
    assert any(f.evidence.q_value > 0.05 for f in result.hypotheses)
    assert result.artefact.significant == sum(q <= 0.05 for _, q in result.artefact.volcano)
    assert all((f.details["gap"] > 0) == (f.side == "a") for f in result.hypotheses)


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
    assert dataclasses.replace(hidden.artefact, hidden={}) == whole.artefact
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


def test_a_part_of_a_set_needs_no_second_pass(make):
    a, b = planted(make, 6)
    part = np.random.default_rng(0).random(len(a)) < 0.5
    contrast = make.contrast(a, b)
    rows = {"a": np.flatnonzero(part), "b": np.arange(len(b))}
    settings = ConceptSettings(per_side=3)
    found = compare_latents(contrast.among(rows, Part.DISCOVERY), make.latents(a, b), settings)
    direct = compare_latents(make.contrast(a[part], b), make.latents(a[part], b), settings)
    for column in ("p_value", "q_value"):
        np.testing.assert_array_equal(getattr(found, column), getattr(direct, column))
    assert all(found.evidence(latent) == direct.evidence(latent) for latent in found.tested)
    for side in "ab":
        assert list(found.best(side)) == list(direct.best(side))
        again = direct.firings(7, side)
        np.testing.assert_array_equal(found.firings(7, side).rows, rows[side][again.rows])
        np.testing.assert_array_equal(found.firings(7, side).values, again.values)


def test_an_empty_group_is_one_clear_error(make):
    ones = np.ones((3, 2))
    empty = make.contrast(ones, ones).among({"a": np.arange(3), "b": np.arange(0)}, Part.DISCOVERY)
    with pytest.raises(LatentDiffError, match="no image of set B is left"):
        compare_latents(empty, make.latents(ones, ones), ConceptSettings())


def test_statistics_of_another_sae_are_refused(make):
    ones = np.ones((3, 2))
    latents = dataclasses.replace(make.latents(ones, ones), names=make.names(3))
    with pytest.raises(ValueError, match="different numbers of latents"):
        compare_latents(make.contrast(ones, ones), latents, ConceptSettings())


def test_statistics_of_another_set_are_refused(make):
    ones = np.ones((3, 2))
    with pytest.raises(ValueError, match="statistics of 3 rows, but set B has 2"):
        compare_latents(make.contrast(ones, ones[:2]), make.latents(ones, ones), ConceptSettings())


class NameBySize:
    """Names a direction by the size of its group, which stands for it (`by_size`)."""

    def __init__(self, **names):
        self.names = names

    def name(self, directions):
        return [self.names["whole" if size == 1000 else "part"] for (size,) in directions]


def by_part(make, monkeypatch, whole, part, **options):
    """What is proposed where all images name a latent `whole` and the discovery part, half of them, names it `part`."""
    monkeypatch.setitem(DIRECTIONS, "size", lambda own, other, centre: np.array([own.images]))
    a, b = planted(make, 0)
    contrast = make.contrast(a, b)
    discovery = contrast.among({side: np.arange(500) for side in "ab"}, Part.DISCOVERY)
    latents = make.latents(a, b, namer=NameBySize(whole=whole, part=part))
    workspace = Workspace(contrast, None, None, latents)
    return propose(discovery, workspace, choose("size", **options)), propose(contrast, workspace, choose(**options))


def test_a_latent_of_the_discovery_part_too_is_called_by_that_part_and_can_be_tested(make, monkeypatch):
    whole, part = make.name(("kite", "glider"), (0.5, 0.4), True), make.name(("kite surfing",), (0.3,), True)
    proposal, of_all = by_part(make, monkeypatch, whole, part)
    first = proposal.hypotheses[0]
    assert (first.latent, first.words, first.part, first.rank) == (7, ("kite surfing",), Part.DISCOVERY, 1)
    assert first.details["name_cosine"] == 0.3
    assert first.evidence == of_all.hypotheses[0].evidence  # all images are the better evidence
    assert first.latent_words == ("word7", "thing")
    assert (proposal.p_value, proposal.presence_tests) == (of_all.p_value, 2 * of_all.artefact.tested)
    assert proposal.artefact == of_all.artefact


def test_a_latent_keeps_the_name_that_all_images_give_it_where_the_discovery_part_has_none(make, monkeypatch):
    whole, part = make.name(("kite", "glider"), (0.5, 0.4), True), make.name(("viola",), (0.1,), False)
    proposal, of_all = by_part(make, monkeypatch, whole, part)
    assert len(proposal.hypotheses) >= len(of_all.hypotheses)
    for side in "ab":  # in the order of all images, which cannot test what they named
        ranked = [one for one in proposal.hypotheses if one.side == side and one.rank_decides]
        assert [one.latent for one in ranked] == [one.latent for one in of_all.hypotheses if one.side == side]
        assert [one.rank for one in ranked] == list(range(1, len(ranked) + 1))
        assert all((one.words, one.part) == (("kite", "glider"), Part.ALL) for one in ranked)


def test_what_the_discovery_part_alone_ranks_comes_behind_in_its_words_and_by_its_evidence(make, monkeypatch):
    name = make.name(("kite",), (0.5,), True)
    proposal, of_all = by_part(make, monkeypatch, name, name, per_side=3)
    known = {(one.side, one.latent) for one in of_all.hypotheses}
    alone = [one for one in proposal.hypotheses if (one.side, one.latent) not in known]
    assert alone and all(one.part is Part.DISCOVERY and not one.rank_decides for one in alone)
    assert all(one.rank > 3 for one in alone)
    assert len({(one.side, one.latent) for one in proposal.hypotheses}) == len(proposal.hypotheses)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("rank", "jsdgap", "did you mean 'jsd_gap'"),
        ("divergence", "kl", "unknown concepts.divergence 'kl'"),
        ("correction", "holm", "valid: bh, by"),
        ("level", 0.0, "concepts.level"),
        ("hide_ms", 1.0, "concepts.hide_ms"),
        ("per_side", 0, "concepts.per_side must be at least 1; it is 0"),
        ("near_misses", -1, "concepts.near_misses"),
    ],
)
def test_a_setting_out_of_range_is_named_with_its_value(key, value, says):
    with pytest.raises(LatentDiffError, match=says):
        ConceptSettings(**{key: value})
