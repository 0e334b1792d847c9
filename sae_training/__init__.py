"""Rows of numbers in, a calibrated sparse autoencoder out; knows nothing of images or words.

sae = sae_training.train(rows, sae_training.TrainSettings(expansion_factor=8, k=20))
codes = sae.encode(rows)
sae.save("my_sae"); sae = sae_training.load("my_sae")  # or another tool's checkpoint, or hf-hub:owner/name
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sae_training.agreement import seed_agreement
    from sae_training.calibration import batch_topk_codes, calibrate
    from sae_training.codes import SparseCodes
    from sae_training.errors import SaeError
    from sae_training.exchange import export, load
    from sae_training.latents import measure_latents
    from sae_training.model import SparseAutoencoder
    from sae_training.publish import push
    from sae_training.settings import TrainSettings
    from sae_training.training import train, train_seeds

__all__ = [
    "SaeError",
    "SparseAutoencoder",
    "SparseCodes",
    "TrainSettings",
    "batch_topk_codes",
    "calibrate",
    "export",
    "load",
    "measure_latents",
    "push",
    "seed_agreement",
    "train",
    "train_seeds",
]

_HOME = {
    "SaeError": "errors",
    "SparseAutoencoder": "model",
    "SparseCodes": "codes",
    "TrainSettings": "settings",
    "batch_topk_codes": "calibration",
    "calibrate": "calibration",
    "export": "exchange",
    "load": "exchange",
    "measure_latents": "latents",
    "push": "publish",
    "seed_agreement": "agreement",
    "train": "training",
    "train_seeds": "training",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used, so that `import sae_training` does not wait for torch."""
    if name not in _HOME:
        raise AttributeError(f"module 'sae_training' has no attribute '{name}'")
    value = getattr(import_module(f"sae_training.{_HOME[name]}"), name)
    globals()[name] = value
    return value
