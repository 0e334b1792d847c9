from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from latentdiff.embeddings import EmbeddingSet, from_arrays, open_set
from latentdiff.errors import LatentDiffError
from latentdiff.naming import NamingSettings
from latentdiff.noisydiff.methods.baseline import Baseline
from latentdiff.noisydiff.methods.predictions import Prediction
from latentdiff.noisydiff.methods.registry import BASELINES
from latentdiff.noisydiff.pairs.pair import Pair, Truth
from latentdiff.noisydiff.run import harness
from latentdiff.noisydiff.run.store import file_of
from latentdiff.noisydiff.settings import Settings
from latentdiff.proposers.density_ratio import DensitySettings
from latentdiff.proposers.mean_shift import MeanShiftSettings
from latentdiff.proposers.word_tails import WordTailsSettings
from latentdiff.sae_source import SaeSettings

METHODS = ("mean-shift", "vocabulary", "parent")
Run = Callable[..., list[Prediction]]


def on_disk(one: EmbeddingSet, folder: Path) -> EmbeddingSet:
    """The set as an .npy file with its table, which every process can open."""
    np.save(folder / "images.npy", one.rows(slice(None)))
    parquet.write_table(pa.table({"id": one.table.column("id")}), folder / "images.parquet")
    return open_set(folder / "images.npy")


def pairs_of(images: EmbeddingSet, count: int = 3) -> list[Pair]:
    ids = images.table.column("id").to_pylist()
    half = len(ids) // 2
    return [Pair(f"person/{i}", "person", tuple(ids[i:half]), tuple(ids[half + i :]), {}, 0.1) for i in range(count)]


@pytest.fixture
def images(planted: tuple[EmbeddingSet, EmbeddingSet], tmp_path: Path) -> EmbeddingSet:
    rows = np.concatenate([one.rows(slice(0, 300)) for one in planted])
    return on_disk(from_arrays(rows, [f"image {i}" for i in range(len(rows))]), tmp_path)


@pytest.fixture
def run(
    images: EmbeddingSet,
    own_words: NamingSettings,
    word_encoder: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Runs the harness on three pairs; further arguments are settings."""
    monkeypatch.setattr(harness, "load_encoder", lambda *_: word_encoder)
    base = Settings(naming=own_words, methods=METHODS, processes=0)

    def call(progress: Any = None, pairs: list[Pair] | None = None, **changed: Any) -> list[Prediction]:
        settings = dataclasses.replace(base, **changed)
        return harness.run(pairs or pairs_of(images), images, settings, None, tmp_path / "answers", progress)

    return call


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The methods that were really asked, one entry for each pair."""
    asked: list[str] = []

    def counting(method: str, baseline: Baseline) -> Baseline:
        return dataclasses.replace(
            baseline, predict=lambda *arguments: asked.append(method) or baseline.predict(*arguments)
        )

    for method in BASELINES:
        monkeypatch.setitem(BASELINES, method, counting(method, BASELINES[method]))
    return asked


def said(predictions: list[Prediction]) -> list[Prediction]:
    """Answers without what differs from run to run."""
    return [dataclasses.replace(p, seconds=0.0) for p in predictions]


def test_every_method_answers_every_pair_in_order(run: Run) -> None:
    predictions = run()
    assert [(p.pair, p.method) for p in predictions] == [(f"person/{i}", m) for i in range(3) for m in METHODS]
    assert predictions[0].findings["a"][0] == ("kite",)
    assert predictions[1].findings["b"][0] == ("tie",)
    assert predictions[2].findings["a"] == (("person",),)


def test_what_is_answered_is_not_answered_again(run: Run, asked: list[str]) -> None:
    first = run()
    assert len(asked) == 9
    told: list[tuple[str, int, int | None]] = []
    assert run(progress=lambda *stage: told.append(stage)) == first
    assert len(asked) == 9
    assert told == []


def test_a_stopped_run_goes_on_with_the_pairs_that_are_left(run: Run, asked: list[str], tmp_path: Path) -> None:
    first = run()
    files = sorted((tmp_path / "answers").iterdir())
    files[0].unlink()
    files[1].write_text('[{"method": "mean-sh')  # as a full disk or another program may leave it
    asked.clear()
    assert said(run()) == said(first)
    assert sorted(asked) == sorted(2 * METHODS)


def test_a_changed_setting_asks_those_that_depend_on_it_anew(run: Run, asked: list[str], images: EmbeddingSet) -> None:
    run()
    asked.clear()
    run(methods=("gsclip", *METHODS))
    assert asked == ["gsclip"] * 3
    asked.clear()
    run(naming=NamingSettings(words=50, phrases=False, things=0, templates=("{}",)))
    assert sorted(asked) == sorted(3 * METHODS)
    asked.clear()
    shorter = [dataclasses.replace(pair, a=pair.a[1:]) for pair in pairs_of(images)]
    run(pairs=shorter)
    assert sorted(asked) == sorted(3 * METHODS)


def test_things_from_wordnet_are_no_words_of_methods_that_rank_words_as_published(
    run: Run, asked: list[str], own_words: NamingSettings
) -> None:
    methods = ("gsclip", "mean-shift", "vocabulary", "random-words")
    first = run(methods=methods)
    asked.clear()
    with_things = run(methods=methods, naming=dataclasses.replace(own_words, things=300))
    assert sorted(asked) == sorted(("vocabulary", "random-words") * 3)
    own = {"kite", "tie"} | {word for one in first for word, *_ in one.findings["a"]}
    added = {one.method for one in with_things for word, *_ in one.findings["a"] if word not in own}
    assert "random-words" in added
    assert not added & {"gsclip", "mean-shift"}


def test_a_setting_of_a_proposer_asks_its_methods_alone_anew(run: Run, asked: list[str]) -> None:
    run()
    asked.clear()
    run(word_tails=WordTailsSettings(share=0.1))
    assert asked == ["vocabulary"] * 3
    asked.clear()
    run(mean_shift=MeanShiftSettings(centre=False))
    assert asked == ["mean-shift", "vocabulary"] * 3  # the latter's share is the default again


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Our methods that were really asked, one entry for each pair."""
    trained: list[str] = []

    def predict_presets(a: EmbeddingSet, b: EmbeddingSet, methods: list[str], *_: Any) -> dict[str, Prediction]:
        trained.extend(methods)
        return dict.fromkeys(methods, Prediction())

    monkeypatch.setattr(harness, "predict_presets", predict_presets)
    return trained


def with_truth(pair: Pair) -> Pair:
    return dataclasses.replace(pair, truth={"a": Truth("dog", ("dog",))})


def test_where_and_how_an_sae_is_trained_asks_nobody_anew_but_what_it_becomes_does(
    run: Run, images: EmbeddingSet, trained: list[str]
) -> None:
    pairs = [with_truth(pairs_of(images)[0])]
    for sae in (SaeSettings(), SaeSettings(device="cpu", checkpoint_every=0.5, seeds=2)):
        run(pairs=pairs, methods=("task-concept",), sae=sae)
    assert trained == ["task-concept"]
    run(pairs=pairs, methods=("task-concept",), sae=SaeSettings(k=3))
    assert trained == ["task-concept"] * 2


def test_a_setting_of_a_proposer_that_a_preset_does_not_run_asks_it_not_anew(
    run: Run, images: EmbeddingSet, trained: list[str]
) -> None:
    pairs = [with_truth(pairs_of(images)[0])]
    for changed in ({}, {"mean_shift": MeanShiftSettings(centre=False)}, {"word_tails": WordTailsSettings(share=0.1)}):
        run(pairs=pairs, methods=("task-concept",), **changed)
    assert trained == ["task-concept"]
    for density in (DensitySettings(iterations=15), DensitySettings(iterations=16)):
        run(pairs=pairs, methods=("task-concept",), density=density)
    assert trained == ["task-concept"] * 3  # what it proposes is tested together with the latents
    alone = {"proposers": ("sae_latents",), "methods": ("task-concept",)}
    for density in (DensitySettings(iterations=15), DensitySettings(iterations=16)):
        run(pairs=pairs, density=density, **alone)
    assert trained == ["task-concept"] * 4


@pytest.mark.parametrize("changed", [{"level": 0.01}, {"known": ("dog",)}, {"given": ("width",)}])
def test_the_level_and_what_is_known_or_given_ask_our_methods_anew_and_no_word_ranker(
    run: Run, images: EmbeddingSet, trained: list[str], asked: list[str], changed: dict[str, Any]
) -> None:
    pairs = [with_truth(pairs_of(images)[0])]
    for settings in ({}, changed):
        run(pairs=pairs, methods=("task-concept", "mean-shift"), **settings)
    assert trained == ["task-concept"] * 2
    assert asked == ["mean-shift"]


def test_halves_of_one_set_train_no_sae_of_their_own(run: Run, images: EmbeddingSet, trained: list[str]) -> None:
    halves, other = pairs_of(images, 2)
    pairs = [halves, with_truth(other)]
    answers = run(pairs=pairs, methods=("mean-shift", "task-concept"))
    assert trained == ["task-concept"]
    assert [(p.pair, p.method) for p in answers] == [
        (halves.id, "mean-shift"), (other.id, "mean-shift"), (other.id, "task-concept"),
    ]  # fmt: skip


def test_an_sae_is_trained_for_two_styles_with_nothing_planted(
    run: Run, images: EmbeddingSet, trained: list[str]
) -> None:
    pair = dataclasses.replace(pairs_of(images, 1)[0], shift={"a": Truth("photo", ("photo",))})
    run(pairs=[pair], methods=("task-concept",))
    assert trained == ["task-concept"]


def test_fresh_answers_everything_anew(run: Run, asked: list[str]) -> None:
    run()
    asked.clear()
    run(fresh=True)
    assert len(asked) == 9
    asked.clear()
    run(fresh=True, methods=("parent",))
    run()
    assert asked == ["parent"] * 3  # the answers of the others are kept


def test_answered_gives_what_is_there_and_asks_nobody(
    run: Run, asked: list[str], images: EmbeddingSet, own_words: NamingSettings, tmp_path: Path
) -> None:
    first = run()
    asked.clear()
    settings = Settings(naming=own_words, methods=("gsclip", *METHODS))
    assert harness.kept_predictions(pairs_of(images), images, settings, None, tmp_path / "answers") == first
    assert asked == []


def test_an_image_that_was_not_embedded_is_named(run: Run) -> None:
    with pytest.raises(LatentDiffError, match="'person/9' has the image 'lost'"):
        run(pairs=[Pair("person/9", "person", ("image 1", "lost"), ("image 2",), {}, 0.1)])


def test_two_pairs_of_one_name_are_refused(run: Run, images: EmbeddingSet) -> None:
    with pytest.raises(LatentDiffError, match="2 pairs have only 1"):
        run(pairs=pairs_of(images, 1) * 2)


def test_pairs_whose_names_differ_in_signs_alone_have_files_of_their_own(tmp_path: Path) -> None:
    names = ("person/tie-cup", "person_tie-cup", "../person", "x" * 300)
    files = {file_of(tmp_path, name) for name in names}
    assert len(files) == len(names)
    assert all(file.parent == tmp_path for file in files)


@pytest.mark.slow
def test_two_processes_answer_as_one_does(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(120, 384))
    images = on_disk(from_arrays(rows, [f"image {i}" for i in range(120)]), tmp_path)
    settings = Settings(
        naming=NamingSettings(words=100, phrases=False, things=0, templates=("{}",)),
        methods=("visdiff", "gsclip", "vocabulary", "random-words"),
    )
    pairs = pairs_of(images)
    alone = harness.run(pairs, images, settings, None, tmp_path / "alone")
    assert {p.pair for p in alone} == {pair.id for pair in pairs}
    two = dataclasses.replace(settings, processes=2)
    told: list[tuple[str, int, int | None]] = []
    together = harness.run(pairs, images, two, None, tmp_path / "two", lambda *stage: told.append(stage))
    assert said(together) == said(alone)
    assert told == [("pairs", done, 3) for done in range(4)]
    # the number of processes is no reason to answer anew
    assert harness.run(pairs, images, settings, None, tmp_path / "two") == together
