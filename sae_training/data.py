"""Rows as a Lightning data module: whole batches, reshuffled every epoch, resumable at any step."""

from __future__ import annotations

from typing import Any

import lightning
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from sae_training.rows import Rows, ShuffledBatches
from sae_training.settings import TrainSettings
from sae_training.step import AUX_ROW_STRIDE


class RowsModule(lightning.LightningDataModule):
    """Whole batches of rows: shuffled for training, in order for validation.

    To Lightning the run is one epoch of `steps` batches; their rows follow from the seed and the step alone.

    Args:
        rows: with their split.
        settings: of the run.
        steps: of the whole run.
    """

    def __init__(self, rows: Rows, settings: TrainSettings, steps: int) -> None:
        super().__init__()
        self.rows = rows
        self.batch_size = settings.rows_of_batch(len(rows.training))
        self.batches = ShuffledBatches(rows.training, self.batch_size, settings.seed, steps, multiple=AUX_ROW_STRIDE)

    def train_dataloader(self) -> DataLoader[Tensor]:
        """Batches float32 [rows, d]."""
        if self.trainer is not None:
            self.rows.hold_on(self.trainer.strategy.root_device)
        return self._loader(self.batches)

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Batches float32 [rows, d] of the calibration rows, the same in every process; measuring rows are not used."""
        return self._loader(self.rows.calibration.split(self.batch_size))

    def state_dict(self) -> dict[str, Any]:
        """The position in the stream of batches."""
        assert self.trainer is not None
        return {"step": self.trainer.global_step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume at that position."""
        self.batches.start = state_dict["step"]

    def _loader(self, batches: Any) -> DataLoader[Tensor]:
        # its own generator: without one, a loader changes the caller's random state
        return DataLoader(_Batches(self.rows), sampler=batches, batch_size=None, generator=torch.Generator())


class _Batches(Dataset[Tensor]):
    """Whole batches by their positions, so that nothing is done row by row."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def __getitem__(self, index: Tensor) -> Tensor:
        return self.rows.fetch(index)
