"""Images to an embedding set: read and decoded by threads, embedded in batches, written part by part."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from latentdiff.embeddings.columns import metadata_columns
from latentdiff.embeddings.parts import (
    Part,
    SetInfo,
    Skip,
    assemble,
    clear,
    is_set,
    open_own,
    read_info,
    read_parts,
    sweep,
    write_info,
    write_part,
    write_skipped,
)
from latentdiff.embeddings.store import EmbeddingSet, content_hash
from latentdiff.encoders import PRECISIONS, load_encoder
from latentdiff.encoders.protocol import Encoder
from latentdiff.errors import LatentDiffError
from latentdiff.images import ImageRecord, ImageSource, decode, open_source
from sae_training.progress import Progress

if TYPE_CHECKING:
    from torch import Tensor


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EmbedSettings:
    """How images are embedded."""

    batch_size: int = 64  # images the encoder gets at once
    workers: int = 0  # threads that read and decode; 0: one per core
    device: str = "auto"  # cpu, cuda, cuda:1, ...; auto: a GPU where there is one
    precision: str = "auto"  # of the image tower: float32, bfloat16; auto: bfloat16 on a GPU only
    dtype: str = "float16"  # of the embeddings kept: float16 or float32
    part_rows: int = 8192  # rows of a part on disk; what a kill can cost
    overwrite: bool = False  # replace another set that lies in the folder

    def __post_init__(self) -> None:
        for key, limit in (("batch_size", 1), ("workers", 0), ("part_rows", 1)):
            if getattr(self, key) < limit:
                raise LatentDiffError(f"embed.{key}={getattr(self, key)} is too small; it must be at least {limit}")
        for key, valid in (("precision", PRECISIONS), ("dtype", ("float16", "float32"))):
            if getattr(self, key) not in valid:
                raise LatentDiffError(f"embed.{key}={getattr(self, key)} is not valid; take one of {', '.join(valid)}")


def embed(
    source: str | Path | ImageSource,
    encoder: Encoder | str = "mini",
    out: Path | str | None = None,
    *,
    settings: EmbedSettings | None = None,
    progress: Progress | None = None,
) -> EmbeddingSet:
    """Embed a set of images (docs/methods.md, 3).

    A finished set of the same source and encoder in `out` is taken as it is; an unfinished one is gone on with.
    Every image is embedded or listed as skipped, with the reason.

    Args:
        source: of images, as `open_source` takes it.
        encoder: one that is loaded, or its name.
        out: folder for the set; None keeps it in memory.
        settings: batch size, threads, device, ...
        progress: called with ("embed", images gone through, images in all or None).

    Raises:
        LatentDiffError: no such source or encoder, no image could be read, or `out` holds another set.
    """
    settings = settings or EmbedSettings()
    images = open_source(source)
    if isinstance(encoder, str):
        encoder = load_encoder(encoder, settings.device, settings.precision)
    info = SetInfo(encoder.name, encoder.fingerprint, encoder.dimension, settings.dtype, images.spec, images.stamp())
    if out is None:
        parts = list(_parts(images, encoder, settings, 0, progress))
        _check_not_empty(images, parts)
        return assemble(parts, info, None)
    return _embed_to(Path(out), images, encoder, info, settings, progress)


def _embed_to(
    out: Path, images: ImageSource, encoder: Encoder, info: SetInfo, settings: EmbedSettings, progress: Progress | None
) -> EmbeddingSet:
    done: list[Part] = []
    if is_set(out):
        before = read_info(out)
        if _same(before, info):
            if before.complete:
                return open_own(out)
            done = read_parts(out)
        elif not settings.overwrite:
            _refuse_or_log(out, before, info)
    sweep(out)
    if not done:
        clear(out)
        write_info(out, info)
    try:
        for part in _parts(images, encoder, settings, done[-1].consumed if done else 0, progress):
            write_part(out, len(done), part)
            done.append(part)
        _check_not_empty(images, done)
    except LatentDiffError:
        if not any(len(part.embeddings) for part in done):
            clear(out)
            with suppress(OSError):
                out.rmdir()  # only if it is empty
        raise
    skipped = [skip for part in done for skip in part.skipped]
    write_skipped(out, skipped)
    rows = sum(len(part.embeddings) for part in done)
    write_info(out, replace(info, rows=rows, skipped=len(skipped), complete=True))
    return open_own(out)


def _same(before: SetInfo, now: SetInfo) -> bool:
    return all(getattr(before, key) == getattr(now, key) for key in ("fingerprint", "stamp", "dtype", "format_version"))


def _refuse_or_log(out: Path, before: SetInfo, now: SetInfo) -> None:
    for what, old, new in (
        ("encoder", before.fingerprint, now.fingerprint),
        ("source", before.source, now.source),
        ("dtype", before.dtype, now.dtype),
    ):
        if old != new:
            raise LatentDiffError(
                f"{out} holds an embedding set of another {what} ({old}, not {new}); "
                "name another folder or set embed.overwrite=true"
            )
    log.info("%s has changed since %s was written: embedding it again", now.source, out)


@dataclass(frozen=True)
class _Row:
    """What the table says of an image."""

    record: ImageRecord  # without its content
    hash: int
    width: int
    height: int
    brightness: float  # mean luma, 0 to 1


@dataclass
class _Pending:
    """What the part that is being made has so far."""

    embeddings: list[np.ndarray] = field(default_factory=list)
    rows: list[_Row] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)


_Read = tuple[_Row, "Tensor"]  # an image that was read, and its pixels [3, h, w]


def _parts(
    images: ImageSource, encoder: Encoder, settings: EmbedSettings, skip: int, progress: Progress | None
) -> Iterator[Part]:
    """The parts after the first `skip` records. Batches begin anew with every part, so a resumed run makes the same."""
    pending, batch, consumed = _Pending(), list[_Read](), skip
    for found in _read_all(images, encoder, settings, skip):
        consumed += 1
        if isinstance(found[1], str):
            pending.skipped.append(found)
        else:
            batch.append(found)
        full = len(pending.rows) + len(batch) == settings.part_rows
        if batch and (full or len(batch) == settings.batch_size):
            _encode(batch, encoder, settings, pending)
            batch = []
        if progress:
            progress("embed", consumed, images.count)
        if full:
            yield _finish(pending, encoder, consumed)
            pending = _Pending()
    if batch:
        _encode(batch, encoder, settings, pending)
    if pending.rows or pending.skipped:
        yield _finish(pending, encoder, consumed)


def _read_all(images: ImageSource, encoder: Encoder, settings: EmbedSettings, skip: int) -> Iterator[_Read | Skip]:
    """Images in the order of the source, or uri and reason where one cannot be read."""
    workers = settings.workers or os.cpu_count() or 1
    waiting: deque[Future[_Read | Skip]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for record in islice(iter(images), skip, None):
                waiting.append(pool.submit(_read, record, encoder))
                if len(waiting) >= settings.batch_size + 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _read(record: ImageRecord, encoder: Encoder) -> _Read | Skip:
    from PIL import ImageStat

    try:
        data = record.read()
        image = decode(data)
    except (OSError, LatentDiffError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        return record.uri, " ".join(reason.split())
    brightness = ImageStat.Stat(image.convert("L")).mean[0] / 255
    known = replace(record, read=bytes)  # or a shard's bytes stay in memory until the part is full
    return _Row(known, content_hash(data), image.width, image.height, brightness), encoder.preprocess(image)


def _encode(batch: list[_Read], encoder: Encoder, settings: EmbedSettings, pending: _Pending) -> None:
    import torch

    embeddings = encoder.encode_images(torch.stack([pixels for _, pixels in batch])).numpy()
    bad = [row.record.uri for (row, _), found in zip(batch, embeddings, strict=True) if not np.isfinite(found).all()]
    if bad:
        raise LatentDiffError(
            f"{encoder.name} gives no finite embedding for {len(bad)} of {len(batch)} images, first {bad[0]}; "
            "try embed.precision=float32"
        )
    pending.embeddings.append(embeddings.astype(settings.dtype))
    pending.rows.extend(row for row, _ in batch)


def _finish(pending: _Pending, encoder: Encoder, consumed: int) -> Part:
    rows = pending.rows
    columns: dict[str, Any] = {
        "id": pa.array([row.record.id for row in rows], pa.string()),
        "uri": pa.array([row.record.uri for row in rows], pa.string()),
        "hash": pa.array([row.hash for row in rows], pa.uint64()),
        "width": pa.array([row.width for row in rows], pa.int32()),
        "height": pa.array([row.height for row in rows], pa.int32()),
        "brightness": pa.array([row.brightness for row in rows], pa.float32()),
        **metadata_columns([row.record.metadata for row in rows]),
    }
    nothing = np.zeros((0, encoder.dimension), np.float32)
    return Part(np.concatenate(pending.embeddings or [nothing]), pa.table(columns), tuple(pending.skipped), consumed)


def _check_not_empty(images: ImageSource, parts: list[Part]) -> None:
    if any(len(part.embeddings) for part in parts):
        return
    skipped = [skip for part in parts for skip in part.skipped]
    if not skipped:
        raise LatentDiffError(f"{images.spec} holds no image")
    uri, reason = skipped[0]
    raise LatentDiffError(
        f"none of the {len(skipped)} images of {images.spec} can be read; the first is {uri} ({reason})"
    )
