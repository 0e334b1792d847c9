from __future__ import annotations

import numpy as np
import pytest

from latentdiff.errors import LatentDiffError
from latentdiff.naming.names import _random_directions, name_directions, name_latents, naming_margins
from latentdiff.naming.vectors import WordVectors
from latentdiff.naming.vocabulary import NamingSettings
from latentdiff.vectors import unit_rows

D = 24


def vocabulary(count: int = 400, seed: int = 0) -> WordVectors:
    words = [f"w{i}x" for i in range(count)]
    return WordVectors.from_arrays(words, np.random.default_rng(seed).normal(size=(count, D)))


def normal(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, D)).astype(np.float32)


def test_the_words_are_the_nearest_ones_by_brute_force() -> None:
    words, directions = vocabulary(), normal(1500, 1)
    names = name_directions(directions, words, normal(300, 2), NamingSettings())
    for direction, name in zip(directions, names, strict=True):
        cosines = words.vectors @ (direction / np.linalg.norm(direction))
        assert name.words == tuple(words.words[i] for i in np.argsort(-cosines)[:5])
        np.testing.assert_allclose(name.cosines, np.sort(cosines)[::-1][:5], atol=1e-5)


def test_csls_scores_follow_the_definition_by_brute_force() -> None:
    words, directions = vocabulary(), normal(1500, 1)
    names = name_directions(directions, words, normal(300, 2), NamingSettings(csls=True))
    cosines = unit_rows(directions) @ words.vectors.T
    hub_of_word = np.sort(cosines, axis=0)[-10:].mean(0)
    hub_of_latent = np.sort(cosines, axis=1)[:, -10:].mean(1)
    scores = cosines - (hub_of_word + hub_of_latent[:, None]) / 2
    random = _random_directions(normal(300, 2), seed=0) @ words.vectors.T
    random -= (hub_of_word + np.sort(random, axis=1)[:, -10:].mean(1)[:, None]) / 2
    bar = np.quantile(random.max(1), 0.95)
    for row, name in zip(scores, names, strict=True):
        assert name.words == tuple(words.words[i] for i in np.argsort(-row)[:5])
        assert name.found == (row.max() > bar)


@pytest.mark.parametrize("csls", [False, True])
def test_margins_are_best_scores_above_the_bar_and_positive_where_a_name_is_found(csls: bool) -> None:
    words, directions, sample = vocabulary(), normal(1500, 1), normal(300, 2)
    directions[7] = 0
    directions[8:90] = words.vectors[8:90] + 0.1 * normal(82, 5)  # some that do have a name
    margins = naming_margins(directions, words, sample, NamingSettings(csls=csls))
    names = name_directions(directions, words, sample, NamingSettings(csls=csls))
    assert [bool(margin > 0) for margin in margins] == [name.found for name in names]
    assert 80 < (margins > 0).sum() < 500
    assert margins[7] == -np.inf
    if not csls:
        random = (_random_directions(sample, seed=0) @ words.vectors.T).max(1)
        best = (unit_rows(directions) @ words.vectors.T).max(1)
        np.testing.assert_allclose(np.delete(margins - best, 7), -np.quantile(random, 0.95), atol=1e-5)


def test_a_word_that_is_near_to_everything_is_damped_by_csls() -> None:
    base = normal(400, 3)
    directions = normal(500, 4) + 4 * np.eye(D, dtype=np.float32)[1]
    base[0] = 4 * np.eye(D)[1]
    words = WordVectors.from_arrays([f"w{i}x" for i in range(400)], base, centre=False)
    plain = name_directions(directions, words, normal(300, 2), NamingSettings())
    damped = name_directions(directions, words, normal(300, 2), NamingSettings(csls=True))
    wins = [sum(name.words[0] == "w0x" for name in names) for names in (plain, damped)]
    assert wins[0] > 300
    assert wins[1] < wins[0] / 2


def test_a_name_is_found_in_one_of_twenty_random_directions() -> None:
    mixing = normal(D, 9)  # a covariance far from round
    sample = normal(3000, 6) @ mixing + 30  # and a centre far from the origin
    names = name_directions(normal(4000, 5) @ mixing, vocabulary(), sample, NamingSettings())
    assert 0.03 < np.mean([name.found for name in names]) < 0.07


def test_a_direction_that_is_a_word_is_found_and_named_by_it() -> None:
    words = vocabulary()
    name = name_directions(7.5 * words.vectors[3:4], words, normal(500, 6), NamingSettings())[0]
    assert name.found
    assert name.words[0] == words.words[3]
    assert name.cosines[0] == pytest.approx(1, abs=1e-5)


def test_a_dead_direction_has_no_name() -> None:
    name = name_directions(np.zeros((1, D)), vocabulary(), normal(100, 6), NamingSettings())[0]
    assert (name.words, name.cosines, name.found) == ((), (), False)


def test_plurals_and_spellings_of_one_word_are_listed_once() -> None:
    spelled = ["dog", "dogs", "Dog", "hot dog", "hotdogs", "cat", "cats", "bird", "fish", "cow", "pig"]
    vectors = np.eye(D, dtype=np.float32)[0] - 0.01 * np.arange(len(spelled))[:, None] * np.eye(D, dtype=np.float32)[1]
    words = WordVectors.from_arrays(spelled, vectors, centre=False)
    name = name_directions(np.eye(D)[:1], words, normal(100, 6), NamingSettings())[0]
    assert name.words == ("dog", "hot dog", "cat", "bird", "fish")


def test_the_order_of_the_sample_does_not_matter() -> None:
    words, directions, sample = vocabulary(), normal(800, 1), normal(400, 2)
    forward = name_directions(directions, words, sample, NamingSettings())
    backward = name_directions(directions, words, np.concatenate([sample[200:], sample[:200]]), NamingSettings())
    assert forward == backward


def test_fewer_words_than_asked_for_are_all_listed() -> None:
    name = name_directions(normal(1, 1), vocabulary(3), normal(50, 2), NamingSettings())[0]
    assert len(name.words) == 3


def test_widths_that_differ_are_one_clear_line() -> None:
    with pytest.raises(LatentDiffError, match="24, 23 and 24"):
        name_directions(normal(2, 1), vocabulary(), normal(50, 2)[:, :23], NamingSettings())


def test_further_directions_are_named_by_the_same_measure_as_the_latents() -> None:
    words, directions, sample = vocabulary(), normal(600, 1), normal(300, 2)
    for settings in (NamingSettings(), NamingSettings(csls=True, words_per_latent=3)):
        names, namer = name_latents(directions, words, sample, settings)
        assert names == name_directions(directions, words, sample, settings)
        again = namer.name(5 * directions[20:40])
        assert [(name.words, name.found) for name in again] == [(name.words, name.found) for name in names[20:40]]
