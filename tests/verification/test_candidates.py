from __future__ import annotations

import math

import numpy as np
import pytest
import word_space

from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import SIDES, Hypothesis, Part
from latentdiff.naming.fidelity import EXEMPLARS
from latentdiff.pipeline import CompareSettings
from latentdiff.proposers.sae_latents import propose
from latentdiff.verification import VerifySettings, hold_out
from latentdiff.verification.candidates import (
    known_covariates,
    latent_candidate,
    metadata_covariate,
    places_above,
    text_candidates,
)
from latentdiff.verification.text_tests import verify_texts


@pytest.fixture(scope="module")
def workspace():
    a, b = word_space.planted()
    return word_space.workspace_with_latents(a, b)


def rows_in_order(workspace) -> np.ndarray:
    """Unit embeddings around the centre of the images of both sets, in the pooled order."""
    rows = np.concatenate([workspace.contrast.sets[side].rows(slice(None)) for side in SIDES]).astype(float)
    around = rows - rows.mean(0)
    return workspace.contrast.pooled.reorder(around / np.linalg.norm(around, axis=1, keepdims=True))


def test_a_latent_stands_for_the_images_that_fire_it_hardest_and_what_lies_near_its_exemplars(workspace):
    proposal = propose(workspace.contrast, workspace, CompareSettings())
    pooled, unit = workspace.contrast.pooled, rows_in_order(workspace)
    strength = unit @ word_space.directions().T  # nearly the activation: the same order is not asked for
    for hypothesis in proposal.hypotheses[:3]:
        found = latent_candidate(hypothesis, workspace)
        images = workspace.latent_lists.first(hypothesis.latent, len(pooled))
        assert found.first == (hypothesis.side == pooled.first)
        np.testing.assert_array_equal(found.shown.images, images)
        np.testing.assert_allclose(
            found.shown.amounts, workspace.latent_lists.weights(hypothesis.latent, hypothesis.power)
        )
        assert found.log_p == pytest.approx(math.log(hypothesis.evidence.p_value))
        assert found.level == pytest.approx(math.log(hypothesis.cut))
        covariate = found.covariate()
        assert np.flatnonzero(covariate.columns[:, 0]).tolist() == sorted(images.tolist())
        hardest = workspace.latent_lists.first(hypothesis.latent, EXEMPLARS)
        direction = unit[hardest].mean(0)
        np.testing.assert_allclose(covariate.score, unit @ direction / np.linalg.norm(direction), atol=1e-5)
        inside = np.isin(np.arange(len(pooled)), images)
        assert strength[inside, hypothesis.latent].mean() > strength[~inside, hypothesis.latent].mean()
        assert found.covariate() is covariate  # made once


def test_a_text_is_tested_by_images_held_back_and_stands_for_those_of_both_parts(workspace):
    split = hold_out(workspace.contrast, VerifySettings())
    parts = [(one.groups["a"], one.groups["b"]) for one in (split.discovery, split.validation)]
    hypotheses = [Hypothesis("a", "toy", ("kite",), True, 1.0, part=Part.DISCOVERY),
                  Hypothesis("b", "toy", ("tie", "wordaa"), True, 1.0, part=Part.DISCOVERY)]  # fmt: skip
    vectors = workspace.words.vectors[:2]
    tested = [(one, of) for one, (_, of) in
              zip(hypotheses, verify_texts(vectors, ["a", "b"], *parts), strict=True)]  # fmt: skip
    found = text_candidates(tested, workspace, split, [-3.0, -5.0])
    pooled = workspace.contrast.pooled
    held = np.zeros(len(pooled), bool)
    for side in SIDES:
        held[pooled.place[side][split.validation.rows[side]]] = True
    for (hypothesis, of), one, level in zip(tested, found, (-3.0, -5.0), strict=True):
        assert one.level == level and one.log_p == pytest.approx(math.log(of.evidence.p_value))
        assert one.first == (hypothesis.side == pooled.first)
        assert held[one.shown.images].all()
        counts = {side: int(np.isin(one.shown.images, pooled.place[side]).sum()) for side in SIDES}
        assert counts == {"a": of.evidence.count_a, "b": of.evidence.count_b}
        all_of_them = np.flatnonzero(one.covariate().columns[:, 0])
        assert set(all_of_them[held[all_of_them]]) == set(one.shown.images.tolist())
        assert len(all_of_them) > len(one.shown.images)
    np.testing.assert_allclose(found[0].covariate().score, rows_in_order(workspace) @ vectors[0], atol=1e-5)


def test_places_are_those_of_the_images_that_lie_nearer_than_the_threshold(workspace):
    split = hold_out(workspace.contrast, VerifySettings())
    vectors, contrast = workspace.words.vectors[:3], workspace.contrast
    rows = {side: contrast.sets[side].rows(slice(None)).astype(float) for side in SIDES}
    centre = np.concatenate([rows[side][split.discovery.rows[side]] for side in SIDES]).mean(0)
    for among in (split.validation, contrast):
        found = places_above(vectors, np.array([0.1, 0.3, 0.99]), split, among, contrast)
        assert len(found[2]) == 0
        for vector, at, places in zip(vectors, (0.1, 0.3, 0.99), found, strict=True):
            expected = []
            for side in SIDES:
                around = rows[side] - centre
                near = around @ vector / np.linalg.norm(around, axis=1) > at
                expected += contrast.pooled.place[side][np.intersect1d(np.flatnonzero(near), among.rows[side])].tolist()
            assert sorted(places.tolist()) == sorted(expected)


def test_what_the_user_knows_is_how_near_images_lie_to_it(workspace):
    known = known_covariates(["kite", "a kite wordaa"], workspace)
    np.testing.assert_allclose(known[0].score, rows_in_order(workspace) @ workspace.words.vectors[0], atol=1e-5)
    assert known[1].columns.shape == (len(workspace.contrast.pooled), 0)
    assert np.corrcoef(known[0].score, known[1].score)[0, 1] > 0.3  # a phrase that is not in the vocabulary
    assert known_covariates([], workspace) == []


def test_a_column_of_metadata_is_given_in_the_pooled_order():
    nights = {"a": ["night"] * 30 + ["day"] * 70, "b": ["day"] * 60 + ["night"] * 20}
    a, b = (word_space.showing([()] * len(nights[side]), 1 + (side == "b"), time=nights[side]) for side in SIDES)
    contrast = word_space.workspace(a, b).contrast
    found = metadata_covariate("time", contrast)
    assert found.score is None and found.columns.shape == (180, 1)
    is_night = contrast.pooled.gather({side: np.array(nights[side]) == "night" for side in SIDES})
    np.testing.assert_array_equal(found.columns[:, 0], is_night)
    with pytest.raises(LatentDiffError, match="did you mean 'time'"):
        metadata_covariate("tiem", contrast)
