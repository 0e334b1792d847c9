from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latentdiff.proposers.pooled_activations import pool
from latentdiff.proposers.sae_latents.divergence import DIVERGENCES, hurdle, plain

calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def entropy(shares):
    return -sum(s * math.log2(s) for s in shares if s > 0)


def jsd(p, q):
    return entropy([(x + y) / 2 for x, y in zip(p, q, strict=True)]) - (entropy(p) + entropy(q)) / 2


def bins_of(values, most):
    """Bin of each value and number of bins, as Freedman and Diaconis have it."""
    if len(values) == 0:
        return [], 1
    low, high = min(values), max(values)
    width = 2 * float(np.quantile(values, 0.75) - np.quantile(values, 0.25)) / float(np.cbrt(len(values)))
    if width == 0 or high == low:
        return [0] * len(values), 1
    number = min(most, math.ceil((high - low) / width))
    return [min(number - 1, math.floor((v - low) / (high - low) * number)) for v in values], number


def hurdle_twin(a, b):
    """JSD of the whole distributions, silence as one more cell, without the chain rule; and its cells."""
    fired = [float(v) for v in [*a, *b] if v > 0]
    bins, number = bins_of(fired, 64)
    fired_a = sum(v > 0 for v in a)
    shares = []
    for values, part in ((a, bins[:fired_a]), (b, bins[fired_a:])):
        cells = [sum(v == 0 for v in values)] + [part.count(k) for k in range(number)]
        shares.append([c / len(values) for c in cells])
    occupied = sum(p + q > 0 for p, q in zip(*shares, strict=True))
    divergence = jsd(*shares)
    return divergence, max(0.0, divergence - (occupied - 1) / (8 * math.log(2)) * (1 / len(a) + 1 / len(b)))


levels = st.one_of(st.just(0.0), st.just(0.0), st.sampled_from([0.5, 1.0, 2.0]), st.floats(0.125, 8, width=32))


@st.composite
def two_sets(draw):
    latents = draw(st.integers(1, 4))
    row = st.lists(levels, min_size=latents, max_size=latents)
    return tuple(np.array(draw(st.lists(row, min_size=1, max_size=30)), dtype=np.float32) for _ in "ab")


@settings(calm, max_examples=30)
@given(two_sets())
def test_the_hurdle_divergence_is_that_of_the_whole_distributions(make, sets):
    a, b = sets
    found = hurdle(pool(make.statistics(a), make.statistics(b)))
    for j in range(a.shape[1]):
        expected, corrected = hurdle_twin(a[:, j], b[:, j])
        assert found.jsd[j] == pytest.approx(expected, abs=1e-12)
        assert found.corrected[j] == pytest.approx(corrected, abs=1e-12)
        share_a, share_b = np.mean(a[:, j] > 0), np.mean(b[:, j] > 0)
        assert found.presence[j] == pytest.approx(jsd((share_a, 1 - share_a), (share_b, 1 - share_b)), abs=1e-12)
        assert found.presence[j] + found.strength[j] == pytest.approx(found.jsd[j], abs=1e-15)


def test_bins_are_those_of_numpy_on_larger_sets(make):
    rng = np.random.default_rng(1)
    a, b = make.sparse_set(rng, 700, np.array([0.3])), make.sparse_set(rng, 500, np.array([0.4])) * 1.3
    fired = np.concatenate([a[a > 0], b[b > 0]]).astype(float)
    edges = np.histogram_bin_edges(fired, bins="fd")
    p, q = (np.append(np.histogram(x[x > 0], edges)[0], np.sum(x == 0)) / len(x) for x in (a, b))
    assert len(edges) > 10
    assert hurdle(pool(make.statistics(a), make.statistics(b))).jsd[0] == pytest.approx(jsd(p, q), abs=1e-12)


@settings(calm, max_examples=30)
@given(two_sets())
def test_the_plain_divergence_is_that_of_freedman_and_diaconis_bins_over_all_values(make, sets):
    a, b = sets
    found = plain(pool(make.statistics(a), make.statistics(b))).jsd
    for j in range(a.shape[1]):
        bins, number = bins_of([float(v) for v in (*a[:, j], *b[:, j])], 1024)
        p, q = ([part.count(k) / len(part) for k in range(number)] for part in (bins[: len(a)], bins[len(a) :]))
        assert found[j] == pytest.approx(jsd(p, q), abs=1e-12)


@pytest.mark.parametrize("name", DIVERGENCES)
@settings(calm, max_examples=30)
@given(sets=two_sets())
def test_divergences_lie_between_0_and_1_and_are_the_same_from_both_sides_to_the_last_bit(make, name, sets):
    a, b = map(make.statistics, sets)
    one, other = DIVERGENCES[name](pool(a, b)), DIVERGENCES[name](pool(b, a))
    for field, value in vars(one).items():
        if value is not None:
            assert np.all((value >= 0) & (value <= 1))
            np.testing.assert_array_equal(value, getattr(other, field))


def test_sets_that_share_nothing_are_one_bit_apart_and_equal_sets_none(make):
    always, never = make.statistics(np.ones((50, 1))), make.statistics(np.zeros((50, 1)))
    assert hurdle(pool(always, never)).jsd[0] == pytest.approx(1.0)
    assert hurdle(pool(always, always)).jsd[0] == 0
    assert hurdle(pool(never, never)).jsd[0] == 0
    weak, strong = make.statistics(np.linspace(1, 2, 50)[:, None]), make.statistics(np.linspace(5, 6, 50)[:, None])
    found = hurdle(pool(weak, strong))
    assert (found.presence[0], found.strength[0]) == (0, pytest.approx(1.0))


def test_a_rare_latent_is_seen_by_the_hurdle_and_lost_in_one_bin_by_the_plain_one(make):
    rng = np.random.default_rng(0)
    a, b = (make.statistics(make.sparse_set(rng, 1000, np.array([p]))) for p in (0.08, 0.01))
    assert hurdle(pool(a, b)).corrected[0] > 0.01
    assert plain(pool(a, b)).jsd[0] == 0


def test_the_correction_is_what_chance_adds_on_average(make):
    rng = np.random.default_rng(0)
    sets = (np.where(rng.random((n, 800)) < 0.3, rng.uniform(1, 2, (n, 800)), 0) for n in (800, 400))
    found = hurdle(pool(*map(make.statistics, sets)))
    inflation = (found.jsd - found.corrected)[found.corrected > 0].mean()  # what was taken off, where there was enough
    assert found.jsd.mean() == pytest.approx(inflation, rel=0.05)
