from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latentdiff.concepts import DIVERGENCES, PAPER, RANKS, ConceptSettings, concept_branch
from latentdiff.concepts.hygiene import ACTIVE, IMPURE, UNNAMED
from latentdiff.errors import LatentDiffError
from latentdiff.findings import ImageRef

calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def refs(side, rows, values):
    return tuple(ImageRef(side, int(r), f"{side}{r}", "", float(v)) for r, v in zip(rows, values, strict=True))


def compare(make, a, b, **options):
    """Two dense sets through the branch, with orthogonal decoder rows."""
    latents = a.shape[1]
    sums = make.statistics(a), make.statistics(b)
    return concept_branch(*sums, make.names(latents), np.eye(latents), ConceptSettings(**options), refs)


def planted(make, seed, n=1000, latents=200, share=0.05):
    """Two sets of one kind, rare latents and common ones; latent 7 fires more often in A."""
    rng = np.random.default_rng(seed)
    prevalence = np.exp(rng.uniform(np.log(0.001), np.log(0.1), latents))
    prevalence[7] = 0.004
    a, b = make.sparse_set(rng, n, prevalence), make.sparse_set(rng, n, prevalence)
    a[:, 7] = np.where(rng.random(n) < share, rng.gamma(3.0, 1.0, n), a[:, 7])
    return a, b


def exchanged(result):
    """What the other order of the sets must say, from what this order says."""

    def evidence(e):
        return dataclasses.replace(
            e,
            **{f"{name}_a": getattr(e, f"{name}_b") for name in ("count", "n", "prevalence")},
            **{f"{name}_b": getattr(e, f"{name}_a") for name in ("count", "n", "prevalence")},
            prevalence_a_interval=e.prevalence_b_interval,
            prevalence_b_interval=e.prevalence_a_interval,
            difference=-e.difference,
            difference_interval=type(e.difference_interval)(-e.difference_interval.high, -e.difference_interval.low),
            odds_ratio=None,  # the reciprocal, which does not exist to the last bit; held by its logarithm elsewhere
            odds_ratio_interval=None,
        )

    def images(some):
        return tuple(dataclasses.replace(i, side=other[i.side], id=other[i.id[0]] + i.id[1:]) for i in some)

    other = {"a": "b", "b": "a"}
    findings = [
        dataclasses.replace(
            f,
            side=other[f.side],
            evidence=evidence(f.evidence),
            images=images(f.images),
            near_misses=images(f.near_misses),
            details=f.details
            | {"gap": -f.details["gap"], "mean_a": f.details["mean_b"], "mean_b": f.details["mean_a"]},
        )
        for f in result.findings
    ]
    return dataclasses.replace(
        result,
        findings=tuple(sorted(findings, key=lambda f: f.side)),
        volcano=tuple((-d, q) for d, q in result.volcano),
    )


def without_odds(result):
    findings = [
        dataclasses.replace(f, evidence=dataclasses.replace(f.evidence, odds_ratio=None, odds_ratio_interval=None))
        for f in result.findings
    ]
    return dataclasses.replace(result, findings=tuple(findings))


@settings(calm, max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    n_a=st.integers(1, 80),
    n_b=st.integers(1, 80),
    coarse=st.booleans(),
    rank=st.sampled_from(sorted(RANKS)),
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
    assert without_odds(other) == exchanged(one)
    for f, g in zip(one.findings, sorted(other.findings, key=lambda f: f.side, reverse=True), strict=True):
        assert f.evidence.odds_ratio * g.evidence.odds_ratio == pytest.approx(1, rel=1e-12)


def test_random_halves_rarely_differ_while_a_planted_concept_of_five_percent_is_found(make):
    seeds = range(20)
    alarms = sum(compare(make, *planted(make, seed, share=0.0)).significant > 0 for seed in seeds)
    assert alarms <= 3
    for seed in seeds:
        result = compare(make, *planted(make, seed))
        first = result.findings[0]
        assert (first.latent, first.side) == (7, "a")
        assert first.evidence.q_value <= 0.05


def test_strength_alone_is_evidence(make):
    rng = np.random.default_rng(0)
    a, b = (make.sparse_set(rng, 600, np.full(50, 0.1)) for _ in range(2))
    b[:, 3] *= 2
    result = compare(make, a, b)
    first = next(f for f in result.findings if f.side == "b")
    assert first.latent == 3 and first.evidence.q_value < 0.01
    assert abs(first.evidence.difference) < 0.05
    assert compare(make, a, b, strength_from=601).significant == 0


def test_a_finding_says_what_it_measured(make):
    a, b = planted(make, 0)
    result = compare(make, a, b, rank="gap")
    finding = result.findings[0]
    details = dict(finding.details)
    assert set(details) == {
        *("jsd", "jsd_corrected", "jsd_presence", "jsd_strength", "gap", "ms", "name_cosine", "mean_a", "mean_b")
    }
    assert finding.score == abs(details["gap"])
    assert details["gap"] == pytest.approx(a[:, 7].mean(dtype=float) - b[:, 7].mean(dtype=float))
    assert finding.words == ("word7", "thing") and finding.name_found and finding.branches == ("concept",)
    assert (finding.evidence.count_a, finding.evidence.count_b) == ((a[:, 7] > 0).sum(), (b[:, 7] > 0).sum())
    assert details["name_cosine"] == make.names(200)[7].cosines[0]


def test_findings_stand_by_side_in_rank_order_significant_or_not(make):
    result = compare(make, *planted(make, 1), per_side=4)
    assert [f.side for f in result.findings] == ["a"] * 4 + ["b"] * 4
    for side in "ab":
        scores = [f.score for f in result.findings if f.side == side]
        assert scores == sorted(scores, reverse=True)
    assert any(f.evidence.q_value > 0.05 for f in result.findings)
    assert result.significant == sum(q <= 0.05 for _, q in result.volcano)
    assert all((f.details["gap"] > 0) == (f.side == "a") for f in result.findings)


def test_images_come_strongest_first_and_near_misses_barely_show_it(make):
    a, b = planted(make, 2)
    finding = compare(make, a, b, exemplars=5, near_misses=3).findings[0]
    order = np.argsort(-a[:, 7], kind="stable")[: np.count_nonzero(a[:, 7])]
    assert [i.row for i in finding.images] == order[:5].tolist()
    assert [i.row for i in finding.near_misses] == order[-3:].tolist()
    assert [i.value for i in finding.images] == a[order[:5], 7].tolist()


def test_no_image_is_both_an_example_and_a_near_miss(make):
    a, b = np.zeros((20, 1), dtype=np.float32), np.zeros((20, 1), dtype=np.float32)
    a[:4, 0] = [4, 3, 2, 1]
    (finding,) = compare(make, a, b, exemplars=3).findings
    assert ([i.row for i in finding.images], [i.row for i in finding.near_misses]) == ([0, 1, 2], [3])
    (finding,) = compare(make, a, b, exemplars=6, near_misses=0).findings
    assert (len(finding.images), finding.near_misses) == (4, ())


def test_hiding_takes_findings_from_view_but_not_from_the_tests(make):
    a, b = planted(make, 3)
    whole, hidden = compare(make, a, b), compare(make, a, b, hide_name=0.99)
    assert (hidden.tested, hidden.significant, hidden.volcano) == (whole.tested, whole.significant, whole.volcano)
    assert whole.findings[0].latent == 7 and whole.significant == 1 and whole.hidden == {}
    assert hidden.hidden == {UNNAMED: 1}  # of the findings that are significant
    assert {f.latent for f in hidden.findings} <= {0, 1}  # the best names


def test_every_choice_of_the_paper_can_be_set_at_once(make):
    result = compare(make, *planted(make, 3), **PAPER)
    assert set(result.hidden) == {ACTIVE, IMPURE, UNNAMED}
    assert "jsd_presence" not in result.findings[0].details


def test_members_of_a_finding_lie_on_its_side_and_appear_once(make):
    rng = np.random.default_rng(4)
    a, b = planted(make, 4)
    a[:, 8] = a[:, 7] * rng.uniform(0.4, 0.6, len(a))
    b[:, 8] = b[:, 7] * 0.5
    result = compare(make, a, b, per_side=30)
    assert result.findings[0].members == (8,)
    seen = [latent for f in result.findings for latent in (f.latent, *f.members)]
    assert len(seen) == len(set(seen))


def test_a_set_does_not_differ_from_itself(make):
    a, _ = planted(make, 5)
    result = compare(make, a, a)
    assert result.findings == () and result.significant == 0 and result.tested == len(result.volcano) > 0


def test_silent_sets_are_compared_without_complaint(make):
    result = compare(make, np.zeros((3, 4)), np.zeros((2, 4)))
    assert (result.findings, result.tested, result.volcano) == ((), 0, ())


def test_halves_of_a_set_need_no_second_pass(make):
    a, b = planted(make, 6)
    half = np.random.default_rng(0).random(len(a)) < 0.5
    part = make.statistics(a).restrict(half)
    result = concept_branch(part, make.statistics(b), make.names(200), np.eye(200), ConceptSettings(per_side=3), refs)
    direct = concept_branch(
        make.statistics(a[half]), make.statistics(b), make.names(200), np.eye(200), ConceptSettings(per_side=3), refs
    )
    assert result.volcano == direct.volcano
    assert [f.latent for f in result.findings] == [f.latent for f in direct.findings]
    first, again = result.findings[0], direct.findings[0]
    assert [i.row for i in first.images] == np.flatnonzero(half)[[i.row for i in again.images]].tolist()


def test_an_empty_set_is_one_clear_error(make):
    whole = make.statistics(np.ones((3, 2)))
    empty = whole.restrict(np.zeros(3, dtype=bool))
    with pytest.raises(LatentDiffError, match="no image of set B is left"):
        concept_branch(whole, empty, make.names(2), np.eye(2), ConceptSettings())


def test_statistics_of_another_sae_are_refused(make):
    one = make.statistics(np.ones((3, 2)))
    with pytest.raises(ValueError, match="different numbers of latents"):
        concept_branch(one, one, make.names(3), np.eye(2), ConceptSettings())


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
