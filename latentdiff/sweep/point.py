"""One point of a sweep: an SAE for each seed, trained, measured and compared; kept as a small file when it is done."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise, permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from latentdiff.hypotheses import Interval
from latentdiff.naming import NamingSettings, WordVectors, make_namer, naming_fidelity
from latentdiff.naming.fidelity import EXEMPLARS
from latentdiff.quality import Classes, zero_shot
from latentdiff.statistics.estimates import Estimate
from latentdiff.sweep.grid import Point
from latentdiff.sweep.measures import Scorer
from latentdiff.vectors import unit_rows
from sae_training.agreement import Agreement, seed_agreement
from sae_training.files import replacing
from sae_training.latents import measure_latents
from sae_training.progress import Progress
from sae_training.settings import TrainSettings

if TYPE_CHECKING:
    from torch import Tensor

    from sae_training import SparseAutoencoder
    from sae_training.rows import Rows

log = logging.getLogger(__name__)
SAMPLE = 16_384  # images on which names are tried
BACKGROUND = 4096  # of them, that a name must tell a latent's images from


@dataclass(frozen=True, eq=False)
class SweepContext:
    """What the SAEs of all points are trained on and measured with."""

    rows: Rows
    fingerprint: str | None
    source: str  # of the rows, in words
    words: WordVectors
    naming: NamingSettings
    classes: Classes | None
    scorers: tuple[Scorer, ...] = ()


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
    scores: Mapping[str, Estimate] = field(default_factory=dict)  # key of a scorer -> of the first seed's SAE

    def across_seeds(self, measure: str) -> Estimate | None:
        """The mean of a measure over the seeds, from the lowest to the highest; None where it was not taken."""
        found = [one[measure] for one in self.seeds if measure in one]
        return Estimate(float(np.mean(found)), Interval(min(found), max(found)), len(found)) if found else None


def run_point(point: Point, context: SweepContext, seeds: int, key: str, progress: Progress | None = None) -> Result:
    """Trains one SAE for each seed, and measures them.

    Args:
        point: the settings; seeds count from its `seed` on.
        context: what all points share.
        seeds: how many.
        key: of the point, under which a scorer may keep its work.
        progress: told (stage, done, total).
    """
    first = point.sae.seed
    trained = [
        _train(replace(point.sae, seed=seed, seeds=1), context, progress) for seed in range(first, first + seeds)
    ]
    agreements = [seed_agreement(one.sae, other.sae, one.density) for one, other in permutations(trained, 2)]
    return Result(
        point.values,
        tuple(one.measures for one in trained),
        float(np.mean([one.share for one in agreements])) if agreements else None,
        _pooled(agreements),
        {one.key: one.score(trained[0].sae, key, progress) for one in context.scorers},
    )


def read_result(file: Path, key: str) -> Result | None:
    """A point that was finished with this key; None where there is none, or the file is damaged."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept.pop("key") != key:
            return None
        values, seeds, agreement = kept.pop("values"), tuple(kept.pop("seeds")), kept.pop("agreement")
        bands = tuple(Band(**band) for band in kept.pop("bands"))
        return Result(values, seeds, agreement, bands, {name: _estimate(one) for name, one in kept.items() if one})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s cannot be read (%s); its point is trained anew", file, error)
        return None


def write_result(file: Path, key: str, result: Result) -> None:
    """Keeps a finished point, whole or not at all; each score stands under the key of its scorer."""
    kept = asdict(result)
    scores = kept.pop("scores")
    with replacing(file) as temporary:
        temporary.write_text(json.dumps({"key": key, **kept, **scores}, indent=1) + "\n", encoding="utf-8")


def _estimate(kept: Mapping[str, Any]) -> Estimate:
    return Estimate(**{**kept, "interval": Interval(**kept["interval"])})


class _Trained(NamedTuple):
    sae: SparseAutoencoder
    density: Tensor  # [m]
    measures: dict[str, float]


def _train(settings: TrainSettings, context: SweepContext, progress: Progress | None) -> _Trained:
    """One SAE with what is measured of it alone."""
    from sae_training import train

    def tell(stage: str, done: int, total: int | None) -> None:
        if progress:
            progress(f"{stage}, seed {settings.seed}", done, total)

    started = time.perf_counter()
    sae = train(context.rows, settings, fingerprint=context.fingerprint, description=context.source, progress=tell)
    seconds = time.perf_counter() - started
    latents = measure_latents(sae, context.rows)
    measures = {
        "fvu": sae.metadata.measures["fvu"],
        "l0": sae.metadata.measures["l0"],
        "dead": float((latents.density == 0).double().mean()),
        "ms": float(latents.ms.nanmedian()),
        **_names(sae, context),
        **_classes(sae, context),
        "seconds": round(seconds, 3),
    }
    return _Trained(sae, latents.density, measures)


def _names(sae: SparseAutoencoder, context: SweepContext) -> dict[str, float]:
    """Of how many latents the name is true, of those that fire on enough of the images to tell, and how true."""
    held_out_first = torch.cat([context.rows.measuring, context.rows.calibration, context.rows.training])
    rows = context.rows.take(held_out_first[:SAMPLE]).numpy()
    around = unit_rows(rows - rows.mean(0))
    codes = sae.encode(rows)
    row, latent, value = (np.asarray(part) for part in (codes.row, codes.latent, codes.value))
    order = np.lexsort((row, -value, latent))
    starts = np.searchsorted(latent[order], np.arange(sae.num_latents + 1))
    exemplars = [around[row[order[low:high]][:EXEMPLARS]] for low, high in pairwise(starts)]
    namer = make_namer(sae.W_dec.detach().cpu().numpy(), context.words, context.naming)
    halves = [np.stack([_mean_of(rows[half::2], around.shape[1]) for rows in exemplars]) for half in (0, 1)]
    fidelity = naming_fidelity((halves[0], halves[1]), exemplars, around[:BACKGROUND], namer)
    told = np.isfinite(fidelity.auroc)
    return {
        "named": float(fidelity.holds[told].mean()) if told.any() else 0.0,
        "fidelity": float(np.median(fidelity.auroc[told])) if told.any() else 0.5,
    }


def _mean_of(rows: np.ndarray, width: int) -> np.ndarray:
    """[d] the mean of rows [k, d]; zeros of none."""
    return np.asarray(rows.mean(0)) if len(rows) else np.zeros(width, np.float32)


def _classes(sae: SparseAutoencoder, context: SweepContext) -> dict[str, float]:
    if context.classes is None:
        return {}
    found = zero_shot(sae, context.classes)
    return {"zero_shot": found.images, "zero_shot_kept": found.kept}


def _pooled(agreements: Sequence[Agreement]) -> tuple[Band, ...]:
    """The bands of all ordered pairs of seeds together."""
    pooled = []
    for of_band in zip(*(one.bands for one in agreements), strict=True):
        latents = sum(band.latents for band in of_band)
        matched = sum(band.share * band.latents for band in of_band if band.latents)
        pooled.append(Band(of_band[0].above, of_band[0].up_to, latents, matched / latents if latents else float("nan")))
    return tuple(pooled)
