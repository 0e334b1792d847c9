from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import word_space

from latentdiff.embeddings import mean_of
from latentdiff.hypotheses import SIDES
from latentdiff.naming import WordVectors
from latentdiff.proposers import Workspace
from latentdiff.statistics.conditional import NullModel
from latentdiff.verification import VerifySettings, controls, hold_out
from latentdiff.verification.shift import measure_shift
from latentdiff.verification.text_tests import verify_texts


def asked(workspace: Workspace, given=(), count: int = 500, level: float = 0.05, seed: int = 0):
    split = hold_out(workspace.contrast, VerifySettings())
    model = NullModel(workspace.contrast.pooled.own, given)
    return controls.test_random_words(workspace, split, model, count, level, seed)


def with_many_words(workspace: Workspace, count: int = 400) -> Workspace:
    """Words that mean nothing."""
    rows = np.random.default_rng(3).normal(size=(count, word_space.WIDTH))
    return replace(workspace, words=WordVectors.from_arrays([f"w{i}x" for i in range(count)], rows))


def pair(by: float, n: int = 400, seed: int = 1) -> Workspace:
    sets = word_space.showing([()] * n, seed, "kite", by), word_space.showing([()] * n, seed + 1)
    return with_many_words(word_space.workspace(*sets))


def test_random_words_pass_about_as_often_as_the_level_where_nothing_differs():
    found = [asked(pair(0.0, seed=seed)).summary for seed in range(0, 20, 2)]
    assert np.mean([one.alone for one in found]) <= 0.05
    assert np.mean([one.given for one in found]) <= 0.06
    assert all(one.words == 400 for one in found)


def test_with_a_broad_shift_many_pass_alone_and_few_given_it():
    workspace = pair(0.45)
    shift = measure_shift(workspace.contrast)
    assert shift.summary.is_broad and not shift.summary.separates
    alone, given = asked(workspace), asked(workspace, [shift.covariate()])
    assert alone.summary.alone == given.summary.alone > 0.3
    assert given.summary.given < 0.6 * given.summary.alone
    assert alone.summary.given > 0.3
    assert alone.bar < given.bar  # what confirms something must be surer where words pass by themselves


def test_they_are_tested_as_texts_are_on_their_likelier_side():
    workspace = pair(0.3)
    split = hold_out(workspace.contrast, VerifySettings())
    discovery, validation = ((part.groups["a"], part.groups["b"]) for part in (split.discovery, split.validation))
    vectors = workspace.words.vectors
    sides = ["a" if v @ (mean_of(discovery[0]) - mean_of(discovery[1])) > 0 else "b" for v in vectors]
    passes = [
        of.evidence.p_value <= 0.05 and (of.evidence.difference > 0) == (side == "a")
        for side, (_, of) in zip(sides, verify_texts(vectors, sides, discovery, validation), strict=True)
    ]
    assert asked(workspace).summary.alone == pytest.approx(np.mean(passes))


def test_exchanging_the_sets_changes_nothing():
    workspace = pair(0.3)
    a, b = (workspace.contrast.sets[side] for side in SIDES)
    turned = replace(workspace, contrast=word_space.workspace(b, a).contrast)
    assert asked(workspace) == asked(turned)


def test_fewer_words_are_drawn_where_there_are_many_images(monkeypatch):
    workspace = pair(0.0, n=100)
    assert asked(workspace, count=300).summary.words == 300
    assert asked(workspace, count=30).summary.words == 30
    monkeypatch.setattr(controls, "AT_MOST", 50)
    assert asked(workspace, count=300).summary.words == 75
    monkeypatch.setattr(controls, "AT_MOST", 1)
    assert asked(workspace, count=300).summary.words == controls.FEWEST
    assert asked(workspace, count=30).summary.words == 30


def test_the_seed_draws_the_words():
    workspace = pair(0.3, n=100)
    one, again, other = (asked(workspace, count=60, seed=seed) for seed in (0, 0, 1))
    assert one == again != other


def test_without_words_or_images_held_back_there_are_none():
    workspace = pair(0.0, n=60)
    assert asked(workspace, count=0) is None
    nothing_held = hold_out(workspace.contrast, VerifySettings(enabled=False))
    assert controls.test_random_words(workspace, nothing_held, (), 50, 0.05, 0) is None
