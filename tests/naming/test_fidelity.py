from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from latentdiff.naming import Fidelity, NamingSettings, WordVectors, make_namer, naming_fidelity
from latentdiff.naming.fidelity import FEWEST, QUANTILE, RANDOM_WORDS, _ranks
from latentdiff.naming.names import Namer
from latentdiff.vectors import unit_rows

D = 32


def named_by_halves(exemplars: list[np.ndarray], others: np.ndarray, namer: Namer) -> Fidelity:
    """The fidelity of names by the mean of every second exemplar."""
    width = others.shape[1]
    halves = [
        np.stack([rows[half::2].mean(0) if len(rows) > half else np.zeros(width) for rows in exemplars] or [others[0]])
        for half in (0, 1)
    ]
    return naming_fidelity((halves[0], halves[1]), exemplars, others, namer)


@pytest.fixture(scope="module")
def namer() -> Namer:
    words = [f"w{i}x" for i in range(700)]
    vectors = WordVectors.from_arrays(words, np.random.default_rng(0).normal(size=(700, D)))
    return make_namer(np.eye(D), vectors, NamingSettings())


def background(count: int = 1500, seed: int = 1) -> np.ndarray:
    return unit_rows(np.random.default_rng(seed).normal(size=(count, D)))


def showing(namer: Namer, word: int, count: int, strength: float, seed: int) -> np.ndarray:
    """Images that show a word, in other ways alike the background."""
    noise = np.random.default_rng(seed).normal(size=(count, D)) / D**0.5
    return unit_rows(noise + strength * namer.words.vectors[word])


def fidelity_twin(rows: np.ndarray, others: np.ndarray, namer: Namer) -> tuple[float, float]:
    """Half of the images choose a word, the other half is asked, by scipy's areas; then the other way round."""
    vectors = namer.words.vectors
    random = vectors[np.random.default_rng(0).permutation(len(vectors))[:RANDOM_WORDS]]

    def area(asked: np.ndarray, vector: np.ndarray) -> float:
        return stats.mannwhitneyu(asked @ vector, others @ vector).statistic / (len(asked) * len(others))

    areas, bars = [], []
    for chooses, asked in ((rows[::2], rows[1::2]), (rows[1::2], rows[::2])):
        best = vectors[(vectors @ chooses.mean(0)).argmax()]
        areas.append(area(asked, best))
        bars.append(np.quantile([area(asked, vector) for vector in random], QUANTILE))
    return float(np.mean(areas)), float(np.mean(bars))


def test_fidelity_is_the_area_of_the_word_that_the_other_half_chooses_and_the_bar_that_of_random_words(namer):
    others = background(300)
    exemplars = [background(20, 5), showing(namer, 3, 20, 0.3, 6), showing(namer, 9, 7, 0.5, 7)]
    found = named_by_halves(exemplars, others, namer)
    expected = np.array([fidelity_twin(rows, others, namer) for rows in exemplars])
    np.testing.assert_allclose(found.auroc, expected[:, 0], atol=1e-6)
    np.testing.assert_allclose(found.bar, expected[:, 1], atol=1e-6)
    np.testing.assert_array_equal(found.holds, expected[:, 0] > expected[:, 1])


def test_a_name_of_what_the_images_show_holds(namer):
    exemplars = [showing(namer, word, 20, 0.6, word) for word in range(40)]
    found = named_by_halves(exemplars, background(), namer)
    assert found.holds.all() and (found.auroc > 0.9).all()


def test_names_of_random_images_hold_about_as_often_as_the_level_at_most(namer):
    exemplars = [background(20, 1000 + seed) for seed in range(400)]
    found = named_by_halves(exemplars, background(), namer)
    assert found.holds.mean() < 0.08
    assert found.auroc.mean() == pytest.approx(0.5, abs=0.02)


def test_a_name_must_tell_its_images_from_others_that_show_the_same(namer):
    """What all images of both sets show is the name of no latent."""
    exemplars = [showing(namer, 5, 20, 0.6, seed) for seed in range(60)]
    found = named_by_halves(exemplars, showing(namer, 5, 1500, 0.6, 999), namer)
    assert found.holds.mean() < 0.15


def test_too_few_images_choose_no_name_and_it_does_not_hold(namer):
    exemplars = [showing(namer, 3, count, 0.9, count) for count in range(FEWEST + 2)]
    found = named_by_halves(exemplars, background(200), namer)
    assert np.isnan(found.auroc).tolist() == [True] * FEWEST + [False] * 2
    assert found.holds.tolist() == [False] * FEWEST + [True] * 2
    assert named_by_halves([], background(200), namer).holds.shape == (0,)
    assert not named_by_halves(exemplars[:2], background(200), namer).holds.any()


def test_what_a_name_is_worth_hangs_on_no_other(namer):
    exemplars = [showing(namer, 3, 20, 0.4, 0), background(12, 3), showing(namer, 8, 9, 0.4, 1)]
    together = named_by_halves(exemplars, background(400), namer)
    for number, rows in enumerate(exemplars):
        alone = named_by_halves([rows], background(400), namer)
        np.testing.assert_allclose([alone.auroc[0], alone.bar[0]], [together.auroc[number], together.bar[number]])


def test_ranks_are_shares_below_and_ties_count_half():
    scores, others = np.array([[0.0], [1.0], [2.0], [5.0]]), np.array([[1.0], [1.0], [2.0], [3.0]])
    assert _ranks(scores, others)[:, 0].tolist() == [0.0, 0.25, 0.625, 1.0]


def test_few_words_are_all_drawn():
    words = WordVectors.from_arrays(("one", "two", "three"), np.eye(3), centre=False)
    few = make_namer(np.eye(3), words, NamingSettings())
    rows = unit_rows(np.random.default_rng(0).normal(scale=0.1, size=(20, 3)) + np.eye(3)[1])
    found = named_by_halves([rows], unit_rows(np.random.default_rng(1).normal(size=(200, 3))), few)
    assert 0.9 < found.auroc[0] <= 1
