from __future__ import annotations

import numpy as np

from latentdiff.proposers.density_ratio.retrieve import most_extreme


def unit(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_near_duplicates_are_shown_once():
    rows = np.random.default_rng(0).normal(size=(30, 8))
    rows[1:5] = rows[0] + 1e-3
    score = np.arange(30, 0, -1.0)
    chosen = most_extreme(score, unit(rows), np.zeros(8), 10)
    assert 0 in chosen
    assert not set(chosen) & {1, 2, 3, 4}


def test_another_subject_goes_before_one_more_of_the_same():
    dogs = np.array([1, 0, 0]) + np.random.default_rng(0).normal(0, 0.3, (8, 3))
    rows = unit(np.concatenate([dogs, [[0, 1, 0]], [[0, 0, 1]]]))
    score = np.concatenate([np.linspace(1, 0.9, 8), [0.8, 0.1]])  # the cat is a little less extreme, the tree is not
    chosen = most_extreme(score, rows, np.zeros(3), 3)
    assert 0 in chosen
    assert 8 in chosen
    assert 9 not in chosen


def test_the_most_extreme_comes_first_and_order_follows_the_scores():
    generator = np.random.default_rng(1)
    score = generator.normal(size=100)
    chosen = most_extreme(score, unit(generator.normal(size=(100, 16))), np.zeros(16), 10)
    assert len(chosen) == len(set(chosen)) == 10
    assert chosen[0] == score.argmax()
    assert (np.diff(score[chosen]) < 0).all()


def test_few_or_no_candidates_are_no_error():
    assert len(most_extreme(np.zeros(0), np.zeros((0, 4), np.float32), np.zeros(4), 10)) == 0
    assert most_extreme(np.zeros(1), unit([[1, 0]]), np.zeros(2), 10).tolist() == [0]
