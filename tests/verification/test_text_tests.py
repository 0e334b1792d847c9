from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, fisher_exact

from latentdiff.embeddings import from_arrays, store
from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import Status
from latentdiff.statistics import gather_evidence
from latentdiff.verification import VerifySettings, text_tests
from latentdiff.verification.text_tests import images_above, separating_threshold, verification_status, verify_texts

D = 48
DIRECTIONS = np.linalg.qr(np.random.default_rng(0).normal(size=(D, 6)))[0].T.astype(np.float32)
few_scores = st.lists(st.integers(0, 8), min_size=2, max_size=12)


def images(seed: int, n: int, shares: list[float]) -> np.ndarray:
    """Unit embeddings around a common offset; direction k is present in the k-th share of them."""
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=(n, D)) * 0.3
    rows[:, 0] += 3
    for direction, share in zip(DIRECTIONS, shares, strict=False):
        rows[generator.random(n) < share] += 2 * direction
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def the_sets(shares_a, shares_b, n=500):
    discovery = images(1, n, shares_a), images(2, n, shares_b)
    validation = images(3, n, shares_a), images(4, n, shares_b)
    return discovery, validation


def test_what_is_there_differs_rare_or_common_and_what_is_not_does_not():
    discovery, validation = the_sets([0.05, 0.0, 0.4, 0.1], [0.0, 0.05, 0.2, 0.1])
    answers = verify_texts(DIRECTIONS[:4], ["a", "b", "a", "b"], discovery, validation)
    assert [status for status, _ in answers[:3]] == [Status.DIFFERS] * 3
    assert answers[3][0] is not Status.DIFFERS
    rare = answers[0][1].evidence
    assert rare.prevalence_b < 0.01 < 0.02 < rare.prevalence_a < 0.08


def test_a_claim_for_the_wrong_side_is_refuted():
    discovery, validation = the_sets([0.3], [0.1])
    assert verify_texts(DIRECTIONS[:1], ["b"], discovery, validation)[0][0] is Status.REFUTED


def test_a_claim_is_held_to_the_difference_on_the_discovery_part():
    small, large = (images(1, 200, [share]) for share in (0.15, 0.9))
    other = images(2, 200, [0.15])
    validation = images(3, 200, [0.25]), images(4, 200, [0.15])
    answers = [verify_texts(DIRECTIONS[:1], ["a"], (own, other), validation, level=1e-9) for own in (small, large)]
    assert [status for ((status, _),) in answers] == [Status.WEAK, Status.REFUTED]


def test_random_texts_on_sets_that_do_not_differ_rarely_do():
    generator = np.random.default_rng(0)
    differ = 0
    for seed in range(40):
        discovery = images(4 * seed, 100, []), images(4 * seed + 1, 100, [])
        validation = images(4 * seed + 2, 100, []), images(4 * seed + 3, 100, [])
        vectors = generator.normal(size=(5, D)).astype(np.float32)
        answers = verify_texts(vectors, ["a", "b", "a", "b", "a"], discovery, validation)
        differ += any(status is Status.DIFFERS for status, _ in answers)
    assert differ <= 6


def test_the_evidence_is_fishers_test_above_the_fixed_threshold_corrected_over_all_hypotheses():
    discovery, validation = the_sets([0.1, 0.2, 0.0], [0.0, 0.1, 0.0], n=150)
    answers = verify_texts(DIRECTIONS[:3], ["a", "a", "b"], discovery, validation)
    centre = np.concatenate(discovery).mean(0, dtype=float)
    ps = []
    for direction, (_, answer) in zip(DIRECTIONS, answers, strict=False):
        counts = []
        for part in validation:
            around = part - centre
            cosine = around @ direction / np.linalg.norm(around, axis=1)
            counts.append(int((cosine > answer.threshold).sum()))
        assert (answer.evidence.count_a, answer.evidence.count_b) == tuple(counts)
        ps.append(fisher_exact([[counts[0], 150 - counts[0]], [counts[1], 150 - counts[1]]]).pvalue)
    assert [v.evidence.p_value for _, v in answers] == pytest.approx(ps)
    assert [v.evidence.q_value for _, v in answers] == pytest.approx(np.minimum(3 * np.array(ps), 1))  # Bonferroni


def test_exchanging_the_sets_flips_the_answers_to_the_last_bit():
    discovery, validation = the_sets([0.05, 0.0, 0.4, 0.1], [0.0, 0.05, 0.2, 0.1], n=200)
    one = verify_texts(DIRECTIONS[:4], ["a", "b", "a", "b"], discovery, validation)
    other = verify_texts(DIRECTIONS[:4], ["b", "a", "b", "a"], discovery[::-1], validation[::-1])
    for (here, v), (there, w) in zip(one, other, strict=True):
        assert (here, v.threshold) == (there, w.threshold)
        assert v.evidence.difference == -w.evidence.difference
        assert (v.evidence.p_value, v.evidence.q_value) == (w.evidence.p_value, w.evidence.q_value)


class Watched:
    """Rows that remember how many were asked for at once."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows, self.asked = rows, []

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: slice) -> np.ndarray:
        self.asked.append(len(self.rows[index]))
        return self.rows[index]


def test_views_of_sets_and_arrays_are_read_a_block_at_a_time_and_get_the_same_answers(monkeypatch):
    monkeypatch.setattr(store, "BLOCK", 64)
    parts = the_sets([0.05, 0.0, 0.4, 0.1], [0.0, 0.05, 0.2, 0.1], n=200)
    order = np.random.default_rng(0).permutation(400)[:200]
    views = [tuple(from_arrays(np.repeat(one, 2, axis=0)).select(order) for one in part) for part in parts]
    arrays = [tuple(view[:] for view in part) for part in views]
    watched = [tuple(Watched(one) for one in part) for part in arrays]
    answers = [verify_texts(DIRECTIONS[:4], ["a", "b", "a", "b"], *given) for given in (views, arrays, watched)]
    assert answers[0] == answers[1] == answers[2]
    assert [one.asked for part in watched for one in part] == [[64, 64, 64, 8] * 2] * 2 + [[64, 64, 64, 8]] * 2


@given(few_scores, few_scores)
def test_the_threshold_has_the_largest_g_of_all_on_the_claimed_side(own, other):
    own, other = np.array(own, float), np.array(other, float)
    pooled = np.concatenate([own, other])

    def g(threshold):
        x, y = int((own > threshold).sum()), int((other > threshold).sum())
        table = [[x, len(own) - x], [y, len(other) - y]]
        return chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic

    between = [t + 0.5 for t in range(8) if 3 <= (pooled > t + 0.5).sum() < len(pooled)]
    usable = [t for t in between if (own > t).mean() > (other > t).mean() and (other > t).mean() <= 0.5]
    chosen = separating_threshold(own, other)
    if usable:
        assert (own > chosen).mean() > (other > chosen).mean()
        assert g(chosen) == pytest.approx(max(map(g, usable)), abs=1e-9)


def test_a_rare_cluster_beats_a_broad_shift_of_the_crowd():
    generator = np.random.default_rng(0)
    own, other = generator.normal(0.1, 1, 1000), generator.normal(0, 1, 1000)
    own[:40] = generator.normal(6, 0.5, 40)
    assert separating_threshold(own, other) > 3


def test_what_only_the_other_side_lacks_a_few_times_is_no_threshold():
    """Three tenths of the other side show something else: nearly all images are nearer to any other word than these."""
    generator = np.random.default_rng(0)
    own, other = generator.normal(0, 1, 1000), generator.normal(0, 1, 1000)
    other[:300] = generator.normal(-8, 0.5, 300)
    chosen = separating_threshold(own, other)
    assert (other > chosen).mean() <= 0.5


def test_a_side_that_shows_nowhere_more_gets_the_threshold_of_the_top_five_percent():
    own, other = np.arange(100.0), np.arange(100.0) + 200
    assert (np.concatenate([own, other]) > separating_threshold(own, other)).mean() == pytest.approx(0.05)


def test_equal_scores_have_a_threshold_that_none_exceeds():
    assert separating_threshold(np.ones(5), np.ones(7)) == 1.0


def evidence(count_a: int, count_b: int, q: float, n: int = 200):
    one = np.ones(1)
    return gather_evidence(one.astype(int) * count_a, n, one.astype(int) * count_b, n, one * q / 10, one * q)[0]


@pytest.mark.parametrize(
    ("count_a", "count_b", "q", "claimed", "status"),
    [
        (40, 10, 0.001, 0.15, "differs"),
        (40, 38, 0.001, 0.50, "differs"),  # small, but sure: it is there
        (20, 12, 0.20, 0.05, "weak"),  # interval includes 0
        (20, 8, 0.06, 0.05, "weak"),  # interval excludes 0, but not after correction
        (20, 19, 0.90, 0.10, "refuted"),  # a twentieth of the claim
        (20, 20, 1.00, 0.10, "refuted"),
        (10, 40, 0.001, 0.15, "refuted"),
    ],
)
def test_the_status_follows_from_sign_size_and_q(count_a, count_b, q, claimed, status):
    assert verification_status(evidence(count_a, count_b, q), "a", claimed, 0.05) == status
    assert verification_status(evidence(count_b, count_a, q), "b", -claimed, 0.05) == status


def test_a_claim_much_larger_than_what_is_left_is_refuted():
    assert verification_status(evidence(20, 12, 0.2), "a", 0.5, 0.05) == "refuted"


def test_the_images_above_a_threshold_are_those_that_its_evidence_counts(monkeypatch):
    discovery, validation = the_sets([0.1, 0.2, 0.0], [0.0, 0.1, 0.0], n=150)
    answers = [of for _, of in verify_texts(DIRECTIONS[:3], ["a", "a", "b"], discovery, validation)]
    thresholds = np.array([one.threshold for one in answers])
    whole = [images_above(DIRECTIONS[:3], thresholds, discovery, part) for part in validation]
    for above_a, above_b, one in zip(*whole, answers, strict=True):
        assert (len(above_a), len(above_b)) == (one.evidence.count_a, one.evidence.count_b)
    monkeypatch.setattr(text_tests, "_COSINES_AT_ONCE", 200)  # a text at a time
    again = images_above(DIRECTIONS[:3], thresholds, discovery, validation[0])
    assert [one.tolist() for one in again] == [one.tolist() for one in whole[0]]


def test_nothing_to_verify_is_no_error_and_an_empty_part_is_one_line():
    discovery, validation = the_sets([], [], n=5)
    assert verify_texts(np.zeros((0, D)), [], discovery, validation) == []
    with pytest.raises(LatentDiffError, match="5 and 5 to find with, 0 and 5 to check with"):
        verify_texts(DIRECTIONS[:1], ["a"], discovery, (validation[0][:0], validation[1]))


def test_a_setting_out_of_range_is_named():
    with pytest.raises(LatentDiffError, match=r"verify.share must lie between 0 and 1; it is 1.0"):
        VerifySettings(share=1.0)
    with pytest.raises(LatentDiffError, match=r"verify.per_side must be at least 1; it is 0"):
        VerifySettings(per_side=0)
    with pytest.raises(LatentDiffError, match=r"verify.random_words must be at least 0; it is -1"):
        VerifySettings(random_words=-1)
    assert dataclasses.asdict(VerifySettings())["share"] == 0.5
