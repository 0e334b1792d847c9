from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latentdiff.embeddings import EmbeddingSet, from_arrays
from latentdiff.errors import LatentDiffError
from latentdiff.language import LanguageSettings
from latentdiff.naming import NamingSettings
from latentdiff.noisydiff.methods import presets
from latentdiff.noisydiff.methods.presets import PRESET_METHODS, predict_presets, preset_settings
from latentdiff.noisydiff.run.sae_pool import bundled_sae, held_out, pool_sae
from latentdiff.pipeline import CompareSettings
from latentdiff.proposers.density_ratio import DensitySettings
from latentdiff.sae_source import SaeSettings
from sae_training.rows import ConcatenatedRows

SMALL = SaeSettings(expansion_factor=2, k=4, steps=100)
QUICK = DensitySettings(iterations=15, weight_decays=(1.0,))


def test_the_methods_of_presets_are_every_part_in_every_setting_with_either_sae() -> None:
    assert len(PRESET_METHODS) == 12
    assert {"concept", "paper-density", "task-combined", "task-paper-concept"} <= set(PRESET_METHODS)


def test_the_papers_rows_have_its_choices_and_the_benchmarks_captions() -> None:
    base = CompareSettings(language=LanguageSettings(tags=3), naming=NamingSettings(words=7))
    paper = preset_settings(base, "paper")
    assert paper.concepts.divergence == "plain"
    assert not paper.verify.enabled
    assert not paper.naming.centre
    assert (paper.naming.words, paper.naming.things) == (7, 0)
    assert paper.language == base.language
    assert preset_settings(base, "default") == base


@pytest.mark.slow
def test_our_methods_find_what_was_planted_with_either_sae(
    planted: tuple[EmbeddingSet, EmbeddingSet],
    word_encoder: Any,
    own_words: NamingSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from sae_training import load

    def slow(*arguments: Any) -> Any:
        time.sleep(2)
        return task_sae(*arguments)

    task_sae = presets._task_sae
    monkeypatch.setattr(presets, "_task_sae", slow)
    a, b = planted
    settings = CompareSettings(sae=SMALL, naming=own_words, density=QUICK)
    sae = load(pool_sae([a, b], SMALL, tmp_path))
    methods = ("concept", "density", "combined", "paper-concept", "task-concept")
    answers = predict_presets(a, b, methods, settings, word_encoder, sae)
    assert set(answers) == set(methods)
    for method in ("concept", "combined", "task-concept"):
        answer = answers[method]
        assert "kite" in [word for finding in answer.findings["a"][:5] for word in finding]
        assert "tie" in [word for finding in answer.findings["b"][:5] for word in finding]
        assert answer.seconds > 0
        assert not answer.abstained
    assert answers["concept"].captioned == 0
    assert answers["density"].captioned == answers["combined"].captioned > 0
    assert any(answers["combined"].confirmed["a"])
    assert answers["paper-concept"].confirmed == {}  # it verifies nothing: all that it proposes is a claim
    assert answers["task-concept"].seconds > 2  # its training is part of its cost


def test_two_sets_too_small_to_train_on_are_no_reason_to_stop(
    planted: tuple[EmbeddingSet, EmbeddingSet], word_encoder: Any
) -> None:
    few = [one.select(np.arange(50)) for one in planted]
    said = predict_presets(few[0], few[1], ["task-concept"], CompareSettings(), word_encoder, None)
    answer = said["task-concept"]
    assert answer.abstained
    assert "fewer than 200" in answer.details["why"]


def test_the_pools_sae_is_trained_once_and_anew_for_other_settings(
    planted: tuple[EmbeddingSet, EmbeddingSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sae_training

    trained: list[tuple[int, int]] = []

    class Saved:
        def save(self, folder: Path) -> None:
            folder.mkdir()

    def train(rows: ConcatenatedRows, settings: Any, **_: Any) -> Saved:
        trained.append((rows.shape[0], settings.k))
        return Saved()

    monkeypatch.setattr(sae_training, "train", train)
    first = pool_sae(planted, SMALL, tmp_path)
    assert pool_sae(planted, dataclasses.replace(SMALL, minimum_rows=5), tmp_path) == first
    assert pool_sae(planted[::-1], SMALL, tmp_path) == first
    elsewhere = {"checkpoint_every": 0.5, "device": "cpu", "seeds": 3}
    assert pool_sae(planted, dataclasses.replace(SMALL, **elsewhere), tmp_path) == first
    assert pool_sae(planted, dataclasses.replace(SMALL, k=5), tmp_path) != first
    assert pool_sae(planted[:1], SMALL, tmp_path) != first
    counts = [int((~held_out(one)).sum()) for one in planted]
    assert trained == [(sum(counts), 4), (sum(counts), 5), (counts[0], 4)]


def test_held_out_images_are_not_in_the_pool(planted: tuple[EmbeddingSet, EmbeddingSet]) -> None:
    rows = planted[0].rows(slice(None))
    names = {"source_id": [f"photo {i}" for i in range(400)]}
    marked = from_arrays(rows, [str(i) for i in range(400)], table=names)
    out = held_out(marked)
    assert 0.12 < out.mean() < 0.28
    unnamed = from_arrays(rows, names["source_id"])  # by its id, where an image has no source id
    assert (held_out(unnamed) == out).all()


def test_the_rows_of_several_sets_are_read_as_those_of_one(planted: tuple[EmbeddingSet, EmbeddingSet]) -> None:
    both = ConcatenatedRows(planted)
    expected = np.concatenate([one.rows(slice(None)) for one in planted])
    assert both.shape == expected.shape
    index = np.random.default_rng(0).permutation(700)[:90]
    assert np.array_equal(both[index], expected[index])
    assert np.array_equal(both[390:410], expected[390:410])


def test_another_encoder_than_mini_has_no_bundled_sae() -> None:
    with pytest.raises(LatentDiffError, match=r"sets\.NAME\.pool"):
        bundled_sae("words@1")
