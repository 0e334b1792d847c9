"""Training as Lightning sees it: the data module, the module, and a callback that reports progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, Dataset

from sae_training.measures import Reconstruction
from sae_training.model import SparseAutoencoder
from sae_training.rows import Rows, ShuffledBatches
from sae_training.settings import TrainSettings
from sae_training.sparsity import variant
from sae_training.step import auxiliary_loss, decode, encode

Progress = Callable[[str, int, "int | None"], None]


class SaeModule(lightning.LightningModule):
    """Adam on the reconstruction and auxiliary losses, decoder rows kept at unit length.

    Args:
        sae: trained in place.
        settings: of the run.
        steps: of the whole run.
        rows_drawn: in the whole run, with repetition.
    """

    def __init__(self, sae: SparseAutoencoder, settings: TrainSettings, steps: int, rows_drawn: int) -> None:
        super().__init__()
        self.sae, self.settings, self.steps = sae, settings, steps
        self.rule = variant(settings.variant)
        self.dead_after = settings.dead_window * rows_drawn
        self.silent: Tensor  # rows since each latent last fired
        self.register_buffer("silent", torch.zeros(sae.m, dtype=torch.int64))
        self.held_out = Reconstruction(sae.d, sae.m)

    def training_step(self, batch: Tensor, batch_index: int) -> Tensor:
        """Loss of one batch of rows as stored [rows, d]: mean squared error per number, plus the auxiliary term."""
        sae = self.sae
        h = sae.standardise(batch)
        survivors = encode(h, sae.W_enc, sae.b_enc, sae.b_dec, self.rule, sae.k)
        residual = h - decode(survivors, sae.W_dec, sae.b_dec)
        loss = error = residual.square().mean()
        dead = (self.silent > self.dead_after).nonzero().squeeze(1)
        if len(dead) and self.settings.aux_weight > 0:
            weights = (sae.W_enc, sae.b_enc, sae.W_dec, sae.b_dec)
            loss = loss + self.settings.aux_weight * auxiliary_loss(h, residual.detach(), dead, *weights)
        self.silent += len(batch)
        self.silent[survivors.pattern.latent] = 0
        if self.trainer.loggers:
            fvu = error.detach() / h.var(dim=0, correction=0).mean()
            self.log_dict({"train/loss": loss.detach(), "train/fvu": fvu, "train/dead_share": len(dead) / sae.m})
        return loss

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Remove the part of the decoder's gradient along its rows: their length is fixed."""
        weights, gradient = self.sae.W_dec.detach(), self.sae.W_dec.grad
        if gradient is not None:
            gradient.sub_(weights * torch.linalg.vecdot(gradient, weights)[:, None])

    @torch.no_grad()
    def on_train_batch_end(self, outputs: Any, batch: Tensor, batch_index: int) -> None:
        """Back to unit rows."""
        weights = self.sae.W_dec
        weights.div_(torch.linalg.vector_norm(weights, dim=1, keepdim=True))

    def validation_step(self, batch: Tensor, batch_index: int) -> None:
        """Measure held-out rows with the survivors of training: the threshold is not set yet."""
        sae = self.sae
        h = sae.standardise(batch)
        survivors = encode(h, sae.W_enc, sae.b_enc, sae.b_dec, self.rule, sae.k)
        self.held_out.update(h, decode(survivors, sae.W_dec, sae.b_dec), survivors.pattern.latent)

    def on_validation_epoch_end(self) -> None:
        """Log the measures of the held-out rows."""
        self.log_dict({f"held_out/{name}": value for name, value in self.held_out.compute()._asdict().items()})
        self.held_out.reset()

    def configure_optimizers(self) -> Any:
        """Adam, its rate rising, level, falling to 0, each over a share of the steps."""
        optimizer = torch.optim.Adam(self.sae.parameters(), lr=self.settings.learning_rate, fused=True)
        return [optimizer], [{"scheduler": LambdaLR(optimizer, self._rate), "interval": "step"}]

    def _rate(self, step: int) -> float:
        rising = (step + 1) / max(1.0, self.settings.warmup * self.steps)
        falling = (self.steps - step) / max(1.0, self.settings.decay * self.steps)
        return max(0.0, min(1.0, rising, falling))


class RowsModule(lightning.LightningDataModule):
    """Whole batches of rows: shuffled for training, in order for validation.

    Args:
        rows: with their split.
        settings: of the run.
    """

    def __init__(self, rows: Rows, settings: TrainSettings) -> None:
        super().__init__()
        self.rows = rows
        self.batch_size = settings.rows_of_batch(len(rows.training))
        self.batches = ShuffledBatches(rows.training, self.batch_size, settings.seed)

    def train_dataloader(self) -> DataLoader[Tensor]:
        """Batches float32 [rows, d]."""
        return self._loader(self.batches)

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Batches float32 [rows, d] of the calibration rows; the measuring rows stay unseen."""
        return self._loader(self.rows.calibration.split(self.batch_size))

    def _loader(self, batches: Any) -> DataLoader[Tensor]:
        # its own generator: a loader without one draws from, and so changes, the caller's random state
        return DataLoader(_Batches(self.rows), sampler=batches, batch_size=None, generator=torch.Generator())


class _Batches(Dataset[Tensor]):
    """Whole batches by their positions: nothing is done row by row."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def __getitem__(self, index: Tensor) -> Tensor:
        return self.rows.take(index)


class ProgressCallback(lightning.Callback):
    """Tells `progress` how many steps are done."""

    def __init__(self, progress: Progress, steps: int) -> None:
        self.progress, self.steps = progress, steps

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        """After each step."""
        self.progress("training the sparse autoencoder", trainer.global_step, self.steps)
