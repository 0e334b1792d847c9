"""One point of a sweep: an SAE for each seed, trained, measured and compared; kept as a small file when it is done."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from latentdiff.findings import Interval
from latentdiff.naming import NamingSettings, WordVectors, naming_margins
from latentdiff.noisydiff.run.sweep import score_set
from latentdiff.noisydiff.scoring.aggregate import per_pair
from latentdiff.noisydiff.scoring.measures import MAIN
from latentdiff.noisydiff.settings import Settings
from latentdiff.quality import Classes, zero_shot
from latentdiff.statistics.bootstrap import estimate
from latentdiff.statistics.estimates import Estimate
from latentdiff.sweep.grid import Point
from sae_training.agreement import Agreement, seed_agreement
from sae_training.files import replacing
from sae_training.latents import measure_latents
from sae_training.settings import TrainSettings

if TYPE_CHECKING:
    from torch import Tensor

    from sae_training import SparseAutoencoder
    from sae_training.rows import Rows

log = logging.getLogger(__name__)
SAMPLE = 4096  # images that show what a random direction among them is like
Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, eq=False)
class Ground:
    """What the SAEs of a point are trained on and measured with."""

    rows: Rows
    fingerprint: str | None
    source: str  # of the rows, in words
    words: WordVectors
    naming: NamingSettings
    classes: Classes | None
    benchmark: Settings | None
    folder: Path  # where the benchmark's answers and the SAE it is run with lie


@dataclass(frozen=True)
class Band:
    """Latents of a range of firing densities, over all ordered pairs of seeds."""

    above: float
    up_to: float
    latents: int
    matched: float  # of them with a match in the other SAE, a share; NaN where there are none


@dataclass(frozen=True)
class Result:
    """What came of a point."""

    values: Mapping[str, Any]  # swept key -> value
    seeds: tuple[Mapping[str, float], ...]  # the measures of each seed's SAE
    agreement: float | None  # share of latents with a match in another seed's SAE; None for one seed
    bands: tuple[Band, ...]
    noisydiff: Estimate | None  # share of sides named, first seed's SAE

    def across_seeds(self, measure: str) -> Estimate | None:
        """The mean of a measure over the seeds, from the lowest to the highest; None where it was not taken."""
        found = [one[measure] for one in self.seeds if measure in one]
        return Estimate(float(np.mean(found)), Interval(min(found), max(found)), len(found)) if found else None


def run_point(point: Point, ground: Ground, seeds: int, key: str, progress: Progress | None = None) -> Result:
    """Trains one SAE for each seed, and measures them.

    Args:
        point: the settings; seeds count from its `seed` on.
        ground: what all points share.
        seeds: how many.
        key: of the point, under which a benchmark keeps its answers.
        progress: told (stage, done, total).
    """
    first = point.sae.seed
    trained = [_train(replace(point.sae, seed=seed, seeds=1), ground, progress) for seed in range(first, first + seeds)]
    agreements = [seed_agreement(one.sae, other.sae, one.density) for one, other in permutations(trained, 2)]
    return Result(
        point.values,
        tuple(one.measures for one in trained),
        float(np.mean([one.share for one in agreements])) if agreements else None,
        _pooled(agreements),
        _noisydiff(trained[0].sae, ground.benchmark, ground.folder, key, progress) if ground.benchmark else None,
    )


def read_result(file: Path, key: str) -> Result | None:
    """A point that was finished with this key; None where there is none, or the file is damaged."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept.pop("key") != key:
            return None
        bands = tuple(Band(**band) for band in kept.pop("bands"))
        score = kept.pop("noisydiff")
        estimated = Estimate(**{**score, "interval": Interval(**score["interval"])}) if score else None
        return Result(**{**kept, "seeds": tuple(kept["seeds"])}, bands=bands, noisydiff=estimated)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s cannot be read (%s); its point is trained anew", file, error)
        return None


def write_result(file: Path, key: str, result: Result) -> None:
    """Keeps a finished point, whole or not at all."""
    with replacing(file) as temporary:
        temporary.write_text(json.dumps({"key": key, **asdict(result)}, indent=1) + "\n", encoding="utf-8")


class _Trained(NamedTuple):
    sae: SparseAutoencoder
    density: Tensor  # [m]
    measures: dict[str, float]


def _train(settings: TrainSettings, ground: Ground, progress: Progress | None) -> _Trained:
    """One SAE with what is measured of it alone."""
    from sae_training import train

    def tell(stage: str, done: int, total: int | None) -> None:
        if progress:
            progress(f"{stage}, seed {settings.seed}", done, total)

    started = time.perf_counter()
    sae = train(ground.rows, settings, fingerprint=ground.fingerprint, description=ground.source, progress=tell)
    seconds = time.perf_counter() - started
    latents = measure_latents(sae, ground.rows)
    measures = {
        "fvu": sae.metadata.measures["fvu"],
        "l0": sae.metadata.measures["l0"],
        "dead": float((latents.density == 0).double().mean()),
        "ms": float(latents.ms.nanmedian()),
        **_names(sae, ground),
        **_classes(sae, ground),
        "seconds": round(seconds, 3),
    }
    return _Trained(sae, latents.density, measures)


def _names(sae: SparseAutoencoder, ground: Ground) -> dict[str, float]:
    """How many latents have a name, and how far the middle one's best word stands out, by decoder row."""
    held_out_first = torch.cat([ground.rows.measuring, ground.rows.calibration, ground.rows.training])
    sample = ground.rows.take(held_out_first[:SAMPLE]).numpy()
    margins = naming_margins(sae.W_dec.detach().cpu().numpy(), ground.words, sample, ground.naming)
    return {"named": float((margins > 0).mean()), "margin": float(np.median(margins))}


def _classes(sae: SparseAutoencoder, ground: Ground) -> dict[str, float]:
    if ground.classes is None:
        return {}
    found = zero_shot(sae, ground.classes)
    return {"zero_shot": found.images, "zero_shot_kept": found.kept}


def _pooled(agreements: Sequence[Agreement]) -> tuple[Band, ...]:
    """The bands of all ordered pairs of seeds together."""
    pooled = []
    for of_band in zip(*(one.bands for one in agreements), strict=True):
        latents = sum(band.latents for band in of_band)
        matched = sum(band.share * band.latents for band in of_band if band.latents)
        pooled.append(Band(of_band[0].above, of_band[0].up_to, latents, matched / latents if latents else float("nan")))
    return tuple(pooled)


def _noisydiff(
    sae: SparseAutoencoder, benchmark: Settings, folder: Path, key: str, progress: Progress | None
) -> Estimate:
    """Exact or synonym hits of the concept branch on all pairs of the benchmark, with this SAE."""
    sae.save(folder / "sae")  # every process of the benchmark opens it; the next point's takes its place
    chosen = replace(benchmark, sae=replace(benchmark.sae, path=str(folder / "sae")))
    hits = []
    for one in benchmark.chosen_sets():
        scores = score_set(one, chosen, folder / one.name / "answers" / key, progress)
        hits += list(per_pair(scores, MAIN, "concept").values())
    return estimate(hits)
