"""How long a training step takes: all tools turn by turn in one process, so that a noisy machine disturbs all alike."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import cycle, pairwise
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from benchmarks.sae_ours import OURS, OURS_BF16, Bare, BareRun, Data, our_steps, started, superposed
from benchmarks.sae_peers import PEERS, Task
from sae_training.module import SaeModule
from sae_training.settings import TrainSettings
from sae_training.training import train

K, RATE = 20, 1e-3
POOL = 4  # batches, taken in turn
HELD_DEAD = 0.1  # share of the latents
LONG = 100_000  # steps that a timed run claims to have: none of those timed sees a latent die or the rate fall
PRODUCT, KEPT = "encoder product", "encoder product, into kept memory"
AUX_ON, AUX_OFF = "ours, 10 % dead", "ours, 10 % dead, no auxiliary term"
BARE, LIGHTNING = "ours in a bare loop", "ours in Lightning"
WITH_ADAM = "sparsify, with Adam"

Times = dict[str, list[float]]  # seconds of each contender's steps, round by round


class Timed(Protocol):
    """Anything that takes steps."""

    def step(self, h: Tensor) -> None:
        """One step on rows [rows, d]."""


class Shape(NamedTuple):
    """Of one step."""

    d: int
    m: int
    rows: int


class Bar(NamedTuple):
    """What is asked of the median over all rounds of one step's time over another's."""

    above: str
    below: str
    limit: float
    at_most: bool


FIRST, SECOND, ON_GPU = Shape(768, 6144, 4096), Shape(512, 8192, 1024), Shape(768, 49152, 4096)
BARS: dict[Shape, list[Bar]] = {
    FIRST: [
        Bar(OURS, PRODUCT, 1.45, True),
        Bar(OURS_BF16, PRODUCT, 1.05, True),
        Bar("dictionary-learning", OURS, 6.0, False),
        Bar("sparsify", OURS, 1.5, False),
        Bar(WITH_ADAM, OURS, 1.5, False),
        Bar(AUX_ON, AUX_OFF, 1.3, True),
    ],
    SECOND: [
        Bar(OURS, PRODUCT, 1.75, True),
        Bar("dictionary-learning", OURS, 6.0, False),
        Bar("sparsify", OURS, 1.25, False),
        Bar(WITH_ADAM, OURS, 1.25, False),
        Bar(AUX_ON, AUX_OFF, 1.3, True),
    ],
}
LIGHTNING_BARS = [Bar(LIGHTNING, BARE, 1.05, True)]
GPU_BARS = [Bar("dictionary-learning", OURS_BF16, 3.0, False), Bar("sparsify", OURS_BF16, 1.5, False)]


def steps_in_turn(shape: Shape, rounds: int, warmup: int, device: str = "cpu") -> Times:
    """Times the product and every tool's training steps.

    Args:
        shape: of a step.
        rounds: that count.
        warmup: rounds before them.
        device: where.
    """
    rows = torch.from_numpy(superposed(POOL * shape.rows, shape.d))
    rows = (rows - rows.mean(0)).to(device)
    pool = (rows / rows.square().mean().sqrt()).split(shape.rows)
    steps = {
        name: partial(_next_step, make(), cycle(pool)) for name, make in contenders(task_of(shape, device)).items()
    }
    return alternate(steps, rounds, warmup, torch.cuda.synchronize if device == "cuda" else _nothing)


def task_of(shape: Shape, device: str = "cpu") -> Task:
    """What everybody is timed at."""
    return Task(shape.d, shape.m, K, shape.rows, LONG, device=device)


def contenders(task: Task) -> dict[str, Callable[[], Timed]]:
    """What can be timed here: makers, by name.

    Args:
        task: without a rate, so that peers are as they are by default.
    """
    ours = replace(task, lr=RATE)
    found: dict[str, Callable[[], Timed]] = {
        PRODUCT: partial(Product, task),
        KEPT: partial(Product, task, kept=True),
    }
    found |= {name: partial(Bare, ours, **settings) for name, settings in our_steps(task.device).items()}
    found[AUX_ON] = partial(Bare, ours, HELD_DEAD)
    found[AUX_OFF] = partial(Bare, ours, HELD_DEAD, aux_weight=0.0)
    found |= {name: partial(peer.make, task) for name, peer in PEERS.items() if peer.installed}
    if PEERS["sparsify"].installed:
        found[WITH_ADAM] = partial(PEERS["sparsify"].make, ours)
    return found


class Product:
    """The product that every step begins with, and nothing else.

    Args:
        task: how large.
        kept: whether the result goes into the same memory every time; fresh memory of that size takes time too.
    """

    def __init__(self, task: Task, kept: bool = False) -> None:
        draw = torch.Generator().manual_seed(task.seed)
        self.weights = torch.randn(task.m, task.d, generator=draw).to(task.device)
        self.bias = torch.zeros(task.m, device=task.device)
        self.out = self.weights.new_empty(task.batch, task.m) if kept else None

    def step(self, h: Tensor) -> None:
        """For rows [rows, d]."""
        torch.addmm(self.bias, h, self.weights.T, out=self.out)


def alternate(
    steps: Mapping[str, Callable[[], None]], rounds: int, warmup: int, wait: Callable[[], None]
) -> dict[str, list[float]]:
    """Each takes one step a round, in an order drawn anew every round.

    Args:
        steps: by name.
        rounds: that count.
        warmup: rounds before them.
        wait: until the device is done.
    """
    order, draw = list(steps), random.Random(0)
    times: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(warmup + rounds):
        draw.shuffle(order)
        for name in order:
            start = time.perf_counter()
            steps[name]()
            wait()
            if turn >= warmup:
                times[name].append(time.perf_counter() - start)
    return times


def lightning_and_bare(shape: Shape, rounds: int, warmup: int) -> Times:
    """A whole training, and between its steps those of a bare loop from the same start on the same batches.

    Args:
        shape: of a step; its latents a multiple of its width.
        rounds: that count.
        warmup: rounds before them.
    """
    rows, steps = superposed(8 * shape.rows, shape.d), rounds + warmup + 1
    # nothing dies: how much the auxiliary term has to do would differ from step to step
    settings = TrainSettings(shape.m // shape.d, K, batch_size=shape.rows, steps=steps, dead_window=1.0)
    data, bare = Data.of(rows), BareRun(SaeModule(started(rows, settings), settings, steps, steps * shape.rows))
    positions = data.positions(settings)
    marks: list[float] = []

    def between(stage: str, done: int, total: int | None) -> None:
        if len(marks) < 2 * steps:
            marks.append(time.perf_counter())
            bare.step(data.rows.take(next(positions)))
            marks.append(time.perf_counter())

    train(rows, settings, progress=between)
    spent = [later - earlier for earlier, later in pairwise(marks)]
    return {BARE: spent[::2][warmup + 1 :], LIGHTNING: spent[1::2][warmup:]}


def ratio(times: Times, above: str, below: str) -> float | None:
    """The median over the rounds of one time over another; None where one of them was not timed."""
    if above not in times or below not in times:
        return None
    return statistics.median(a / b for a, b in zip(times[above], times[below], strict=True))


def _next_step(contender: Timed, batches: cycle[Tensor]) -> None:
    contender.step(next(batches))


def _nothing() -> None:
    """A processor is done when it returns."""
