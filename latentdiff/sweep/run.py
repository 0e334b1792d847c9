"""The sweep: every point of a plan over the same images in memory, what is finished already left alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from latentdiff.config import to_yaml
from latentdiff.embeddings import EmbeddingSet
from latentdiff.keys import key_of
from latentdiff.naming import WordVectors, build_vocabulary, embed_vocabulary
from latentdiff.presentation.tables import write_tables
from latentdiff.quality import column_of, find_classes
from latentdiff.runlog import RunLog
from latentdiff.sweep.grid import Plan, Point
from latentdiff.sweep.page import write_page
from latentdiff.sweep.point import Result, SweepContext, read_result, run_point, write_result
from latentdiff.sweep.tables import Outcome, tables
from latentdiff.training import open_images
from sae_training.files import replacing
from sae_training.progress import Progress
from sae_training.settings import CACHE_VERSION as TRAINING_CACHE_VERSION
from sae_training.settings import training_key

CACHE_VERSION = 4  # goes up when code changes a measure


def run_sweep(plan: Plan, command: str = "", progress: Progress | None = None) -> Outcome:
    """Trains and measures what is missing; table and page are written after every point.

    Args:
        plan: see `plan_sweep`; `sweep.out` is where everything goes.
        command: what to show as the command that repeats it.
        progress: told (stage, done, total).

    Raises:
        LatentDiffError: the images cannot be read, or what a scorer needs.
        SaeError: there are too few images, or training diverges.
    """
    log, folder = RunLog(command), Path(plan.config.sweep.out)
    images = open_images(plan.config, plan.encoder, folder, progress)
    shared = _facts(plan, images, progress)
    keys = [key_of(shared, training_key(point.sae)) for point in plan.points]
    files = [folder / "points" / _file_name(point, key) for point, key in zip(plan.points, keys, strict=True)]
    results = [read_result(file, key) for file, key in zip(files, keys, strict=True)]
    context_of = _contexts(plan, images, progress)
    for i, point in enumerate(plan.points):
        if results[i] is None:
            tell = _at_point(progress, f"point {i + 1} of {len(plan.points)}")
            context = context_of(point.sae.calibration_share, point.sae.measuring_share)
            result = results[i] = run_point(point, context, plan.seeds, keys[i], tell)
            write_result(files[i], keys[i], result)
            _write(plan, images, results, folder, log)
    return _write(plan, images, results, folder, log)


def _write(
    plan: Plan, images: Sequence[EmbeddingSet], results: Sequence[Result | None], folder: Path, log: RunLog
) -> Outcome:
    """The table and the page of the points that are finished so far."""
    outcome = Outcome(
        tuple(result for result in results if result),
        planned=len(plan.points),
        seeds=plan.seeds,
        lede=f"{sum(one.n for one in images):,} images of {_source(plan)}, embedded by {plan.encoder.name}",
        scored=tuple(scorer.measure for scorer in plan.scorers),
    )
    facts = log.finish(images=[one.digest for one in images], swept=plan.swept, settings=_shared_settings(plan))
    shown = tables(outcome)
    write_tables(shown, folder, "Sensitivity of the sparse autoencoder", "sweep")
    write_page(outcome, shown, facts, folder)
    with replacing(folder / "config.yaml") as temporary:
        swept = " ".join(f"{key}={','.join(map(str, values))}" for key, values in plan.swept.items())
        temporary.write_text(f"# of the first point of: --sweep {swept}\n{to_yaml(plan.config)}", encoding="utf-8")
    return outcome


def _shared_settings(plan: Plan) -> dict[str, Any]:
    """The settings that are the same at all points."""
    settings = asdict(plan.config)
    for key in plan.swept:
        del settings["sae"][key.removeprefix("sae.")]
    return settings


def _source(plan: Plan) -> str:
    return " and ".join(plan.config.data)


def _file_name(point: Point, key: str) -> str:
    return f"{re.sub(r'[^a-zA-Z0-9.]+', '-', point.label or 'point')[:80]}-{key[:8]}.json"


def _facts(plan: Plan, images: Sequence[EmbeddingSet], progress: Progress | None) -> list[Any]:
    """All that the result of a point depends on, but the settings of its training."""
    config = plan.config
    facts: list[Any] = [
        CACHE_VERSION,
        TRAINING_CACHE_VERSION,
        plan.seeds,
        asdict(config.naming),
        column_of(images, config.label),
    ]
    facts += [(one.digest, one.fingerprint) for one in images]
    facts += [config.embed.dtype, build_vocabulary(config.naming).words]
    for scorer in plan.scorers:
        facts += scorer.facts(plan.encoder, progress)
    return facts


def _contexts(
    plan: Plan, images: Sequence[EmbeddingSet], progress: Progress | None
) -> Callable[[float, float], SweepContext]:
    """What points are trained on, by the shares that are held out; the rows are in memory once."""
    from sae_training.training import prepared

    naming = plan.config.naming

    @lru_cache(maxsize=1)
    def words() -> WordVectors:
        return embed_vocabulary(build_vocabulary(naming), plan.encoder, naming, progress=progress)

    @lru_cache(maxsize=1)
    def context(calibration_share: float, measuring_share: float) -> SweepContext:
        rows = prepared(
            images, replace(plan.config.sae, calibration_share=calibration_share, measuring_share=measuring_share)
        )
        classes = find_classes(rows, images, plan.config.label, plan.encoder, naming, progress)
        fingerprint = images[0].fingerprint
        return SweepContext(rows, fingerprint, _source(plan), words(), naming, classes, plan.scorers)

    return context


def _at_point(progress: Progress | None, place: str) -> Progress | None:
    """Progress that says at which point of the grid."""
    return None if progress is None else lambda stage, done, total: progress(f"{place}: {stage}", done, total)
