"""The threshold of inference (docs/methods.md, 1): the exact quantile at which the mean L0 is k."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from sae_training.measures import Measures, Reconstruction
from sae_training.model import SparseAutoencoder
from sae_training.rows import Rows


def calibrate(sae: SparseAutoencoder, rows: Any) -> None:
    """Set the threshold so that `sae` fires k latents per row, on average, on rows like these.

    Half of the rows set it, by the hash of their content; the L0 measured on the other half is stored beside it.

    Args:
        sae: changed in place.
        rows: [n, d] as stored, which it was not trained on.

    Raises:
        SaeError: rows unfit (see `Rows`), or of another width.
    """
    held = Rows(rows, calibration_share=0.25, measuring_share=0.25)
    setting, measuring = torch.cat([held.calibration, held.measuring]), held.training
    set_threshold(sae, held.chunks(setting), len(setting))
    measured = measure(sae, held.chunks(measuring))
    sae.metadata = replace(sae.metadata, calibration=calibration_record(sae, len(setting), measured))


def set_threshold(sae: SparseAutoencoder, chunks: Iterable[Tensor], rows: int) -> None:
    """Set theta to the exact quantile of all positive pre-activations at which the mean L0 is k.

    Args:
        sae: changed in place.
        chunks: rows as stored [n, d], in parts.
        rows: in all parts together.
    """
    allowed = sae.k * rows
    largest = torch.empty(0, device=sae.W_enc.device)
    for chunk in chunks:
        for pre in sae.pre_activations(chunk):
            values = torch.cat([largest, pre[pre > 0]])
            # one more than may fire: the first that may not
            largest = values.topk(min(len(values), allowed + 1), sorted=False).values
    sae.theta.copy_(largest.min() if len(largest) > allowed else torch.zeros(()))


def measure(sae: SparseAutoencoder, chunks: Iterable[Tensor]) -> Measures:
    """FVU, L0, dead share and cosine of a calibrated model.

    Args:
        sae: calibrated.
        chunks: rows as stored [n, d], in parts.
    """
    metric = Reconstruction(sae.d, sae.m).to(sae.W_enc.device)
    for chunk in chunks:
        chunk = chunk.to(sae.W_enc.device)
        codes = sae.encode(chunk)
        metric.update(sae.standardise(chunk), sae.standardise(sae.decode(codes)), codes.latent)
    return metric.compute()


def calibration_record(sae: SparseAutoencoder, rows: int, measured: Measures) -> dict[str, float]:
    """What is stored of a calibration: the L0 aimed at, the rows it stands on, the L0 on other rows."""
    return {"target_l0": float(sae.k), "rows": rows, "measured_l0": measured.l0}
