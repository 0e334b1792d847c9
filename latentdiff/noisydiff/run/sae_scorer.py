"""Noisy-Diff as a scorer of a sweep's SAEs: how often the SAE's latents name what was planted."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentdiff.config import Config
from latentdiff.encoders import Encoder
from latentdiff.errors import LatentDiffError
from latentdiff.noisydiff.run import harness
from latentdiff.noisydiff.run.inputs import open_images
from latentdiff.noisydiff.run.sweep import score_set
from latentdiff.noisydiff.scoring.aggregate import per_pair
from latentdiff.noisydiff.scoring.catalogue import MAIN
from latentdiff.noisydiff.settings import Settings, read_settings
from latentdiff.statistics.bootstrap import estimate
from latentdiff.statistics.estimates import Estimate
from latentdiff.sweep import Measure, Scorer
from sae_training.progress import Progress

if TYPE_CHECKING:
    from sae_training import SparseAutoencoder


KEY = "noisydiff"
MEASURE = Measure(
    "Noisy-Diff",
    "Noisy-Diff, SAE latents",
    "sides that the SAE's latents name, exactly or by a synonym, in 25 words",
    "percent",
    "high",
    lambda result: result.scores.get(KEY),
    bootstrapped=True,
)
CHANGE_NO_ANSWER = ("out", "cache", "processes", "fresh", "sae", "report")  # settings


def open_scorer(config: Config) -> Scorer | None:
    """The scorer that `sweep.noisydiff` asks for; None where it asks for none.

    Raises:
        LatentDiffError: the benchmark's configuration has faults.
    """
    if config.sweep.noisydiff is None:
        return None
    try:
        settings = _settings(config, config.sweep.noisydiff)
    except LatentDiffError as error:
        raise LatentDiffError(*(f"sweep.noisydiff: {fault}" for fault in error.faults)) from error

    def score(sae: SparseAutoencoder, key: str, progress: Progress | None) -> Estimate:
        return _score(sae, settings, key, progress)

    def facts(encoder: Encoder, progress: Progress | None) -> list[Any]:
        chosen = {name: value for name, value in asdict(settings).items() if name not in CHANGE_NO_ANSWER}
        sets = [open_images(one.images, settings, encoder, progress).digest for one in settings.chosen_sets()]
        return [harness.CACHE_VERSION["presets"], chosen, *sets]

    return Scorer(KEY, MEASURE, score, facts)


def _settings(config: Config, file: str) -> Settings:
    """The method `concept` on the benchmark's pairs, with the sweep's encoder, whose SAEs are scored."""
    given = read_settings(file)
    given.chosen_sets()
    out = str(Path(config.sweep.out) / "noisydiff")
    return replace(given, methods=("concept",), encoder=config.encoder, device=config.device, out=out, fresh=False)


def _score(sae: SparseAutoencoder, settings: Settings, key: str, progress: Progress | None) -> Estimate:
    """Exact or synonym hits of the method `concept` on all pairs of the benchmark, with this SAE."""
    folder = Path(settings.out)
    sae.save(folder / "sae")  # every process of the benchmark opens it; the next point's takes its place
    chosen = replace(settings, sae=replace(settings.sae, path=str(folder / "sae")))
    hits: list[float] = []
    for one in settings.chosen_sets():
        scores = score_set(one, chosen, folder / one.name / "answers" / key, progress)
        hits += per_pair(scores, MAIN, "concept").values()
    return estimate(hits)
