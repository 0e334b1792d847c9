"""Collectives of the processes that train one model together; in a single process each returns its input.

The processes are those of torch.distributed, started by torchrun (on several machines by `srun torchrun`).
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor


def size() -> int:
    """How many processes there are."""
    return dist.get_world_size() if _together() else 1


def rank() -> int:
    """Which of them this is, from 0."""
    return dist.get_rank() if _together() else 0


def local_size() -> int:
    """How many processes torchrun has started on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1))


def gather(values: Tensor) -> Tensor:
    """The values [n] of all processes, concatenated; n may differ between processes."""
    if not _together():
        return values
    lengths = [torch.zeros((), dtype=torch.int64, device=values.device) for _ in range(size())]
    dist.all_gather(lengths, torch.tensor(len(values), device=values.device))
    longest = int(torch.stack(lengths).max())
    padded = values.new_zeros(longest)
    padded[: len(values)] = values
    parts = [torch.empty_like(padded) for _ in lengths]
    dist.all_gather(parts, padded)
    return torch.cat([part[: int(length)] for part, length in zip(parts, lengths, strict=True)])


def total(value: Tensor) -> Tensor:
    """The sum over processes."""
    return _reduce(value, dist.ReduceOp.SUM)


def smallest(value: Tensor) -> Tensor:
    """The minimum over processes."""
    return _reduce(value, dist.ReduceOp.MIN)


def anywhere(mask: Tensor) -> Tensor:
    """Where a mask is true in any process."""
    return _reduce(mask.to(torch.uint8), dist.ReduceOp.MAX).bool() if _together() else mask


def join() -> None:
    """Connect the processes that torchrun has started, before Lightning would."""
    started = "RANK" in os.environ and int(os.environ.get("WORLD_SIZE", 1)) > 1
    if started and dist.is_available() and not dist.is_initialized():
        atexit.register(_leave)
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backend, timeout=timedelta(days=2))  # others wait while the first embeds


@contextmanager
def first_alone() -> Iterator[None]:
    """Run the block in the first process before the others, which find what it makes."""
    if rank() > 0:
        dist.barrier()
    yield
    if rank() == 0 and size() > 1:
        dist.barrier()


def _leave() -> None:
    """Disconnect: gloo aborts a process that just ends."""
    if dist.is_initialized():
        dist.destroy_process_group()


def _reduce(value: Tensor, how: dist.ReduceOp.RedOpType) -> Tensor:
    if not _together():
        return value
    value = value.clone()
    dist.all_reduce(value, how)
    return value


def _together() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
