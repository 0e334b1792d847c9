"""Every method on every pair, in parallel processes; each pair's predictions are one file, made once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latentdiff.embeddings import EmbeddingSet, open_set
from latentdiff.encoders import load_encoder
from latentdiff.errors import LatentDiffError
from latentdiff.keys import key_of
from latentdiff.naming import LatentName, NamingSettings, build_vocabulary, embed_vocabulary, make_namer
from latentdiff.noisydiff.methods.baseline import BaselineContext
from latentdiff.noisydiff.methods.predictions import Prediction
from latentdiff.noisydiff.methods.presets import (
    PRESET_METHODS,
    TASK_METHODS,
    on_the_sets,
    predict_presets,
    preset_settings,
)
from latentdiff.noisydiff.methods.proposers import proposer_settings
from latentdiff.noisydiff.methods.registry import BASELINES
from latentdiff.noisydiff.pairs.pair import Pair
from latentdiff.noisydiff.run.store import file_of, missing, read_predictions, write_predictions
from latentdiff.noisydiff.settings import Settings
from latentdiff.pipeline import CompareSettings
from sae_training.progress import Progress
from sae_training.settings import CACHE_VERSION as TRAINING_CACHE_VERSION
from sae_training.settings import training_key

if TYPE_CHECKING:
    from sae_training import SparseAutoencoder


CACHE_VERSION = {"presets": 11, "baselines": 8}  # goes up when code changes a method's answers
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Job:
    """What a process is sent; it opens everything else itself."""

    settings: Settings
    images: Path  # the embedding set
    sae: Path | None  # of the pool
    folder: Path  # where predictions are kept


@dataclass(frozen=True, eq=False)
class BenchmarkContext:
    """What every prediction needs: the images, the encoder's words, the pool's SAE."""

    images: EmbeddingSet
    rows: Mapping[str, int]  # id -> row
    settings: CompareSettings
    for_baselines: BaselineContext
    sae: SparseAutoencoder | None

    def sets(self, pair: Pair) -> tuple[EmbeddingSet, EmbeddingSet]:
        """The two sets of a pair.

        Raises:
            LatentDiffError: an image is not there.
        """
        lost = next((id for id in (*pair.a, *pair.b) if id not in self.rows), None)
        if lost is not None:
            raise LatentDiffError(f"pair '{pair.id}' has the image '{lost}', which was not embedded; build pairs anew")
        a, b = (self.images.select(np.array([self.rows[id] for id in ids])) for ids in (pair.a, pair.b))
        return a, b


def run(
    pairs: Sequence[Pair],
    images: EmbeddingSet,
    settings: Settings,
    sae: Path | None,
    folder: Path,
    progress: Progress | None = None,
) -> list[Prediction]:
    """The predictions of `settings.methods` for all pairs, in the order of the pairs, then of the methods.

    Predictions that are in the folder already, made from the same images and settings, are taken as they are.

    Args:
        pairs: with ids of their own.
        images: embedding set on disk that holds all images of the pairs.
        settings: methods, processes, and everything that steers the methods.
        sae: folder of the pool's SAE; None where no method needs one.
        folder: where the predictions are kept, one file a pair.
        progress: told ("pairs", done, pairs that had something to do).

    Raises:
        LatentDiffError: two pairs of one name, an image that was not embedded, or whatever a method complains of.
    """
    if images.path is None:
        raise ValueError("the embedding set must lie on disk: every process opens it")
    keys = _keys(pairs, images, settings, sae)
    if len(keys) < len(pairs):
        raise LatentDiffError(f"{len(pairs)} pairs have only {len(keys)} different ids; give every pair its own")
    files = {pair.id: file_of(folder, pair.id) for pair in pairs}
    job = Job(settings, images.path, sae, folder)
    todo = [
        (job, pair, {method: keys[pair.id][method] for method in methods})
        for pair in pairs
        if (methods := list(keys[pair.id]) if settings.fresh else missing(files[pair.id], keys[pair.id]))
    ]
    for done in _work(todo, settings.processes):
        if progress:  # from 0 on: the first pair may take minutes
            progress("pairs", done, len(todo))
    return _kept(files, keys)


def kept_predictions(
    pairs: Sequence[Pair], images: EmbeddingSet, settings: Settings, sae: Path | None, folder: Path
) -> list[Prediction]:
    """The predictions that are in the folder already (the arguments of `run`)."""
    return _kept({pair.id: file_of(folder, pair.id) for pair in pairs}, _keys(pairs, images, settings, sae))


def predict(pair: Pair, methods: Sequence[str], context: BenchmarkContext) -> list[Prediction]:
    """The predictions of some methods for a pair, in their order."""
    a, b = context.sets(pair)
    for_baselines = replace(context.for_baselines, parent=pair.parent)
    found: dict[str, Prediction] = {}
    if presets := [method for method in methods if method in PRESET_METHODS]:
        found |= predict_presets(
            a, b, presets, context.settings, for_baselines.encoder, context.sae, for_baselines.device
        )
    for method in methods:
        if method in BASELINES:
            started = time.perf_counter()
            prediction = BASELINES[method].predict(a, b, for_baselines)
            found[method] = replace(prediction, seconds=time.perf_counter() - started)
    return [
        replace(found[method], method=method, pair=pair.id, seconds=round(found[method].seconds, 3))
        for method in methods
    ]


def _keys(
    pairs: Sequence[Pair], images: EmbeddingSet, settings: Settings, sae: Path | None
) -> dict[str, dict[str, str]]:
    """For each pair and method a key of all that its prediction depends on.

    Methods that train an SAE for the pair are not asked about null pairs: that would be most of the time of a run.
    """
    common = [images.digest, images.fingerprint]
    card = None if sae is None else (sae / "sae.yaml").read_text(encoding="utf-8")  # holds the weights' hash
    of_method = {
        method: key_of(
            [CACHE_VERSION["presets" if method in PRESET_METHODS else "baselines"], *common],
            method,
            _facts(method, settings, card),
        )
        for method in settings.methods
    }
    return {
        pair.id: {
            method: key_of(key, pair.a, pair.b, pair.parent)
            for method, key in of_method.items()
            if not pair.is_null or method not in TASK_METHODS
        }
        for pair in pairs
    }


def _facts(method: str, settings: Settings, sae: str | None) -> Any:
    """The settings that a method's predictions depend on."""
    if method in BASELINES:
        baseline = BASELINES[method]
        sections = proposer_settings([baseline.proposer] if baseline.proposer else [], settings)
        latents = (sae, settings.level) if baseline.needs_latents else None
        naming = settings.naming if baseline.things else _without_things(settings.naming)
        return _vocabulary(naming), asdict(settings.language), sections, settings.seed, latents
    preset = PRESET_METHODS[method]
    chosen = preset_settings(settings, preset.preset)
    asked = chosen.level, chosen.known, chosen.given
    shared = [*asked, *(asdict(part) for part in (chosen.language, chosen.verify, chosen.combine))]
    trained = TRAINING_CACHE_VERSION, asdict(on_the_sets(settings.sae)) | training_key(settings.sae)
    proposers = chosen.proposers, proposer_settings(chosen.proposers, chosen)
    return proposers, _vocabulary(chosen.naming), shared, trained if preset.task else sae


def _vocabulary(naming: NamingSettings) -> tuple[dict[str, Any], tuple[str, ...]]:
    return asdict(naming), build_vocabulary(naming).words


def _without_things(naming: NamingSettings) -> NamingSettings:
    return replace(naming, things=0)


def _kept(files: Mapping[str, Path], keys: Mapping[str, Mapping[str, str]]) -> list[Prediction]:
    found = []
    for pair, file in files.items():
        kept = read_predictions(file)
        found += [kept[method][1] for method, key in keys[pair].items() if method in kept and kept[method][0] == key]
    return found


def _work(todo: Sequence[tuple[Job, Pair, Mapping[str, str]]], processes: int) -> Iterator[int]:
    """Predicts what is missing, here (0 processes) or in other processes; yields how many pairs are done."""
    if todo:
        yield 0
    if not todo or processes == 0:
        for done, one in enumerate(todo, 1):
            _predict_and_keep(*one)
            yield done
        return
    with _one_thread(), ProcessPoolExecutor(min(processes, len(todo)), get_context("spawn")) as pool:
        futures = [pool.submit(_predict_and_keep, *one) for one in todo]
        try:
            for done, future in enumerate(as_completed(futures), 1):
                future.result()
                yield done
        except BrokenProcessPool:
            raise LatentDiffError(
                f"one of {processes} processes was ended from outside, as happens where memory runs out; use fewer "
                "(processes=1) and run again: what was answered is kept"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Processes that start in the block compute with one thread each.

    Together they fill the machine, and the last bits, which hang on the number of threads, are the same however many
    processes there are.
    """
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _predict_and_keep(job: Job, pair: Pair, keys: Mapping[str, str]) -> None:
    file = file_of(job.folder, pair.id)
    presets, baselines = ([m for m in keys if m in known] for known in (PRESET_METHODS, BASELINES))
    for methods in (presets, baselines):  # where a baseline fails, what the presets predicted is kept
        said = {one.method: (keys[one.method], one) for one in predict(pair, methods, _open(job))}
        write_predictions(file, read_predictions(file) | said)


@lru_cache(maxsize=1)
def _open(job: Job) -> BenchmarkContext:
    """What a process keeps open from pair to pair."""
    from sae_training import load

    settings = job.settings
    encoder = load_encoder(settings.encoder, settings.device, settings.embed.precision)
    images = open_set(job.images)
    words, plain_words = (
        embed_vocabulary(build_vocabulary(naming), encoder, replace(naming, centre=True))
        for naming in (settings.naming, _without_things(settings.naming))
    )
    sae = load(job.sae) if job.sae else None
    names: list[LatentName] = []
    if sae is not None and any(m in BASELINES and BASELINES[m].needs_latents for m in settings.methods):
        decoder = sae.W_dec.detach().cpu().numpy()
        names = make_namer(decoder, words, settings.naming).name(decoder)
    context = BaselineContext(
        encoder, words, settings, settings.seed, sae=sae, names=names, device=settings.device, plain_words=plain_words
    )
    rows = {id: row for row, id in enumerate(images.table.column("id").to_pylist())}
    return BenchmarkContext(images, rows, settings, context, sae)
