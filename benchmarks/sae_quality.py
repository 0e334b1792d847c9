"""How faithful trained models are: all tools judged on the same held-out rows, by the same rules."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from benchmarks.sae_ours import Data, weights_of
from benchmarks.sae_peers import PEERS, Peer, Task, Weights
from sae_training.settings import TrainSettings
from sae_training.training import train

OURS = "ours"
BLOCK = 1024  # rows looked at at once
TRAINED_ROWS = 65_536  # training rows, at most, on which a latent may show that it is alive
TRIAL, TRIAL_WARMUP = 8, 3  # steps that tell how long one takes
SAME = 0.7  # cosine above which two latents of two seeds are one
PARTS = 10  # into which latents are parted by how often they fire
CHANGES: dict[str, dict[str, Any]] = {  # of the defaults, that may make two seeds agree on more
    "as set": {},
    "4 latents a dimension": {"expansion_factor": 4},
    "2 latents a dimension": {"expansion_factor": 2},
    "k = 10": {"k": 10},
    "k = 40": {"k": 40},
    "Matryoshka": {"variant": "matryoshka_batch_topk"},
}


class Quality(NamedTuple):
    """Of a model, on some rows."""

    fvu: float  # at an L0 of k exactly: largest entries of all rows together or of each row, whichever is better
    l0: float  # by its own inference
    firings: Tensor  # of each latent, at an L0 of k exactly, int64 [m]
    floor: float  # above which entries are the largest of all rows together


@dataclass
class Trained:
    """A model, and what it took."""

    weights: Weights
    steps: int
    seconds: float


class Field:
    """All tools on the same rows; a model is trained when it is first asked for.

    Args:
        source: rows as stored [n, d].
        settings: of our training; the others get its k, latents and batches.
        equal_steps: whether the others get its steps, rate and schedule; else its time, at their own defaults.
    """

    def __init__(self, source: np.ndarray, settings: TrainSettings, equal_steps: bool) -> None:
        self.source, self.settings, self.equal_steps = source, settings, equal_steps
        self.data = Data.of(source)
        self.held_out = self.data.take(self.data.rows.measuring)
        self._trained: dict[tuple[str, int], Trained] = {}

    def names(self) -> list[str]:
        """Ours, then all that are installed."""
        return [OURS, *(name for name, peer in PEERS.items() if peer.installed)]

    def trained(self, name: str, seed: int = 0) -> Trained:
        """The model of a tool.

        Args:
            name: of the tool.
            seed: of its start and of the order of the rows.
        """
        if (name, seed) not in self._trained:
            settings = replace(self.settings, seed=seed)
            self._trained[name, seed] = self._ours(settings) if name == OURS else self._peer(PEERS[name], settings)
        return self._trained[name, seed]

    def quality(self, name: str) -> Quality:
        """Of a tool's model, on the held-out rows."""
        return judge(self.trained(name).weights, self.held_out, self.settings.k)

    def _ours(self, settings: TrainSettings) -> Trained:
        start = time.perf_counter()
        sae = train(self.source, settings)
        return Trained(weights_of(sae), sae.metadata.training["steps"], time.perf_counter() - start)

    def _peer(self, peer: Peer, settings: TrainSettings) -> Trained:
        task = self._task(peer, settings)
        contender, batches = peer.make(task), self._batches(settings)
        start = time.perf_counter()
        for h in islice(batches, task.steps):
            contender.step(h)
        return Trained(contender.weights(), task.steps, time.perf_counter() - start)

    def _task(self, peer: Peer, settings: TrainSettings) -> Task:
        ours = self.trained(OURS)
        rows = settings.rows_of_batch(len(self.data.rows.training))
        latents = settings.expansion_factor * self.data.rows.d
        task = Task(self.data.rows.d, latents, settings.k, rows, ours.steps, seed=settings.seed)
        if self.equal_steps:
            schedule = {name: round(getattr(settings, name) * ours.steps) for name in ("warmup", "decay")}
            return replace(task, lr=settings.learning_rate, **schedule)
        return replace(task, steps=max(1, round(ours.seconds / self._seconds_a_step(peer, task))))

    def _seconds_a_step(self, peer: Peer, task: Task) -> float:
        contender, spent = peer.make(task), []
        batches = self._batches(self.settings)
        for _ in range(TRIAL_WARMUP + TRIAL):
            start = time.perf_counter()
            contender.step(next(batches))
            spent.append(time.perf_counter() - start)
        return statistics.median(spent[TRIAL_WARMUP:])

    def _batches(self, settings: TrainSettings) -> Iterator[Tensor]:
        return map(self.data.take, self.data.positions(settings))


def fidelity(field: Field) -> dict[str, dict[str, Any]]:
    """FVU of each tool at an L0 of exactly k, and ours over it.

    Args:
        field: with equal steps.
    """
    found = {name: {"fvu": field.quality(name).fvu} for name in field.names()}
    for row in found.values():
        row["ours over it"] = found[OURS]["fvu"] / row["fvu"]
    return found


def defaults(field: Field) -> dict[str, dict[str, Any]]:
    """What each tool's own defaults come to in the time that ours take.

    Args:
        field: with equal time.
    """
    found = {}
    for name in field.names():
        run, quality = field.trained(name), field.quality(name)
        found[name] = {
            "fvu": quality.fvu,
            "l0": quality.l0,
            "dead, held-out": float((quality.firings == 0).double().mean()),
            "dead, training": silent_share(run.weights, field.data, quality.floor),
            "steps": run.steps,
            "seconds": run.seconds,
        }
    return found


def seeds(field: Field) -> dict[str, dict[str, Any]]:
    """The share of latents that another seed finds too, of all that fire and by how often they do, rarest first.

    Args:
        field: of trained models.
    """
    return {name: _agreement(field, name) for name in field.names()}


def what_raises(source: np.ndarray, settings: TrainSettings) -> dict[str, dict[str, Any]]:
    """The same of ours alone, with one of its settings changed at a time, and what each costs in FVU.

    Args:
        source: rows as stored [n, d].
        settings: that are changed.
    """
    found = {}
    for name, changes in CHANGES.items():
        field = Field(source, replace(settings, **changes), equal_steps=False)
        found[name] = {**_agreement(field, OURS), "fvu": field.quality(OURS).fvu}
    return found


def _agreement(field: Field, name: str) -> dict[str, Any]:
    matched = found_again(field.trained(name).weights.decoder, field.trained(name, 1).weights.decoder)
    firings = field.quality(name).firings
    order = firings.argsort(stable=True)
    order = order[firings[order] > 0]
    shares = [float(matched[part].double().mean()) for part in order.tensor_split(PARTS)]
    return {"all": float(matched[order].double().mean()), "by density": shares, "live": len(order)}


@torch.no_grad()
def judge(weights: Weights, h: Tensor, k: int) -> Quality:
    """Measures a model.

    Args:
        weights: of any tool.
        h: standardised rows it was not trained on [n, d].
        k: the L0 at which all are compared.
    """
    floor = exact_floor(weights, h, k)
    errors, own = torch.zeros(2, dtype=torch.float64), 0
    firings = torch.zeros(len(weights.bias), dtype=torch.int64)
    for part, pre in _blocks(weights, h):
        row_floor = pre.topk(k, dim=1).values[:, -1:].clamp_min(torch.finfo().tiny)
        kept = (pre > floor, pre >= row_floor)
        errors += torch.stack([_error(weights, part, pre * keep) for keep in kept])
        firings += kept[0].sum(0)
        own += int((kept[1] if weights.threshold is None else pre > max(weights.threshold, 0.0)).sum())
    variance = (h - h.mean(0)).double().square().sum()
    return Quality(float(errors.min() / variance), own / len(h), firings, floor)


def exact_floor(weights: Weights, h: Tensor, k: int) -> float:
    """The number above which exactly len(h) * k positive pre-activations lie, if there are so many."""
    wanted, largest = k * len(h), torch.empty(0)
    for _, pre in _blocks(weights, h):
        values = torch.cat([largest, pre[pre > 0]])
        largest = values.topk(min(len(values), wanted + 1)).values
    return float(largest[-1]) if len(largest) > wanted else 0.0


@torch.no_grad()
def silent_share(weights: Weights, data: Data, floor: float) -> float:
    """The share of latents that fire on none of many training rows.

    Args:
        weights: of any tool.
        data: the rows.
        floor: above which entries fire.
    """
    firings = torch.zeros(len(weights.bias), dtype=torch.int64)
    for index in data.rows.training[:TRAINED_ROWS].split(BLOCK):
        for _, pre in _blocks(weights, data.take(index)):
            firings += (pre > floor).sum(0)
    return float((firings == 0).double().mean())


@torch.no_grad()
def found_again(decoder: Tensor, other: Tensor) -> Tensor:
    """Which latents [m, d] have one of nearly the same direction in another model, bool [m]."""
    decoder, other = (torch.nn.functional.normalize(rows, dim=1) for rows in (decoder, other))
    return torch.cat([(part @ other.T).amax(dim=1) > SAME for part in decoder.split(BLOCK)])


def _blocks(weights: Weights, h: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    for part in h.split(BLOCK):
        yield part, torch.addmm(weights.bias, part - weights.before, weights.encoder.T)


def _error(weights: Weights, h: Tensor, codes: Tensor) -> Tensor:
    return (h - (codes @ weights.decoder + weights.after)).double().square().sum()
