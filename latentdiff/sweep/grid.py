"""From `sae.k=5,20 sae.expansion_factor=2,4` to the points of a grid; all faults are said at once, before work."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import product
from typing import TYPE_CHECKING, Any

from latentdiff.config import Config, read_config
from latentdiff.encoders import load_encoder
from latentdiff.errors import LatentDiffError
from latentdiff.sae_source import SaeSettings, check_inputs
from latentdiff.sweep.measures import Scorer
from sae_training import SaeError
from sae_training.settings import NON_KEY_SETTINGS, TrainSettings

if TYPE_CHECKING:
    from latentdiff.encoders import Encoder

OpenScorer = Callable[[Config], Scorer | None]  # None where the configuration does not ask for it

_SWEPT = {f"sae.{item.name}" for item in fields(TrainSettings) if item.name not in NON_KEY_SETTINGS}


@dataclass(frozen=True)
class Point:
    """One combination of the swept settings."""

    values: Mapping[str, Any]  # "sae.k" -> 20, in the order of the axes
    sae: SaeSettings

    @property
    def label(self) -> str:
        """As it is typed: "sae.k=20 sae.expansion_factor=8"."""
        return " ".join(f"{key}={value}" for key, value in self.values.items())


@dataclass(frozen=True)
class Plan:
    """A sweep that can start."""

    config: Config  # of the first point; in all else than the swept settings, of all points
    points: tuple[Point, ...]
    encoder: Encoder
    scorers: tuple[Scorer, ...] = ()

    @property
    def seeds(self) -> int:
        """SAEs of each point."""
        return max(self.config.sweep.seeds, self.config.sae.seeds)

    @property
    def swept(self) -> dict[str, list[Any]]:
        """The values of each swept setting, in the order typed."""
        keys = self.points[0].values
        return {key: list(dict.fromkeys(point.values[key] for point in self.points)) for key in keys}


def plan_sweep(
    file: str | None,
    overrides: Sequence[str],
    plain: Mapping[str, Any],
    swept: Sequence[str],
    open_scorers: Sequence[OpenScorer] = (),
) -> Plan:
    """The points of a grid, checked as far as they can be before anything is embedded or trained.

    Args:
        file: a YAML file; looked for as a path, then in `configs/`.
        overrides: `key=value` strings for all points.
        plain: further keys with values that are taken as they stand.
        swept: `sae.KEY=VALUE,VALUE,...` strings; one with a single value is an override like the others.
        open_scorers: what else the first SAE of each point is scored by, where the configuration asks for it.

    Raises:
        LatentDiffError: names all that is wrong with the configuration, the grid and its points.
    """
    faults = [fault for text in swept for fault in _wrong_axis(text)]
    axes = dict(_axis(text) for text in swept if not list(_wrong_axis(text)))
    faults += [f"{key} is swept twice; name all its values at once" for key in _twice(swept)]
    singles = [f"{key}={values[0]}" for key, values in axes.items() if len(values) == 1]
    grid = {key: values for key, values in axes.items() if len(values) > 1}
    configs: list[tuple[dict[str, str], Config]] = []
    for chosen in product(*grid.values()):
        values = dict(zip(grid, chosen, strict=True))
        try:
            read = read_config(file, [*overrides, *singles, *(f"{k}={v}" for k, v in values.items())], plain)
            configs.append((values, read))
        except LatentDiffError as error:
            faults += error.faults
    if not configs:
        raise LatentDiffError(*faults)
    config = configs[0][1]
    points = tuple(Point({key: _value(one, key) for key in values}, one.sae) for values, one in configs)
    encoder, further = _open_encoder(config)
    scorers, unread = _open_scorers(config, open_scorers)
    faults += further + unread
    if encoder:
        faults += [fault for point in points for fault in _unfit(point, encoder.dimension)]
    if faults or encoder is None:
        raise LatentDiffError(*faults)
    return Plan(config, points, encoder, scorers)


def _wrong_axis(text: str) -> Iterator[str]:
    key, _, listed = text.partition("=")
    values = listed.split(",")
    if not key or not all(value.strip() for value in values):
        yield f"'{text}' names no values; write sae.KEY=VALUE,VALUE,... as in sae.k=5,20"
    elif len(set(values)) < len(values):
        yield f"'{text}' names a value twice"
    elif len(values) > 1 and key not in _SWEPT:
        yield from _not_swept(key, values[0])


def _not_swept(key: str, value: str) -> Sequence[str]:
    try:
        read_config(overrides=[f"{key}={value}"])
    except LatentDiffError as error:
        return error.faults  # say which key is nearest
    return [f"{key} cannot be swept, only settings of training can, as in sae.k=5,20"]


def _axis(text: str) -> tuple[str, list[str]]:
    key, _, listed = text.partition("=")
    return key, [value.strip() for value in listed.split(",")]


def _twice(swept: Sequence[str]) -> Iterable[str]:
    keys = [text.partition("=")[0] for text in swept]
    return dict.fromkeys(key for key in keys if keys.count(key) > 1)


def _value(config: Config, key: str) -> Any:
    return getattr(config.sae, key.removeprefix("sae."))


def _open_encoder(config: Config) -> tuple[Encoder | None, list[str]]:
    """The encoder, and what is wrong with it or with the images."""
    encoder = None
    faults: list[str] = []
    try:
        encoder = load_encoder(config.encoder, config.device, config.embed.precision)
    except LatentDiffError as error:
        faults += error.faults
    if not config.data:
        faults.append("nothing to train on: name the images with --data or 'data:' in the configuration")
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        faults.append("a sweep trains in one process: leave out torchrun")
    try:
        check_inputs(config.data, None)
    except LatentDiffError as error:
        faults += error.faults
    return encoder, faults


def _open_scorers(config: Config, open_scorers: Sequence[OpenScorer]) -> tuple[tuple[Scorer, ...], list[str]]:
    """The scorers that the configuration asks for, and what is wrong with them."""
    scorers: list[Scorer | None] = []
    faults: list[str] = []
    for open_scorer in open_scorers:
        try:
            scorers.append(open_scorer(config))
        except LatentDiffError as error:
            faults += error.faults
    return tuple(filter(None, scorers)), faults


def _unfit(point: Point, dimension: int) -> Iterator[str]:
    """What is wrong with a point for rows of a width."""
    from sae_training.sparsity import variant

    latents = point.sae.expansion_factor * dimension
    if point.sae.k > latents:
        at = f" at {point.label}" if point.values else ""
        yield f"k is {point.sae.k}, but there are only {latents} latents{at}: lower k or raise expansion_factor"
    try:
        variant(point.sae.variant)
    except SaeError as error:
        yield from error.faults
