from __future__ import annotations

import logging

import numpy as np
import pytest
from scipy.optimize import minimize

from latentdiff.errors import LatentDiffError
from latentdiff.proposers.density_ratio.classifiers import MODULES, fit_classifiers
from latentdiff.proposers.density_ratio.settings import CLASSIFIER_KINDS, DensitySettings


def labelled(seed=0, n=120, d=5):
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=(n, d)).astype(np.float32)
    in_a = generator.random(n) < 1 / (1 + np.exp(-rows[:, 0]))
    in_b = ~in_a
    in_b[:10] = in_a[:10] = True  # images that both sides have
    return rows, in_a, in_b


def test_each_of_many_classifiers_finds_the_minimum_that_scipy_finds_for_it_alone():
    rows, in_a, in_b = labelled()
    generator = np.random.default_rng(1)
    trains = generator.random((len(rows), 3)) < 0.7
    decays = np.array([0.01, 0.1, 1.0])
    logits = fit_classifiers(rows, in_a, in_b, trains, decays, DensitySettings(iterations=200))
    for i, decay in enumerate(decays):
        x, a, b = rows[trains[:, i]], in_a[trains[:, i]], in_b[trains[:, i]]

        def loss(w, x=x, a=a, b=b, decay=decay):
            f = x @ w[:-1] + w[-1]
            total = (a * np.logaddexp(0, -f) + b * np.logaddexp(0, f)).sum() / (a.sum() + b.sum())
            return total + decay / 2 * (w[:-1] ** 2).sum()

        best = minimize(loss, np.zeros(rows.shape[1] + 1), tol=1e-10).x
        np.testing.assert_allclose(logits[:, i], rows @ best[:-1] + best[-1], atol=1e-2)


@pytest.mark.parametrize("head", ["linear", "hidden"])
def test_exchanging_the_sides_negates_every_logit_to_the_last_bit(head):
    rows, in_a, in_b = labelled()
    settings = DensitySettings(head=head, iterations=20)
    fit = lambda x, y: fit_classifiers(rows, x, y, np.ones((len(rows), 2), bool), np.array([0.01, 0.1]), settings)  # noqa: E731
    np.testing.assert_array_equal(fit(in_a, in_b), -fit(in_b, in_a))


def test_a_hidden_layer_tells_apart_what_no_line_can():
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(400, 4)).astype(np.float32)
    in_a = rows[:, 0] * rows[:, 1] > 0
    agree = {}
    for head in ("linear", "hidden"):
        settings = DensitySettings(head=head, iterations=200)
        logits = fit_classifiers(rows, in_a, ~in_a, np.ones((400, 1), bool), np.array([1e-5]), settings)[:, 0]
        agree[head] = ((logits > 0) == in_a).mean()
    assert agree["linear"] < 0.65
    assert agree["hidden"] > 0.9


def test_training_reports_progress_and_says_nothing_else(capfd, caplog):
    rows, in_a, in_b = labelled()
    seen = []
    with caplog.at_level(logging.INFO):
        fit_classifiers(
            rows, in_a, in_b, np.ones((len(rows), 1), bool), np.array([0.1]), DensitySettings(),
            lambda *step: seen.append(step),
        )  # fmt: skip
    assert seen[0] == ("density ratio", 1, 60)
    assert all(done <= total for _, done, total in seen)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_every_kind_that_can_be_set_has_a_module():
    assert tuple(MODULES) == CLASSIFIER_KINDS


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"head": "lineal"}, "did you mean 'linear'"),
        ({"folds": 2}, "density.folds must be at least 3; it is 2"),
        ({"top": 0.0}, "density.top must lie between 0 and 0.5; it is 0.0"),
        ({"level": 1.0}, "density.level"),
        ({"weight_decays": (0.1, -1.0)}, "density.weight_decays"),
    ],
)
def test_a_setting_out_of_range_is_named_with_its_value(setting, says):
    with pytest.raises(LatentDiffError, match=says):
        DensitySettings(**setting)
