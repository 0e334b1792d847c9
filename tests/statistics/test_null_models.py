"""Null models of many images: where a fit starts from leaves no trace in what it says."""

from __future__ import annotations

import numpy as np
import pytest

from latentdiff.statistics import conditional
from latentdiff.statistics.conditional import Covariate, NullModel, NullModels, Shown


@pytest.fixture
def question() -> tuple[np.ndarray, list[Covariate], list[Shown]]:
    """60,000 images, two covariates, one of which separates a few of them, and things that some of them show."""
    draw = np.random.default_rng(0)
    n = 60_000
    score = draw.standard_normal(n).astype(np.float32)
    own = draw.random(n) < 1 / (1 + np.exp(-0.3 * score))
    own[score > 3] = True
    nothing = np.zeros((n, 0))
    rare = (own & (draw.random(n) < 0.005))[:, None]
    shown = [Shown.alike(np.flatnonzero(draw.random(n) < share)) for share in (0.5, 0.05, 0.002)]
    return own, [Covariate(score, nothing), Covariate(None, rare)], shown


def test_a_fit_from_a_part_of_the_images_and_one_from_nothing_say_the_same(monkeypatch, question):
    own, given, shown = question
    quick = NullModel(own, given).log_p(shown)
    monkeypatch.setattr(NullModel, "_converge", _from_nothing(NullModel._converge))
    np.testing.assert_allclose(quick, NullModel(own, given).log_p(shown), rtol=1e-7)


def test_a_fit_from_the_model_before_it_says_the_same(question):
    own, given, shown = question
    models = NullModels(own)
    models.given(given[:1])
    np.testing.assert_allclose(models.given(given).log_p(shown), NullModel(own, given).log_p(shown), rtol=1e-7)


def test_the_same_question_is_fitted_once(question):
    own, given, _ = question
    models = NullModels(own)
    assert models.given(given) is models.given(list(given))
    assert models.given(given[::-1]) is not models.given(given)


def _from_nothing(converge):
    def skip_the_part(self, stride, tolerance):
        if stride == 1:
            assert not self._beta.any()
            converge(self, stride, tolerance)

    assert conditional.MANY <= 60_000  # else no part is fitted first
    return skip_the_part
