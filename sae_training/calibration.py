"""The threshold of inference: the exact quantile at which the mean L0 is k (docs/methods.md, 1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sae_training.codes import SparseCodes
from sae_training.errors import SaeError
from sae_training.measures import Measures, Reconstruction
from sae_training.model import SparseAutoencoder
from sae_training.rows import Rows


def calibrate(sae: SparseAutoencoder, rows: Any) -> None:
    """Set the threshold so that `sae` fires k latents per row, on average, on rows like these.

    Half of the rows (by the hash of their content; 32,768 at most) set it; as many of the others measure the L0 that
    is stored beside it.

    Args:
        sae: changed in place.
        rows: [n, d] as stored, which it was not trained on.

    Raises:
        SaeError: rows unfit (see `Rows`), or of another width; a rule of inference without a threshold.
    """
    split = Rows(rows, calibration_share=0.25, measuring_share=0.25)
    setting = torch.cat([split.calibration, split.measuring])
    measuring = split.training[: len(setting)]
    set_threshold(sae, split.chunks(setting), len(setting))
    measured = measure(sae, split.chunks(measuring))
    sae.metadata = replace(sae.metadata, calibration=calibration_record(sae, len(setting), measured))


def set_threshold(sae: SparseAutoencoder, chunks: Iterable[Tensor], rows: int) -> None:
    """Set the threshold to the exact quantile of all positive pre-activations at which the mean L0 is k.

    Args:
        sae: changed in place.
        chunks: rows as stored [n, d], in parts.
        rows: in all parts together.

    Raises:
        SaeError: its rule of inference has no threshold.
    """
    if sae.metadata.inference != "threshold":
        raise SaeError(
            f"this SAE's rule of inference is {sae.metadata.inference} per row, there is no threshold to set: "
            "use it as it is, or load it with inference='threshold'"
        )
    limit = _limit((pre for chunk in chunks for pre in sae.pre_activations(chunk)), sae.k * rows)
    sae.threshold = limit.to(sae.W_enc.device)


def batch_topk_codes(sae: SparseAutoencoder, x: Tensor | np.ndarray, k: int | None = None) -> SparseCodes:
    """Codes of the n * k largest positive pre-activations of all n rows together; they depend on the batch.

    Some tools use them at inference too; this is for comparison with them.

    Args:
        sae: calibrated or not.
        x: rows as stored [n, d].
        k: per row, on average; None: the model's.

    Raises:
        SaeError: rows of another width or type, or not finite.
    """
    limit = _limit(sae.pre_activations(x), (k or sae.k) * len(x))
    return sae.codes_where(x, lambda pre: pre > limit)


def _limit(blocks: Iterable[Tensor], allowed: int) -> Tensor:
    """The value that exactly `allowed` positive entries of all blocks exceed; 0 where no more are positive."""
    largest: Tensor | None = None
    for pre in blocks:
        positive = pre[pre > 0]
        values = positive if largest is None else torch.cat([largest, positive])
        # one more than may fire: the smallest kept entry is the limit
        largest = values.topk(min(len(values), allowed + 1), sorted=False).values
    return torch.zeros(()) if largest is None or len(largest) <= allowed else largest.min()


def measure(sae: SparseAutoencoder, chunks: Iterable[Tensor]) -> Measures:
    """FVU, L0, dead share and cosine of a calibrated model.

    Args:
        sae: calibrated.
        chunks: rows as stored [n, d], in parts.
    """
    metric = Reconstruction(sae.d_in, sae.num_latents, sync_on_compute=False).to(sae.W_enc.device)
    for chunk in chunks:
        chunk = chunk.to(sae.W_enc.device)
        codes = sae.encode(chunk)
        metric.update(sae.standardise(chunk), sae.standardise(sae.decode(codes)), codes.latent)
    return metric.compute()


def calibration_record(sae: SparseAutoencoder, rows: int, measured: Measures) -> dict[str, float]:
    """What is stored of a calibration: target L0, number of rows that set it, L0 measured on other rows."""
    return {"target_l0": float(sae.k), "rows": rows, "measured_l0": measured.l0}
