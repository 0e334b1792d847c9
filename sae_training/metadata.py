"""What a sparse autoencoder is, beside its weights; stored in its card (`sae_training/storage.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FORMAT_VERSION = 2  # version 1 knew one rule of inference, the threshold


@dataclass(frozen=True)
class SaeMetadata:
    """What a sparse autoencoder is and where it came from."""

    variant: str  # sparsity in training
    k: int  # non-zero latents per row it aims at
    fingerprint: str | None = None  # of the encoder whose embeddings it takes
    training: Mapping[str, Any] = field(default_factory=dict)  # description, rows, steps, settings
    calibration: Mapping[str, Any] = field(default_factory=dict)  # target_l0, rows, and measured_l0 on other rows
    measures: Mapping[str, float] = field(default_factory=dict)  # fvu, l0, dead_share, cosine
    inference: str = "threshold"  # which latents fire: see sae_training/inference.py
    normalise: str = "none"  # of each standardised row: see sae_training/inference.py
    centred: bool = True  # whether b_dec is subtracted from a row before it is encoded
    version: int = FORMAT_VERSION
