"""Holds a statistic (update, merge, compute) to an independent twin: whole, in shards, merged, over processes."""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from datetime import timedelta
from functools import cache, reduce
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch.distributed as dist
from torchmetrics import Metric

PROCESSES = 2
Update = tuple[Any, ...]  # the arguments of one call of `update`


def check_statistic(
    make: Callable[[], Any],
    arguments: Callable[[slice], Update],
    rows: int,
    expected: Any,
    *,
    read: Callable[[Any], Any] = lambda computed: computed,
    rtol: float = 1e-9,
    atol: float = 1e-12,
) -> None:
    """Assert that a statistic computes what is expected, however its rows reach it.

    In one batch; in shards (an empty one and a single row among them) in several orders; as partial statistics of the
    shards, merged in several orders; and over two processes, by torch's collectives where it is a torchmetrics metric,
    otherwise by merging what the processes return.

    Args:
        make: an empty statistic; picklable, as a class of the package or a partial of one.
        arguments: of `update`, for a slice of the rows.
        rows: in all.
        expected: what an independent library or a loop says: an array, or arrays by name.
        read: from what `compute` returns to the same.
        rtol: relative tolerance.
        atol: absolute tolerance.
    """

    def check(computed: Any, how: str) -> None:
        found = read(computed)
        named = isinstance(expected, Mapping)
        for name, value in (expected if named else {"value": expected}).items():
            message = f"{name}, {how}"
            np.testing.assert_allclose(
                np.asarray(found[name] if named else found), np.asarray(value), rtol, atol, err_msg=message
            )

    shards = [arguments(shard) for shard in _shards(rows)]
    check(_updated(make(), [arguments(slice(0, rows))]).compute(), "in one batch")
    for order in _orders(len(shards)):
        check(_updated(make(), [shards[i] for i in order]).compute(), f"in shards, order {order}")
        parts = [_updated(make(), [shards[i]]) for i in order]
        check(reduce(_merged, parts).compute(), f"merged, order {order}")
    for computed in _over_processes(make, [shards[i::PROCESSES] for i in range(PROCESSES)]):
        check(computed, f"over {PROCESSES} processes")


def _shards(rows: int) -> list[slice]:
    """Of unlike sizes, one of them empty, one a single row."""
    cuts = [0, 1, rows // 4, rows // 4, rows // 2 + 1, rows]
    return [slice(start, stop) for start, stop in pairwise(cuts)]


def _orders(count: int) -> list[Sequence[int]]:
    shuffled = [np.random.default_rng(seed).permutation(count).tolist() for seed in range(3)]
    return [list(range(count)), list(range(count))[::-1], *shuffled]


def _updated(statistic: Any, updates: Sequence[Update]) -> Any:
    for update in updates:
        statistic.update(*update)
    return statistic


def _merged(one: Any, other: Any) -> Any:
    if not isinstance(one, Metric):
        return one.merge(other)
    merged = deepcopy(one)
    merged.merge_state(other)
    return merged


def _over_processes(make: Callable[[], Any], updates: Sequence[Sequence[Update]]) -> list[Any]:
    """What each process computes, or what their merged statistics do."""
    with tempfile.TemporaryDirectory() as folder:
        meeting_point = f"file://{Path(folder) / 'store'}"
        tasks = [
            _processes().submit(_one_process, make, part, rank, meeting_point) for rank, part in enumerate(updates)
        ]
        found = [task.result(timeout=120) for task in tasks]
    return found if isinstance(make(), Metric) else [reduce(_merged, found).compute()]


@cache
def _processes() -> ProcessPoolExecutor:
    """Started once for all statistics; spawned, since a forked process may hang in torch's threads."""
    pool = ProcessPoolExecutor(PROCESSES, get_context("spawn"))
    atexit.register(pool.shutdown)
    return pool


def _one_process(make: Callable[[], Any], updates: Sequence[Update], rank: int, meeting_point: str) -> Any:
    """The process's share: a metric's value over all processes, or the statistic of this one."""
    statistic = _updated(make(), updates)
    if not isinstance(statistic, Metric):
        return statistic
    dist.init_process_group(
        "gloo", init_method=meeting_point, rank=rank, world_size=PROCESSES, timeout=timedelta(seconds=60)
    )
    try:
        return statistic.compute()
    finally:
        dist.destroy_process_group()
