"""How much memory training takes: what a process grows by, at its peak, in a process of its own for each tool."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch

from benchmarks.sae_timing import Shape, contenders, task_of

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
SMALL = Shape(32, 64, 32)


def peaks(shape: Shape, steps: int, names: Iterable[str]) -> dict[str, float]:
    """MiB by which some training steps, with all that they need, raise a process's resident memory at most.

    Args:
        shape: of a step.
        steps: to take.
        names: of what `contenders` makes.
    """
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        return {name: pool.submit(_peak, name, shape, steps).result() for name in names}


def _peak(name: str, shape: Shape, steps: int) -> float:
    _run(name, SMALL, 1)  # whatever is imported at the first use is no part of it
    gc.collect()
    CLEAR.write_text("5")  # the peak so far is forgotten
    before = _kib("VmRSS")
    _run(name, shape, steps)
    return (_kib("VmHWM") - before) / 1024


def _run(name: str, shape: Shape, steps: int) -> None:
    h = torch.randn(shape.rows, shape.d)
    contender = contenders(task_of(shape))[name]()
    for _ in range(steps):
        contender.step(h)


def _kib(field: str) -> int:
    return next(int(row.split()[1]) for row in STATUS.read_text().splitlines() if row.startswith(f"{field}:"))
