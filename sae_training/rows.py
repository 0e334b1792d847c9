"""Training rows: checked, held in memory when they fit, split by hash, reshuffled every epoch.

Rows are drawn in the order of their hashes, so a model depends on which rows there are, not on their stored order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from sae_training import distributed
from sae_training.errors import SaeError
from sae_training.memory import machine_memory
from sae_training.splitmix import splitmix64

CHUNK_ROWS = 8192
MAXIMUM_MEMORY_SHARE = 0.25  # of the machine's memory, over all its processes
MINIMUM_ROWS = 100  # with fewer, nothing can be learnt, held out and measured
MAXIMUM_HELD_OUT_ROWS = 16_384  # in each held-out part; they give L0 to half a percent


class RowSource(Protocol):
    """Anything with a shape [n, d] that gives floating rows for a slice or an array of indices.

    `hashes`, uint64 [n], where there is one, identifies rows by content for the split.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, index: Any) -> Any: ...


class Rows:
    """Checked rows, split into calibration, measuring and training rows.

    Args:
        source: [n, d], floating.
        calibration_share: of the rows, held out for the threshold.
        measuring_share: of the rows, held out for the measures.

    Raises:
        SaeError: wrong shape or type, too few rows, a row that is not finite, rows all the same.
    """

    def __init__(self, source: RowSource, calibration_share: float = 0.1, measuring_share: float = 0.05) -> None:
        self.n, self.d = _checked_shape(source)
        self._source = source
        fits = self.n * self.d * 4 <= MAXIMUM_MEMORY_SHARE * machine_memory() / distributed.local_size()
        self._held = torch.empty(self.n, self.d) if fits else None
        given = getattr(source, "hashes", None)
        hashes = np.empty(self.n, dtype=np.uint64) if given is None else np.asarray(given, dtype=np.uint64)
        for start in range(0, self.n, CHUNK_ROWS):
            chunk = _floats(source[start : start + CHUNK_ROWS])
            _check_finite(chunk, start)
            if given is None:
                hashes[start : start + CHUNK_ROWS] = _hash_rows(chunk)
            if self._held is not None:
                self._held[start : start + CHUNK_ROWS] = torch.from_numpy(chunk)
        mixed = splitmix64(hashes)  # uniform, unrelated to any other split by the same hashes
        self.digest = hashlib.sha256(np.sort(mixed).tobytes()).hexdigest()  # identifies the set of rows
        self.calibration, self.measuring, self.training = _split(mixed, calibration_share, measuring_share)

    def hold_on(self, device: torch.device) -> None:
        """Move rows that are held in memory to a GPU's, where they fit there too."""
        if self._held is not None and device.type == "cuda" and self._held.device != device:
            free, _ = torch.cuda.mem_get_info(device)
            if self._held.numel() * 4 <= MAXIMUM_MEMORY_SHARE * free:
                self._held = self._held.to(device)

    def take(self, index: Tensor) -> Tensor:
        """Rows float32 [k, d] at int64 positions [k]."""
        return self.fetch(index).cpu()

    def fetch(self, index: Tensor) -> Tensor:
        """As `take`, but on the device that holds the rows."""
        if self._held is not None:
            return self._held[index.to(self._held.device)]
        positions, back = np.unique(
            index.numpy(), return_inverse=True
        )  # ascending, so that the file is read front to back
        return torch.from_numpy(_floats(self._source[positions])[back])

    def chunks(self, index: Tensor) -> Iterator[Tensor]:
        """The rows at `index`, some thousands at a time."""
        for part in index.split(CHUNK_ROWS):
            yield self.take(part)

    def moments(self) -> tuple[Tensor, float]:
        """Mean mu [d] of the training rows, and the scale s at which the mean of |(x - mu) / s|^2 over them is d.

        Raises:
            SaeError: all training rows are the same.
        """
        total = torch.zeros(self.d, dtype=torch.float64)
        for chunk in self.chunks(self.training):
            total += chunk.sum(dim=0, dtype=torch.float64)
        mean = total / len(self.training)
        squares = sum(float((chunk.double() - mean).square().sum()) for chunk in self.chunks(self.training))
        scale = (squares / (len(self.training) * self.d)) ** 0.5
        if scale < 1e-6:
            raise SaeError(f"all {len(self.training)} training rows are the same: nothing can be learnt from them")
        return mean.float(), scale


class ShuffledBatches:
    """Sampler of whole batches: every epoch a full shuffle of the training rows, which depends on seed and epoch alone.

    The batches of an epoch differ in size by one row at most; none is above `batch_size`. Each process gets its share
    of every batch.

    Args:
        index: positions of the training rows, int64 [n].
        batch_size: rows per batch, over all processes.
        seed: of the run.
        steps: number of batches.
        multiple: a process's share of a batch starts at a multiple of this many rows.
    """

    def __init__(self, index: Tensor, batch_size: int, seed: int, steps: int, multiple: int = 1) -> None:
        self._index, self._seed, self._steps, self._multiple = index, seed, steps, multiple
        self.batches = -(-len(index) // batch_size)  # in an epoch
        self.start = 0  # the step to begin with

    def __len__(self) -> int:
        return self._steps

    def __iter__(self) -> Iterator[Tensor]:
        epoch, shuffled = -1, self._index
        for step in range(self.start, self._steps):
            if step // self.batches != epoch:
                epoch = step // self.batches
                order = np.random.default_rng([self._seed, epoch]).permutation(len(self._index))
                shuffled = self._index[torch.from_numpy(order)]
            first, last = self._share(step % self.batches)
            yield shuffled[first:last]

    def _share(self, place: int) -> tuple[int, int]:
        """Where this process's share of an epoch's batch begins and ends."""
        size, longer = divmod(len(self._index), self.batches)
        first = place * size + min(place, longer)
        rows = size + (place < longer)
        cut = [
            rows * part // distributed.size() // self._multiple * self._multiple for part in range(distributed.size())
        ]
        begin, end = [*cut, rows][distributed.rank() : distributed.rank() + 2]
        return first + begin, first + end


class ConcatenatedRows:
    """Several sources as one, one after the other.

    Args:
        sources: of one width.

    Raises:
        SaeError: of different widths.
    """

    def __init__(self, sources: Sequence[RowSource]) -> None:
        widths = sorted({int(source.shape[1]) for source in sources})
        if len(widths) > 1:
            raise SaeError(f"sets of rows have widths {', '.join(map(str, widths))}: use one encoder for all")
        self._sources = sources
        self._starts = np.cumsum([0, *(source.shape[0] for source in sources)])
        self.shape = (int(self._starts[-1]), widths[0])
        given = [getattr(source, "hashes", None) for source in sources]
        known = [one for one in given if one is not None]
        self.hashes = np.concatenate(known) if len(known) == len(given) else None

    def __getitem__(self, index: slice | np.ndarray) -> np.ndarray:
        if isinstance(index, slice):
            start, stop, step = index.indices(self.shape[0])
            source = int(np.searchsorted(self._starts, start, side="right")) - 1
            first = int(self._starts[source])
            if step == 1 and start < stop <= self._starts[source + 1]:
                return _floats(self._sources[source][start - first : stop - first])
            index = np.arange(start, stop, step)
        positions = np.asarray(index)
        found = np.empty((len(positions), self.shape[1]), np.float32)
        which = np.searchsorted(self._starts, positions, side="right") - 1
        for source in np.unique(which):
            mine = which == source
            found[mine] = _floats(self._sources[source][positions[mine] - self._starts[source]])
        return found


def _checked_shape(source: RowSource) -> tuple[int, int]:
    shape = tuple(getattr(source, "shape", ()))
    if len(shape) != 2:
        raise SaeError(f"rows have shape {list(shape)}, expected [n, d]: give one row per item")
    if shape[1] < 2:
        raise SaeError(f"rows have width {shape[1]}: at least 2 needed")
    if shape[0] < MINIMUM_ROWS:
        raise SaeError(
            f"{shape[0]} rows are too few to train on, at least {MINIMUM_ROWS} needed: add data or use a trained model"
        )
    return shape[0], shape[1]


def _floats(chunk: Any) -> np.ndarray:
    chunk = chunk.detach().cpu().numpy() if isinstance(chunk, Tensor) else np.asarray(chunk)
    if not np.issubdtype(chunk.dtype, np.floating):
        raise SaeError(f"rows are {chunk.dtype}, expected floating numbers: convert them to float32")
    return np.ascontiguousarray(chunk, dtype=np.float32)


def _check_finite(chunk: np.ndarray, start: int) -> None:
    bad = np.flatnonzero(~np.isfinite(chunk).all(axis=1)) + start
    if len(bad):
        more = ", ..." if len(bad) > 5 else ""
        raise SaeError(
            f"rows that are not finite numbers: {', '.join(map(str, bad[:5]))}{more} "
            f"({len(bad)} among those read so far): remove them or embed them again"
        )


def _split(mixed: np.ndarray, calibration: float, measuring: float) -> tuple[Tensor, Tensor, Tensor]:
    """Positions of calibration, measuring and training rows, each in the order of the hashes.

    Rows of the same content have the same hash, and land in the same part.
    """
    order = np.argsort(mixed, kind="stable")
    n = len(mixed)
    at_most = MAXIMUM_HELD_OUT_ROWS / n
    place = mixed[order].astype(np.float64) / 2.0**64  # uniform in [0, 1)
    first = min(calibration, at_most)
    second = first + min(measuring, at_most)
    cuts = np.searchsorted(place, [first, second])
    parts = [torch.from_numpy(part) for part in np.split(order, cuts)]
    if min(map(len, parts)) == 0:
        raise SaeError(
            f"{n} rows with {len(np.unique(mixed))} different contents cannot be split for training: add data"
        )
    return parts[0], parts[1], parts[2]


def _hash_rows(rows: np.ndarray) -> np.ndarray:
    """uint64 [n] from the bits of float32 rows: a sum of words times odd constants, modulo 2^64."""
    words = rows.view(np.uint32).astype(np.uint64)
    odd = np.random.default_rng(0).integers(0, 2**63, rows.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    return (words * odd).sum(axis=1, dtype=np.uint64)
