"""An embedding set: unit vectors of images with what is known of each, memory-mapped or in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from latentdiff.errors import LatentDiffError

if TYPE_CHECKING:
    from latentdiff.encoders import Encoder

BLOCK = 8192  # rows handled at once where all are gone through


class RowsBySlice(Protocol):
    """What gives rows [k, d] for a slice: a set, a view of one, an array."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: slice, /) -> np.ndarray: ...


class EmbeddingSet:
    """Embeddings of a set of images (docs/methods.md, 3).

    Args:
        parts: the embeddings in order, [rows, d] each, float16 or float32, of any length; they are not copied.
        table: one row per embedding: id, uri, hash (uint64), width, height, brightness (mean luma, 0 to 1) and the
            source's metadata; of these, a set without images has what it knows.
        skipped: uri and reason of what could not be embedded.
        encoder: name of the encoder, None if unknown.
        fingerprint: of the encoder, None if unknown.
        source: where the images came from, as the user put it.
        path: of the set on disk, None in memory.
    """

    def __init__(
        self,
        parts: list[np.ndarray],
        table: pa.Table,
        skipped: pa.Table | None = None,
        encoder: str | None = None,
        fingerprint: str | None = None,
        source: str = "",
        path: Path | None = None,
    ) -> None:
        self._parts = parts
        self._starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
        self._picked: np.ndarray | None = None
        self.table = table
        self.skipped = no_skips() if skipped is None else skipped
        self.encoder, self.fingerprint, self.source, self.path = encoder, fingerprint, source, path
        self.d: int = int(parts[0].shape[1])
        if self._starts[-1] != table.num_rows:
            raise LatentDiffError(
                f"{_label(self)}: {self._starts[-1]} embeddings, but {table.num_rows} rows in its table"
            )

    @property
    def n(self) -> int:
        """How many embeddings."""
        return self.table.num_rows

    @property
    def shape(self) -> tuple[int, int]:
        """(n, d)."""
        return self.n, self.d

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: slice | np.ndarray) -> np.ndarray:
        return self.rows(index)

    def rows(self, index: slice | np.ndarray) -> np.ndarray:
        """Embeddings by position.

        Args:
            index: a slice, or an int or bool array.

        Returns:
            [k, d] float32, unit length.

        Raises:
            LatentDiffError: one of them is not a number, infinite or zero.
        """
        found = self._gather(index)
        norms = np.linalg.norm(found, axis=1)[:, None]
        if not _usable(norms).all():
            bad = self._positions(index)[~_usable(norms[:, 0])]
            raise LatentDiffError(_bad_rows(_label(self), bad))
        return np.divide(found, norms, out=found)

    def sample(self, count: int) -> np.ndarray:
        """At most `count` rows [k, d], chosen by content: the order of the set does not matter."""
        return self.rows(np.argsort(self.hashes, kind="stable")[:count])

    def select(self, index: np.ndarray) -> EmbeddingSet:
        """The set with only these rows, in this order; a view, the embeddings stay where they are.

        Args:
            index: int or bool array.
        """
        positions = self._positions(index)
        view = EmbeddingSet.__new__(EmbeddingSet)
        view.__dict__ = {k: v for k, v in self.__dict__.items() if k not in ("hashes", "digest")}
        view._picked = positions
        view.table = self.table.take(pa.array(np.arange(self.n)[index]))
        if "hashes" in self.__dict__:
            view.__dict__["hashes"] = self.hashes[index]
        return view

    @cached_property
    def hashes(self) -> np.ndarray:
        """uint64 [n]: of the content of each image file; of the embedding, where there is no file."""
        if "hash" in self.table.column_names and pa.types.is_uint64(self.table.schema.field("hash").type):
            return self.table.column("hash").to_numpy()
        halves = (block.astype("<f2") for block in blocks(self))
        return np.array([content_hash(row.tobytes()) for block in halves for row in block], dtype=np.uint64)

    @cached_property
    def digest(self) -> str:
        """Identifies the set, whatever the order of its rows."""
        digest = hashlib.blake2b((self.fingerprint or "").encode(), digest_size=16)
        digest.update(np.sort(self.hashes).astype("<u8").tobytes())
        return digest.hexdigest()

    def _positions(self, index: slice | np.ndarray) -> np.ndarray:
        if isinstance(index, slice):
            index = np.arange(*index.indices(self.n))
        index = np.asarray(index)
        index = np.flatnonzero(index) if index.dtype == bool else np.where(index < 0, index + self.n, index)
        return index if self._picked is None else self._picked[index]

    def _gather(self, index: slice | np.ndarray) -> np.ndarray:
        if isinstance(index, slice) and self._picked is None:
            start, stop, step = index.indices(self.n)
            if step == 1:
                return self._stretch(start, max(start, stop))
        positions = self._positions(index)
        found = np.empty((len(positions), self.d), np.float32)
        part_of = np.searchsorted(self._starts, positions, side="right") - 1
        for part in np.unique(part_of):
            here = part_of == part
            found[here] = self._parts[part][positions[here] - self._starts[part]]
        return found

    def _stretch(self, start: int, stop: int) -> np.ndarray:
        found = np.empty((stop - start, self.d), np.float32)
        for part, first in zip(self._parts, self._starts[:-1], strict=True):
            low, high = max(start, int(first)), min(stop, int(first) + len(part))
            if low < high:
                found[low - start : high - start] = part[low - first : high - first]
        return found


def check_rows(embeddings: EmbeddingSet) -> EmbeddingSet:
    """Go through all rows of a set that came from elsewhere.

    Raises:
        LatentDiffError: rows that are not numbers, infinite or zero: how many, and the first of them.
    """
    starts = range(0, embeddings.n, BLOCK)
    norms = [np.linalg.norm(embeddings._gather(slice(start, start + BLOCK)), axis=1) for start in starts]
    bad = np.flatnonzero(~_usable(np.concatenate(norms)))
    if len(bad):
        raise LatentDiffError(_bad_rows(_label(embeddings), bad))
    return embeddings


def check_same_space(a: EmbeddingSet, b: EmbeddingSet) -> None:
    """Make sure that two sets were made by the same encoder, as far as they know.

    Raises:
        LatentDiffError: they differ in width or in the encoder's fingerprint.
    """
    if a.d != b.d:
        raise LatentDiffError(
            f"embeddings of different width: {_label(a)} has {a.d}, {_label(b)} has {b.d}; embed both with one encoder"
        )
    if a.fingerprint and b.fingerprint and a.fingerprint != b.fingerprint:
        raise LatentDiffError(
            f"embeddings of different encoders: {_label(a)} is of {a.fingerprint}, {_label(b)} of {b.fingerprint}; "
            "embed both with one encoder"
        )


def check_encoder(label: str, embeddings: EmbeddingSet, encoder: Encoder) -> None:
    """Make sure that a set was made by the encoder that it is used with, as far as it knows.

    Args:
        label: what to call the set in the message.
        embeddings: the set.
        encoder: the one that is used.

    Raises:
        LatentDiffError: it is of another encoder, or of another width.
    """
    hint = "name the encoder that made it with encoder=..."
    if embeddings.fingerprint not in (None, encoder.fingerprint):
        raise LatentDiffError(
            f"{label} was embedded with {embeddings.fingerprint}, the encoder is {encoder.fingerprint}; {hint}"
        )
    if embeddings.d != encoder.dimension:
        raise LatentDiffError(f"{label} has width {embeddings.d}, {encoder.name} makes {encoder.dimension}; {hint}")


def blocks(rows: RowsBySlice) -> Iterator[np.ndarray]:
    """All rows in their order, BLOCK at a time."""
    return (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))


def mean_of(rows: RowsBySlice) -> npt.NDArray[np.float64]:
    """[d] mean embedding of a set."""
    return total_of(rows) / len(rows)


def pooled_mean(a: RowsBySlice, b: RowsBySlice) -> npt.NDArray[np.float64]:
    """[d] mean embedding of both sets together, the same whichever comes first."""
    return (total_of(a) + total_of(b)) / (len(a) + len(b))


def total_of(rows: RowsBySlice) -> npt.NDArray[np.float64]:
    """[d] sum of a set's embeddings, block by block."""
    return np.sum([block.sum(0, dtype=np.float64) for block in blocks(rows)], axis=0)


def content_hash(data: bytes) -> int:
    """64-bit BLAKE2b of an image file."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def no_skips() -> pa.Table:
    """A table of skipped images without any."""
    return pa.table({"uri": pa.array([], pa.string()), "reason": pa.array([], pa.string())})


def _label(embeddings: EmbeddingSet) -> str:
    return embeddings.source or str(embeddings.path or "a set in memory")


def _usable(norms: np.ndarray) -> np.ndarray:
    return np.isfinite(norms) & (norms > 0)


def _bad_rows(label: str, bad: np.ndarray) -> str:
    first = ", ".join(map(str, bad[:5])) + (", ..." if len(bad) > 5 else "")
    return (
        f"{label}: {len(bad)} embeddings are not finite or all zero (rows {first}); leave them out or embed them again"
    )
