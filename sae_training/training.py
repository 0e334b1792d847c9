"""`train(rows, settings)`: rows in, a calibrated and measured sparse autoencoder out (docs/methods.md, 1)."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sae_training.errors import SaeError
from sae_training.model import SaeMetadata, SparseAutoencoder
from sae_training.rows import Rows
from sae_training.settings import TrainSettings
from sae_training.sparsity import variant

if TYPE_CHECKING:
    from sae_training.module import Progress

DEAD_ROWS = 65_536  # training rows, at most, on which a latent may show that it is alive


def train(
    rows: Any,
    settings: TrainSettings = TrainSettings(),
    *,
    log_dir: Path | str | None = None,
    fingerprint: str | None = None,
    description: str = "",
    progress: Progress | None = None,
) -> SparseAutoencoder:
    """Train, calibrate and measure a sparse autoencoder; on a CPU the same rows and settings give the same bits.

    Args:
        rows: [n, d], unit length: an array, a memory map, a tensor, or anything with `.shape` that gives float rows
            for a slice or an array of positions; `.hashes` (uint64 [n]), where there, identify rows by content.
        settings: how.
        log_dir: where TensorBoard and CSV logs go; None: no logs.
        fingerprint: of the encoder that made the rows; stored.
        description: of the rows, in words; stored.
        progress: called with (stage, done, total).

    Raises:
        SaeError: rows or settings that cannot be trained with; says which and why.
    """
    variant(settings.variant)
    data = Rows(rows, settings.calibration_share, settings.measuring_share)
    latents = settings.expansion_factor * data.d
    if settings.k > latents:
        raise SaeError(
            f"k is {settings.k}, but there are only {latents} latents ({settings.expansion_factor} x {data.d}): lower k"
        )
    steps = _steps(settings, len(data.training))
    record = {"description": description, "rows": data.n, "steps": steps, "settings": asdict(settings)}
    sae = _start(data, latents, settings, SaeMetadata(settings.variant, settings.k, fingerprint, record))
    _fit(sae, data, settings, steps, log_dir, progress)
    sae.eval().requires_grad_(False)
    _finish(sae, data)
    return sae


def _steps(settings: TrainSettings, rows: int) -> int:
    if settings.steps is not None:
        return settings.steps
    batches = math.ceil(rows / settings.rows_of_batch(rows))
    return max(settings.minimum_steps, math.ceil(settings.epochs * batches), 1)


def _start(data: Rows, latents: int, settings: TrainSettings, metadata: SaeMetadata) -> SparseAutoencoder:
    """Standardised, with encoder = decoder = directions of random training residuals."""
    sae = SparseAutoencoder(data.d, latents, metadata)
    mean, scale = data.moments()
    sae.mean.copy_(mean)
    sae.scale.fill_(scale)
    directions = _residuals(data, latents, mean, torch.Generator().manual_seed(settings.seed))
    sae.W_enc.data.copy_(directions)
    sae.W_dec.data.copy_(directions)
    return sae


def _residuals(data: Rows, count: int, mean: Tensor, generator: torch.Generator) -> Tensor:
    """Unit rows [count, d]: each training row at most once as x - mean, the rest differences of two rows.

    No two may be alike: latents that start alike get the same gradient and stay alike.
    """
    n = len(data.training)
    once = data.take(data.training[torch.randperm(n, generator=generator)[:count]]) - mean
    more = count - len(once)
    pairs = torch.randint(n, (2, more), generator=generator)
    between = data.take(data.training[pairs[0]]) - data.take(data.training[pairs[1]])
    jitter = torch.randn(count, data.d, generator=generator)
    found = torch.cat([once, between])
    # a trace of noise parts duplicates, and gives a row that is exactly the mean a direction
    found = found + 1e-2 * jitter * (found.norm() / jitter.norm())
    return torch.nn.functional.normalize(found, dim=1)


def _fit(
    sae: SparseAutoencoder,
    data: Rows,
    settings: TrainSettings,
    steps: int,
    log_dir: Path | str | None,
    progress: Progress | None,
) -> None:
    import lightning
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

    from sae_training.module import ProgressCallback, RowsModule, SaeModule

    with _quiet():
        batches = RowsModule(data, settings)
        rows_drawn = round(steps / len(batches.batches) * len(data.training))
        module = SaeModule(sae, settings, steps, rows_drawn)
        loggers = (
            [TensorBoardLogger(log_dir, name="", version=""), CSVLogger(log_dir, name="", version="")]
            if log_dir
            else []
        )
        trainer = lightning.Trainer(
            max_steps=steps,
            accelerator=settings.device,
            devices=1,
            gradient_clip_val=settings.gradient_clip or None,
            logger=loggers or False,
            callbacks=[ProgressCallback(progress, steps)] if progress else [],
            limit_val_batches=1.0 if loggers else 0,
            val_check_interval=max(1, steps // 10),
            check_val_every_n_epoch=None,
            num_sanity_val_steps=0,
            log_every_n_steps=max(1, min(50, steps // 20)),
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, datamodule=batches)
    if not sae.W_dec.isfinite().all():
        raise SaeError(f"training diverged at learning_rate {settings.learning_rate}: lower it")


@contextmanager
def _quiet() -> Iterator[None]:
    """Lightning speaks of devices, workers and tips; none of it is for the user of this function."""
    logs = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric", "lightning")]
    levels = [log.level for log in logs]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"lightning\.|torch\.utils\.data")
        for log in logs:
            log.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for log, level in zip(logs, levels, strict=True):
                log.setLevel(level)


def _finish(sae: SparseAutoencoder, data: Rows) -> None:
    """Set the threshold on one held-out part, measure on the other."""
    from sae_training.calibration import calibration_record, measure, set_threshold

    set_threshold(sae, data.chunks(data.calibration), len(data.calibration))
    measured = measure(sae, data.chunks(data.measuring))
    # a rare latent may be silent on few held-out rows and yet alive: the rows it was trained on say which
    trained = measure(sae, data.chunks(data.training[:DEAD_ROWS]))
    sae.metadata = replace(
        sae.metadata,
        calibration=calibration_record(sae, len(data.calibration), measured),
        measures={**measured._asdict(), "dead_share_training": trained.dead_share, "fvu_training": trained.fvu},
    )
