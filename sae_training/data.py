"""The rows as Lightning loads them: whole batches, shuffled anew every epoch, from any step on."""

from __future__ import annotations

from typing import Any

import lightning
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from sae_training.rows import Rows, ShuffledBatches
from sae_training.settings import TrainSettings
from sae_training.step import EVERY


class RowsModule(lightning.LightningDataModule):
    """Whole batches of rows: shuffled for training, in order for validation.

    To Lightning the run is one epoch of `steps` batches; which rows they hold follows from the seed and the step alone.

    Args:
        rows: with their split.
        settings: of the run.
        steps: of the whole run.
    """

    def __init__(self, rows: Rows, settings: TrainSettings, steps: int) -> None:
        super().__init__()
        self.rows = rows
        self.batch_size = settings.rows_of_batch(len(rows.training))
        self.batches = ShuffledBatches(rows.training, self.batch_size, settings.seed, steps, multiple=EVERY)

    def train_dataloader(self) -> DataLoader[Tensor]:
        """Batches float32 [rows, d]."""
        if self.trainer is not None:
            self.rows.hold_on(self.trainer.strategy.root_device)
        return self._loader(self.batches)

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Batches float32 [rows, d] of the calibration rows, the same in every process; measuring rows stay unseen."""
        return self._loader(self.rows.calibration.split(self.batch_size))

    def state_dict(self) -> dict[str, Any]:
        """The position in the stream of batches."""
        assert self.trainer is not None
        return {"step": self.trainer.global_step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from that position."""
        self.batches.start = state_dict["step"]

    def _loader(self, batches: Any) -> DataLoader[Tensor]:
        # its own generator: a loader without one draws from, and so changes, the caller's random state
        return DataLoader(_Batches(self.rows), sampler=batches, batch_size=None, generator=torch.Generator())


class _Batches(Dataset[Tensor]):
    """Whole batches by their positions: nothing is done row by row."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def __getitem__(self, index: Tensor) -> Tensor:
        return self.rows.fetch(index)
