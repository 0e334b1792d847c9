"""Settings of a training run (docs/methods.md, 1). Imports nothing heavy: configurations are checked against it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sae_training.errors import SaeError

CACHE_VERSION = 1  # goes up when code changes the weights that the same rows and settings give
PRECISIONS = ("auto", "float32", "float64")
DEVICES = ("auto", "cpu", "gpu")
NON_KEY_SETTINGS = ("device", "seeds", "checkpoint_every")  # they do not change the trained weights


@dataclass(frozen=True)
class TrainSettings:
    """How a sparse autoencoder is trained; the defaults suit two thousand rows as well as fifty thousand."""

    expansion_factor: int = 8  # latents = expansion_factor * width of the rows
    k: int = 20  # non-zero latents per row, on average
    variant: str = "batch_topk"  # which latents fire in training: see sae_training/sparsity.py
    learning_rate: float = 1.5e-3
    batch_size: int = 1024  # rows; at most a quarter of the training rows
    epochs: float = 30.0  # passes over the training rows ...
    minimum_steps: int = 300  # ... but never fewer steps than this
    steps: int | None = None  # overrides epochs and minimum_steps
    warmup: float = 0.05  # share of the steps over which the learning rate rises
    decay: float = 0.5  # share of the steps, at the end, over which it falls to 0
    dead_window: float = 0.05  # a latent that does not fire for this share of all rows drawn in training is dead
    aux_weight: float = 1 / 32  # weight of the loss that revives dead latents
    gradient_clip: float = 1.0  # largest norm of the gradient; 0: no limit
    calibration_share: float = 0.1  # of the rows, held out to set the threshold; 16,384 rows at most
    measuring_share: float = 0.05  # of the rows, held out to measure; 16,384 rows at most
    patience: int = 0  # validation checks, ten in a run, without a better FVU before it ends early; 0: never
    checkpoint_every: float = 0.05  # share of the steps between checkpoints, where a place for them is given
    seed: int = 0
    seeds: int = 1  # how many to train, on the same rows, with seeds from `seed` on
    precision: str = "auto"  # auto: bf16 finds the candidates, exact values decide; or float32, float64 throughout
    device: str = "auto"  # cpu, gpu, or auto: a GPU where there is one; several: torchrun

    def rows_of_batch(self, training_rows: int) -> int:
        """`batch_size`, but at most a quarter of the rows: more costs time and reconstructs no better."""
        return max(1, min(self.batch_size, -(-training_rows // 4)))

    def __post_init__(self) -> None:
        """Raises SaeError with every value that is out of its limits."""
        shares = ("warmup", "decay", "dead_window", "checkpoint_every")
        faults = [f"{key} is {getattr(self, key)} (from 0 to 1)" for key in shares if not 0 <= getattr(self, key) <= 1]
        whole = ("expansion_factor", "k", "batch_size", "seeds") + (("steps",) if self.steps is not None else ())
        faults += [
            f"{key} is {getattr(self, key)} (a whole number, at least 1)"
            for key in whole
            if not _counts(getattr(self, key))
        ]
        if not self.learning_rate > 0:
            faults.append(f"learning_rate is {self.learning_rate} (above 0)")
        if self.steps is None and not self.epochs > 0:
            faults.append(f"epochs is {self.epochs} (above 0)")
        faults += [
            f"{key} is {getattr(self, key)} (at least 0)"
            for key in ("aux_weight", "gradient_clip", "minimum_steps", "seed", "patience")
            if not getattr(self, key) >= 0
        ]
        if self.warmup + self.decay > 1:
            faults.append(f"warmup + decay is {self.warmup + self.decay} (at most 1)")
        faults += [
            f"{key} is {getattr(self, key)} (above 0)"
            for key in ("calibration_share", "measuring_share")
            if not getattr(self, key) > 0
        ]
        if self.calibration_share + self.measuring_share > 0.5:
            faults.append(
                f"calibration_share + measuring_share is {self.calibration_share + self.measuring_share} (at most 0.5)"
            )
        for key, names in (("precision", PRECISIONS), ("device", DEVICES)):
            if getattr(self, key) not in names:
                faults.append(f"{key} is '{getattr(self, key)}' ({', '.join(names)})")
        if faults:
            raise SaeError(*faults)


def plain(settings: TrainSettings) -> dict[str, Any]:
    """The fields of `TrainSettings` alone; a subclass may add others, such as the folder of the result."""
    return {item.name: getattr(settings, item.name) for item in fields(TrainSettings)}


def training_key(settings: TrainSettings) -> dict[str, Any]:
    """The settings that a trained SAE depends on; those of `NON_KEY_SETTINGS` stand at their default."""
    return plain(settings) | {
        item.name: item.default for item in fields(TrainSettings) if item.name in NON_KEY_SETTINGS
    }


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
