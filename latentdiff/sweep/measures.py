"""What is known of a point: the measures of its SAEs, and what a scorer from outside adds to them.

A new measure is a value in `measures` (`_train` in `point.py`) and an entry of `MEASURES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from latentdiff.hypotheses import Interval
from latentdiff.presentation.figures import Axis
from latentdiff.statistics.estimates import Estimate
from sae_training.progress import Progress

if TYPE_CHECKING:
    from latentdiff.encoders import Encoder
    from latentdiff.sweep.point import Result
    from sae_training import SparseAutoencoder


@dataclass(frozen=True)
class Measure:
    """One number of a point, and how it is shown."""

    name: str  # of its column
    title: str
    note: str
    form: Axis
    better: Literal["low", "high", ""]
    of: Callable[[Result], Estimate | None]
    narrow: bool = True  # whether a narrow terminal shows it
    drawn: bool = True  # whether it has a plot, and a best point
    bootstrapped: bool = False  # whether its interval is a 95 % interval, not the range over the seeds


@dataclass(frozen=True)
class Scorer:
    """Scores the first SAE of a point by a task of its own.

    Attributes:
        key: under which a point keeps the score.
        measure: how the score is shown.
        score: (SAE, key of the point, progress) -> score.
        facts: (encoder of the sweep, progress) -> all that scores depend on beside the SAE, of plain types.
    """

    key: str
    measure: Measure
    score: Callable[[SparseAutoencoder, str, Progress | None], Estimate]
    facts: Callable[[Encoder, Progress | None], Sequence[Any]]


def _seeds(measure: str) -> Callable[[Result], Estimate | None]:
    return lambda result: result.across_seeds(measure)


def _agreement(result: Result) -> Estimate | None:
    share = result.agreement
    return None if share is None else Estimate(share, Interval(share, share), len(result.seeds))


MEASURES = (
    Measure(
        "FVU",
        "Unexplained variance",
        "share of the variance of images held out that is not explained",
        "percent",
        "low",
        _seeds("fvu"),
    ),
    Measure("L0", "Latents that fire on an image", "of images held out, mean", "number", "", _seeds("l0")),
    Measure("dead", "Latents that never fire", "latents that fire on no image", "percent", "low", _seeds("dead")),
    Measure("MS", "Monosemanticity", "median over the latents that fire twice or more", "unit", "high", _seeds("ms")),
    Measure(
        "named",
        "Latents with a name",
        "latents whose word tells their images from others better than random words do",
        "percent",
        "high",
        _seeds("named"),
    ),
    Measure(
        "fidelity",
        "Fidelity of names",
        "how well a word chosen on half of a latent's images tells the other half from others, AUROC, median",
        "unit",
        "high",
        _seeds("fidelity"),
        narrow=False,
        drawn=False,
    ),
    Measure(
        "agreement",
        "Seed agreement",
        "latents with a decoder cosine above .7 in the SAE of another seed",
        "percent",
        "high",
        _agreement,
    ),
    Measure(
        "kept",
        "Zero-shot accuracy kept",
        "zero-shot accuracy on what the SAE makes of images, as a share of that on the images",
        "percent",
        "high",
        _seeds("zero_shot_kept"),
        narrow=False,
    ),
)
TIME = Measure("time", "Time to train one", "to train one SAE", "seconds", "", _seeds("seconds"), narrow=False)
