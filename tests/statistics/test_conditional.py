from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from latentdiff.statistics import conditional
from latentdiff.statistics.conditional import FURTHER_KNOTS, KNOTS, RIDGE, Covariate, NullModel, Shown, z_of


def alike(*things: np.ndarray) -> list[Shown]:
    return [Shown.alike(images) for images in things]


def draw(seed: int, n: int = 400):
    """Sides that hang on a score and on a column, the two as what is given, and things that hang on the score."""
    rng = np.random.default_rng(seed)
    score = rng.normal(size=n).astype(np.float32)
    columns = rng.random((n, 2)) < 0.3
    own = rng.random(n) < 1 / (1 + np.exp(-(1.2 * np.maximum(score - 0.5, 0) + columns[:, 0] - 0.5)))
    shown = [np.flatnonzero(rng.random(n) < 1 / (1 + np.exp(2 - s * score))) for s in (0.0, 1.0, 3.0)]
    return own, Covariate(score, columns), [*shown, rng.permutation(n)[:12]]


def design_twin(n: int, given: list[Covariate]) -> np.ndarray:
    """Ones; of each score itself and what it exceeds each quantile by, standardised; its columns."""
    parts = [np.ones((n, 1))]
    for one in given:
        if one.score is not None:
            score = one.score.astype(float)
            z = stats.zscore(score)
            knots = (np.quantile(score, KNOTS) - score.mean()) / score.std()
            parts += [z[:, None], *(np.where(z > knot, z - knot, 0.0)[:, None] for knot in knots)]
        parts.append(np.asarray(one.columns, float))
    return np.hstack(parts)


def regression_twin(design: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Fitted probabilities of a logistic regression with the same ridge."""
    y = own.astype(float)

    def loss(beta):
        linear = design @ beta
        return np.logaddexp(0, linear).sum() - y @ linear + RIDGE / 2 * beta @ beta

    def slope(beta):
        return design.T @ (1 / (1 + np.exp(-design @ beta)) - y) + RIDGE * beta

    fitted = optimize.minimize(loss, np.zeros(design.shape[1]), jac=slope, method="BFGS", options={"gtol": 1e-7})
    return 1 / (1 + np.exp(-design @ fitted.x))


def score_test_twin(design: np.ndarray, own: np.ndarray, images: np.ndarray) -> float:
    """z of one thing given a design, by matrices of all images."""
    p = regression_twin(design, own)
    weight, x = np.diag(p * (1 - p)), np.isin(np.arange(len(own)), images).astype(float)
    information = design.T @ weight @ design + RIDGE * np.eye(design.shape[1])
    variance = x @ weight @ x - x @ weight @ design @ np.linalg.solve(information, design.T @ weight @ x)
    return float(x @ (own - p) / np.sqrt(variance))


@pytest.mark.parametrize("seed", range(3))
def test_the_null_model_is_a_logistic_regression_with_a_small_ridge(seed):
    own, covariate, _ = draw(seed)
    others = Covariate(None, np.random.default_rng(seed).normal(size=(len(own), 2)))
    for chosen in ([], [covariate], [covariate, others]):
        model = NullModel(own, chosen)
        expected = regression_twin(design_twin(len(own), chosen), own)
        np.testing.assert_allclose(model._probabilities(), expected, atol=2e-5)
        assert model.n == len(own)


@pytest.mark.parametrize("seed", range(3))
def test_things_are_tested_by_the_score_of_the_regression(seed):
    own, covariate, shown = draw(seed, n=1600)
    model = NullModel(own, [covariate])
    design = design_twin(len(own), [covariate])
    shown = [images for images in shown for images in (images, images[:40])]
    z = np.array([score_test_twin(design, own, images) for images in shown])
    more, fewer = model.log_p(alike(*shown))
    large = np.array([len(images) > 130 for images in shown])  # enough for the normal distribution
    assert large.sum() == 3
    np.testing.assert_allclose(more[large], stats.norm.logsf(z[large]), rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(fewer[large], stats.norm.logcdf(z[large]), rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(z_of(more), z, atol=0.4)  # counts of few images are discrete


def test_given_only_the_sizes_a_small_thing_is_hypergeometric_nearly():
    rng, n = np.random.default_rng(0), 4000
    for share in (0.5, 0.2):
        own = np.arange(n) < share * n
        for size, count in ((40, 25), (60, 8), (90, 60), (200, 120)):
            images = np.concatenate([rng.choice(np.flatnonzero(own), count, replace=False),
                                     rng.choice(np.flatnonzero(~own), size - count, replace=False)])  # fmt: skip
            more, fewer = NullModel(own).log_p(alike(images))
            null = stats.hypergeom(n, int(own.sum()), size)
            between = [
                (null.logsf(count - 1) + null.logsf(count)) / 2,
                (null.logcdf(count) + null.logcdf(count - 1)) / 2,
            ]
            np.testing.assert_allclose(
                [more[0], fewer[0]], between, rtol=0.15, atol=0.06
            )  # no correction of continuity


def test_given_a_stratum_a_small_thing_is_as_sure_as_permuting_inside_strata_says():
    rng, n = np.random.default_rng(1), 1000
    night = rng.random(n) < 0.4
    own = rng.random(n) < np.where(night, 0.8, 0.3)
    images = np.concatenate([rng.choice(np.flatnonzero(night), 15, replace=False),
                             rng.choice(np.flatnonzero(~night & own), 6, replace=False)])  # fmt: skip
    (more,), _ = NullModel(own, [Covariate(None, night[:, None])]).log_p(alike(images))
    counts = np.zeros(20_000)
    for part in (night, ~night):
        shown = int(part[images].sum())
        counts += rng.hypergeometric(int(own[part].sum()), int((~own[part]).sum()), shown, len(counts))
    assert np.exp(more) == pytest.approx(
        ((counts >= own[images].sum()).mean() + (counts > own[images].sum()).mean()) / 2, rel=0.3
    )
    (alone,), _ = NullModel(own).log_p(alike(images))
    assert alone < more - 1  # by itself it looks surer than it is


def test_blocks_of_rows_and_of_things_give_the_same_as_one(monkeypatch):
    own, covariate, shown = draw(0)
    things = [*shown, *shown[::-1], np.zeros(0, np.int64), np.arange(400)]
    whole = NullModel(own, [covariate, covariate]).log_p(alike(*things))
    monkeypatch.setattr(conditional, "_ROWS", 37)
    monkeypatch.setattr(conditional, "_ENTRIES", 50)
    np.testing.assert_allclose(
        NullModel(own, [covariate, covariate]).log_p(alike(*things)), whole, rtol=1e-6, atol=1e-9
    )


def test_no_things_have_no_p_values():
    own, covariate, _ = draw(0)
    assert [len(one) for one in NullModel(own, [covariate]).log_p(alike())] == [0, 0]


def test_a_thing_that_no_image_or_every_image_shows_says_nothing():
    own, covariate, _ = draw(0)
    for given_now in ([], [covariate]):
        more, fewer = NullModel(own, given_now).log_p(alike(np.zeros(0, np.int64), np.arange(len(own))))
        assert more.tolist() == fewer.tolist() == [0.0, 0.0]


def test_what_is_given_is_not_found_again():
    own, covariate, shown = draw(3, n=2000)
    alone = NullModel(own).log_p(alike(*shown))[0][2]
    assert alone < np.log(1e-6)
    given_score = NullModel(own, [covariate]).log_p(alike(*shown))[0][2]
    assert given_score > np.log(0.001)
    column = np.flatnonzero(covariate.columns[:, 0])
    assert NullModel(own).log_p(alike(column))[0][0] < np.log(1e-6)
    more, fewer = NullModel(own, [covariate]).log_p(alike(column))
    assert more[0] == fewer[0] == 0


def test_the_p_values_given_a_confounder_are_uniform_where_only_it_matters():
    p, alone = [], []
    for seed in range(300):
        own, covariate, shown = draw(seed)
        p.append(np.exp(NullModel(own, [covariate]).log_p(alike(*shown))[0][1]))
        alone.append(np.exp(NullModel(own).log_p(alike(*shown))[0][1]))
    for level in (0.05, 0.2):
        low, high = stats.binom.ppf([0.001, 0.999], 300, level)
        assert low <= (np.array(p) <= level).sum() <= high
        assert (np.array(alone) <= level).sum() > high


@pytest.mark.parametrize("as_score", [True, False])
def test_what_separates_the_sides_leaves_nothing_to_test_and_does_not_crash(as_score):
    own, _, shown = draw(0)
    wall = Covariate(own.astype(np.float32), np.zeros((len(own), 0))) if as_score else Covariate(None, own[:, None])
    with np.errstate(all="raise", under="ignore"):
        model = NullModel(own, [wall])
        p = model._probabilities()
        log_p = np.array(model.log_p(alike(*shown, np.flatnonzero(own)[:30])))
    assert np.isfinite(p).all() and (np.abs(own - p) < 0.02).all()
    assert np.isfinite(log_p).all() and (log_p > np.log(0.05)).all()


def test_columns_of_true_and_false_are_columns_of_ones_and_zeros():
    own, covariate, shown = draw(1)
    assert covariate.columns.dtype == bool
    numbers = Covariate(covariate.score, covariate.columns.astype(np.float64))
    for one, other in zip(*(NullModel(own, [c]).log_p(alike(*shown)) for c in (covariate, numbers)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_many_images_have_further_knots(monkeypatch):
    own, covariate, _ = draw(1)
    assert len(covariate.design().knots) == len(KNOTS)
    monkeypatch.setattr(conditional, "MANY", len(own))
    knots = covariate.design().knots
    z = stats.zscore(covariate.score.astype(float))
    np.testing.assert_allclose(knots, np.quantile(z, [*KNOTS, *FURTHER_KNOTS]), atol=1e-5)
    block = covariate.design().block(slice(3, 9))
    np.testing.assert_allclose(block[:, 0], z[3:9], atol=1e-5)
    np.testing.assert_allclose(block[:, 1:-2], np.maximum(z[3:9, None] - knots, 0), atol=1e-5)
    np.testing.assert_array_equal(block[:, -2:], covariate.columns[3:9])


def test_a_score_that_is_the_same_everywhere_says_nothing():
    own, _, shown = draw(1)
    same = Covariate(np.full(len(own), 0.25, np.float32), np.zeros((len(own), 0)))
    np.testing.assert_allclose(
        NullModel(own, [same]).log_p(alike(*shown)), NullModel(own).log_p(alike(*shown)), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("seed", range(3))
def test_exchanging_the_sides_exchanges_the_answers(seed):
    own, covariate, shown = draw(seed)
    more, fewer = NullModel(own, [covariate]).log_p(alike(*shown))
    np.testing.assert_allclose(NullModel(~own, [covariate]).log_p(alike(*shown)), (fewer, more), rtol=1e-4, atol=1e-6)


def test_of_a_rare_side_a_few_images_can_be_sure():
    """The variance of a count is small where a side is rare: that alone does not say that nothing can be told."""
    own = np.arange(20_000) < 100
    for given_now in ([], [Covariate(np.random.default_rng(0).normal(size=20_000).astype(np.float32),
                                     np.zeros((20_000, 0)))]):  # fmt: skip
        (more,), _ = NullModel(own, given_now).log_p(alike(np.arange(5)))
        assert stats.hypergeom.logsf(4, 20_000, 100, 5) < more < np.log(1e-4)


def test_z_is_one_sided_and_finite():
    np.testing.assert_allclose(z_of(np.log([0.5, 0.05, 1e-200])), stats.norm.isf([0.5, 0.05, 1e-200]), rtol=1e-6)
    assert np.isfinite(z_of(np.array([0.0, -1e5]))).all()
