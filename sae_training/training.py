"""`train(rows, settings)`: rows in, a calibrated and measured sparse autoencoder out (docs/methods.md, 1)."""

from __future__ import annotations

import logging
import math
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sae_training import distributed
from sae_training.errors import SaeError
from sae_training.metadata import SaeMetadata
from sae_training.model import SparseAutoencoder
from sae_training.rows import ConcatenatedRows, Rows
from sae_training.settings import CACHE_VERSION, TrainSettings, plain, training_key
from sae_training.sparsity import variant
from sae_training.step import decode, encode

if TYPE_CHECKING:
    from sae_training.progress import Progress

VALIDATION_CHECKS = 10  # about, in a run that is logged or may end early; fewer in a run of few steps
INITIALISATION_ROWS = 8_192
VARIANCE_FLOOR = 1e-4  # of the mean variance; a direction of less counts as noise
DEAD_CHECK_ROWS = 65_536  # training rows, at most, on which a latent may show that it is not dead


def train(
    rows: Any,
    settings: TrainSettings = TrainSettings(),
    *,
    log_dir: Path | str | None = None,
    checkpoint: Path | str | None = None,
    fingerprint: str | None = None,
    description: str = "",
    progress: Progress | None = None,
) -> SparseAutoencoder:
    """Train, calibrate and measure a sparse autoencoder; on a CPU the same rows and settings give the same bits.

    Args:
        rows: [n, d], unit length: an array, a memory map, a tensor, or anything with `.shape` that gives float rows
            for a slice or an array of positions; its `.hashes` (uint64 [n]), if any, identify rows by content. A list
            of such is one training set. Or `Rows`, prepared already.
        settings: how; `settings.seeds` is for `train_seeds`.
        log_dir: where TensorBoard and CSV logs go; None: no logs.
        checkpoint: file from which the same call resumes an interrupted run, to the same bits as without the
            interruption; None: none is written.
        fingerprint: of the encoder that made the rows; stored.
        description: of the rows, in words; stored.
        progress: called with (stage, done, total).

    Raises:
        SaeError: rows or settings that cannot be trained with, or a checkpoint that does not fit; says which and why.
    """
    distributed.join()
    variant(settings.variant)
    data = prepared(rows, settings)
    latents = settings.expansion_factor * data.d
    if settings.k > latents:
        raise SaeError(
            f"k is {settings.k}, but there are only {latents} latents ({settings.expansion_factor} x {data.d}): lower k"
        )
    steps = _steps(settings, len(data.training))
    record = {"description": description, "rows": data.n, "steps": steps, "settings": plain(settings)}
    sae = _initial_model(data, latents, settings, SaeMetadata(settings.variant, settings.k, fingerprint, record))
    _fit(sae, data, settings, steps, log_dir, Path(checkpoint) if checkpoint else None, progress)
    sae.float().eval().requires_grad_(False)
    _finish(sae, data)
    return sae


def train_seeds(
    rows: Any, settings: TrainSettings = TrainSettings(), *, log_dir: Path | str | None = None, **arguments: Any
) -> list[SparseAutoencoder]:
    """Train `settings.seeds` sparse autoencoders that differ in their seed alone; the rows are held once.

    Args:
        rows: as for `train`.
        settings: how.
        log_dir: where logs go; several seeds log into folders below it, `seed-0` and so on.
        arguments: as for `train`; each of several seeds has a file of its own beside `checkpoint`.
    """
    data = prepared(rows, settings)
    checkpoint = arguments.pop("checkpoint", None)
    trained = []
    for seed in range(settings.seed, settings.seed + settings.seeds):
        one = replace(settings, seed=seed, seeds=1)
        several = settings.seeds > 1
        logs = Path(log_dir) / f"seed-{seed}" if log_dir and several else log_dir
        file = Path(checkpoint).with_stem(f"{Path(checkpoint).stem}-{seed}") if checkpoint and several else checkpoint
        trained.append(train(data, one, log_dir=logs, checkpoint=file, **arguments))
    return trained


def prepared(rows: Any, settings: TrainSettings) -> Rows:
    """Rows checked and split as the settings say; `Rows` are returned as they are."""
    if isinstance(rows, Rows):
        return rows
    sets = rows if isinstance(rows, (list, tuple)) else [rows]
    source = sets[0] if len(sets) == 1 else ConcatenatedRows(sets)
    return Rows(source, settings.calibration_share, settings.measuring_share)


def _steps(settings: TrainSettings, rows: int) -> int:
    if settings.steps is not None:
        return settings.steps
    batches = math.ceil(rows / settings.rows_of_batch(rows))
    return max(settings.minimum_steps, math.ceil(settings.epochs * batches), 1)


def _initial_model(data: Rows, latents: int, settings: TrainSettings, metadata: SaeMetadata) -> SparseAutoencoder:
    """The model before training: decoder rows are directions of damped residuals, encoder rows the same, scaled."""
    sae = SparseAutoencoder(data.d, latents, metadata)
    mean, scale = data.moments()
    sae.mean.copy_(mean)
    sae.scale.fill_(scale)
    sample = sae.standardise(
        data.take(data.training[:INITIALISATION_ROWS])
    )  # the order is that of hashes: a random sample
    found = _residuals(data, latents, mean, torch.Generator().manual_seed(settings.seed))
    directions = torch.nn.functional.normalize(found @ _damping(sample), dim=1)
    sae.W_enc.data.copy_(directions)
    sae.W_dec.data.copy_(directions)
    sae.W_enc.data.mul_(_fitting_scale(sae, sample))
    return sae


def _damping(sample: Tensor) -> Tensor:
    """C^(-1/4) [d, d] of rows with covariance C: without it residuals, and so latents, crowd along what varies most."""
    covariance = sample.double().T @ sample.double() / len(sample)
    variances, axes = torch.linalg.eigh(covariance)
    powers = variances.clamp_min(VARIANCE_FLOOR * float(variances.mean())) ** -0.25
    return ((axes * powers) @ axes.T).float()


def _fitting_scale(sae: SparseAutoencoder, h: Tensor) -> float:
    """The factor on the codes of a fresh model at which they reconstruct rows best: without it they overshoot."""
    rule = variant(sae.metadata.variant)
    with torch.no_grad():
        codes = encode(h, sae.W_enc, sae.b_enc, sae.b_dec, rule, sae.k)
        h_hat = decode(codes, sae.W_dec, sae.b_dec)
    return float((h * h_hat).sum() / h_hat.square().sum().clamp_min(1e-12))


def _residuals(data: Rows, count: int, mean: Tensor, generator: torch.Generator) -> Tensor:
    """Unit rows [count, d]: training rows minus their mean, each at most once, then differences of two rows.

    No two may be equal: latents that start equal get the same gradient and stay equal.
    """
    n = len(data.training)
    once = data.take(data.training[torch.randperm(n, generator=generator)[:count]]) - mean
    more = count - len(once)
    pairs = torch.randint(n, (2, more), generator=generator)
    between = data.take(data.training[pairs[0]]) - data.take(data.training[pairs[1]])
    jitter = torch.randn(count, data.d, generator=generator)
    found = torch.cat([once, between])
    # a trace of noise separates duplicates, and gives a direction to a row that equals the mean
    found = found + 1e-2 * jitter * (found.norm() / jitter.norm())
    return torch.nn.functional.normalize(found, dim=1)


def _fit(
    sae: SparseAutoencoder,
    data: Rows,
    settings: TrainSettings,
    steps: int,
    log_dir: Path | str | None,
    checkpoint: Path | None,
    progress: Progress | None,
) -> None:
    from sae_training.callbacks import CheckpointCallback, PatienceCallback, ProgressCallback, find_checkpoint
    from sae_training.data import RowsModule
    from sae_training.module import SaeModule

    run = {"edition": CACHE_VERSION, "rows": data.digest, "steps": steps, "settings": training_key(settings)}
    found = find_checkpoint(checkpoint, run) if checkpoint else None
    with _quiet():
        batches = RowsModule(data, settings, steps)
        rows_drawn = round(steps / batches.batches.batches * len(data.training))
        module = SaeModule(sae, settings, steps, rows_drawn, run=run, logs=log_dir is not None)
        callbacks: list[Any] = [ProgressCallback(progress)] if progress else []
        if settings.patience:
            callbacks.append(PatienceCallback(settings.patience))
        if checkpoint:
            callbacks.append(CheckpointCallback(checkpoint, max(1, round(settings.checkpoint_every * steps))))
        trainer = _trainer(settings, steps, callbacks, _loggers(log_dir, found))
        trainer.fit(module, datamodule=batches, ckpt_path=found, weights_only=True)
    sae.metadata = replace(sae.metadata, training={**sae.metadata.training, "steps": trainer.global_step})
    if not all(weights.isfinite().all() for weights in sae.parameters()):
        raise SaeError(f"training diverged at learning_rate {settings.learning_rate}: lower it")


def _trainer(settings: TrainSettings, steps: int, callbacks: list[Any], loggers: list[Any]) -> Any:
    import lightning

    return lightning.Trainer(
        max_steps=steps,
        accelerator=_accelerator(settings.device),
        devices=distributed.local_size(),
        num_nodes=distributed.size() // distributed.local_size(),
        strategy="ddp" if distributed.size() > 1 else "auto",
        use_distributed_sampler=False,
        precision="64-true" if settings.precision == "float64" else "32-true",
        gradient_clip_val=settings.gradient_clip or None,
        logger=loggers or False,
        callbacks=callbacks,
        limit_val_batches=1.0 if loggers or settings.patience else 0,
        # at least 2: a checkpoint is written after a step without a validation check
        val_check_interval=min(steps, max(2, steps // VALIDATION_CHECKS)),
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        log_every_n_steps=max(1, min(50, steps // 20)),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def _accelerator(device: str) -> str:
    if device == "gpu" and not torch.cuda.is_available():
        raise SaeError("no GPU for sae.device=gpu here: use auto or cpu")
    return "gpu" if device == "gpu" or (device == "auto" and torch.cuda.is_available()) else "cpu"


def _loggers(log_dir: Path | str | None, found: Path | None) -> list[Any]:
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

    if log_dir is None:
        return []
    # a CSV log overwrites its file: a resumed run writes another
    csv = f"resumed-{time.strftime('%Y%m%d-%H%M%S')}" if found else ""
    return [TensorBoardLogger(log_dir, name="", version=""), CSVLogger(log_dir, name="", version=csv)]


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress Lightning's messages on devices, workers and tips, which are not for the user of this function."""
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
    """Set the threshold on the calibration rows, measure on the measuring rows."""
    from sae_training.calibration import calibration_record, measure, set_threshold

    set_threshold(sae, data.chunks(data.calibration), len(data.calibration))
    measured = measure(sae, data.chunks(data.measuring))
    # a rare latent may fire on none of the few held-out rows and yet not be dead: the training rows tell
    trained = measure(sae, data.chunks(data.training[:DEAD_CHECK_ROWS]))
    sae.metadata = replace(
        sae.metadata,
        calibration=calibration_record(sae, len(data.calibration), measured),
        measures={**measured._asdict(), "dead_share_training": trained.dead_share, "fvu_training": trained.fvu},
    )
