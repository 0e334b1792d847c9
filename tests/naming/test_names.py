from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from latentdiff.errors import LatentDiffError
from latentdiff.naming.names import LatentName, make_namer
from latentdiff.naming.vectors import WordVectors
from latentdiff.naming.vocabulary import NamingSettings
from latentdiff.vectors import unit_rows

D = 24


def vocabulary(count: int = 400, seed: int = 0) -> WordVectors:
    words = [f"w{i}x" for i in range(count)]
    return WordVectors.from_arrays(words, np.random.default_rng(seed).normal(size=(count, D)))


def normal(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, D)).astype(np.float32)


def named(directions: np.ndarray, words: WordVectors, **options: Any) -> list[LatentName]:
    return make_namer(directions, words, NamingSettings(**options)).name(directions)


def test_the_words_are_the_nearest_ones_by_brute_force() -> None:
    words, directions = vocabulary(), normal(1500, 1)
    for direction, name in zip(directions, named(directions, words), strict=True):
        cosines = words.vectors @ (direction / np.linalg.norm(direction))
        assert name.words == tuple(words.words[i] for i in np.argsort(-cosines)[:5])
        np.testing.assert_allclose(name.cosines, np.sort(cosines)[::-1][:5], atol=1e-5)


def csls_twin(directions: np.ndarray, latents: np.ndarray, words: WordVectors) -> np.ndarray:
    """Cosines less half of the mean of the ten nearest, of the word among latents and of the direction among words."""
    hub_of_word = np.sort(unit_rows(latents) @ words.vectors.T, axis=0)[-10:].mean(0)
    cosines = unit_rows(directions) @ words.vectors.T
    return cosines - (hub_of_word + np.sort(cosines, axis=1)[:, -10:].mean(1)[:, None]) / 2


def test_csls_scores_follow_the_definition_by_brute_force() -> None:
    words, directions = vocabulary(), normal(1500, 1)
    names = named(directions, words, csls=True)
    for row, name in zip(csls_twin(directions, directions, words), names, strict=True):
        assert name.words == tuple(words.words[i] for i in np.argsort(-row)[:5])


@pytest.mark.parametrize("csls", [False, True])
def test_the_best_vector_is_that_of_the_first_word(csls: bool) -> None:
    words, latents, others = vocabulary(), normal(1500, 1), normal(1100, 2)
    namer = make_namer(latents, words, NamingSettings(csls=csls))
    position = {word: i for i, word in enumerate(words.words)}
    first = [position[name.words[0]] for name in namer.name(others)]
    np.testing.assert_array_equal(namer.best_vectors(others), words.vectors[first])
    np.testing.assert_array_equal(namer.best_vectors(3 * others), words.vectors[first])
    if csls:
        assert first == csls_twin(others, latents, words).argmax(1).tolist()
    assert namer.best_vectors(others[:0]).shape == (0, D)


def test_a_word_that_is_near_to_everything_is_damped_by_csls() -> None:
    base = normal(400, 3)
    directions = normal(500, 4) + 4 * np.eye(D, dtype=np.float32)[1]
    base[0] = 4 * np.eye(D)[1]
    words = WordVectors.from_arrays([f"w{i}x" for i in range(400)], base, centre=False)
    plain, damped = named(directions, words), named(directions, words, csls=True)
    wins = [sum(name.words[0] == "w0x" for name in names) for names in (plain, damped)]
    assert wins[0] > 300
    assert wins[1] < wins[0] / 2


def test_a_direction_that_is_a_word_is_named_by_it() -> None:
    words = vocabulary()
    (name,) = named(7.5 * words.vectors[3:4], words)
    assert name.words[0] == words.words[3]
    assert name.cosines[0] == pytest.approx(1, abs=1e-5)


def test_a_dead_direction_has_no_name() -> None:
    assert named(np.zeros((1, D)), vocabulary()) == [LatentName((), ())]


def test_plurals_and_spellings_of_one_word_are_listed_once() -> None:
    spelled = ["dog", "dogs", "Dog", "hot dog", "hotdogs", "cat", "cats", "bird", "fish", "cow", "pig"]
    vectors = np.eye(D, dtype=np.float32)[0] - 0.01 * np.arange(len(spelled))[:, None] * np.eye(D, dtype=np.float32)[1]
    words = WordVectors.from_arrays(spelled, vectors, centre=False)
    assert named(np.eye(D)[:1], words)[0].words == ("dog", "hot dog", "cat", "bird", "fish")


def test_fewer_words_than_asked_for_are_all_listed() -> None:
    assert len(named(normal(1, 1), vocabulary(3))[0].words) == 3
    assert len(named(normal(1, 1), vocabulary(), words_per_latent=2)[0].words) == 2


def test_widths_that_differ_are_one_clear_line() -> None:
    with pytest.raises(LatentDiffError, match="widths 23 and 24; both must come from one encoder"):
        make_namer(normal(2, 1)[:, :23], vocabulary(), NamingSettings())


@pytest.mark.parametrize("csls", [False, True])
def test_how_a_direction_is_called_hangs_on_no_other_direction(csls: bool) -> None:
    words, directions = vocabulary(), normal(1500, 1)
    namer = make_namer(directions, words, NamingSettings(csls=csls))
    assert [one.words for one in namer.name(5 * directions[1020:1040])] == [
        one.words for one in namer.name(directions)[1020:1040]
    ]
