"""The sparse autoencoder: encode and decode (docs/methods.md, 1).

Codes do not depend on the batch: rows are encoded in blocks of 1,024, the last one padded with zeros, so that every
product has the same shape and a row the same bits, whoever its neighbours are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sae_training.codes import Pattern, SparseCodes
from sae_training.errors import SaeError
from sae_training.inference import normaliser, rule

BLOCK = 1024  # rows per product at inference
VERSION = 2  # of the files; 1 had one rule of inference, the threshold


@dataclass(frozen=True)
class SaeMetadata:
    """What a sparse autoencoder is and where it came from."""

    variant: str  # sparsity in training
    k: int  # non-zero latents per row it aims at
    fingerprint: str | None = None  # of the encoder whose embeddings it takes
    training: Mapping[str, Any] = field(default_factory=dict)  # description, rows, steps, settings
    calibration: Mapping[str, Any] = field(default_factory=dict)  # target_l0, rows, and measured_l0 on other rows
    measures: Mapping[str, float] = field(default_factory=dict)  # fvu, l0, dead_share, cosine
    inference: str = "threshold"  # who survives: see sae_training/inference.py
    normalise: str = "none"  # of each standardised row: see sae_training/inference.py
    centred: bool = True  # whether b_dec is subtracted from a row before it is encoded
    version: int = VERSION


class SparseAutoencoder(nn.Module):
    """x to sparse codes and back: h = (x - mean) / scale, a = W_enc (h - b_dec) + b_enc, z = a where a > theta else 0.

    What other tools trained may normalise each h, leave b_dec on, multiply a by a gain per latent, or keep other
    entries of a than those above theta (inference.py).

    Args:
        d: width of the rows.
        m: number of latents.
        metadata: what it is; `metadata.k` is the L0 it aims at.
    """

    W_enc: nn.Parameter  # [m, d]
    W_dec: nn.Parameter  # [m, d], unit rows
    b_enc: nn.Parameter  # [m]
    b_dec: nn.Parameter  # [d]
    mean: Tensor  # [d]
    scale: Tensor  # []
    theta: Tensor  # [], or [m]; nan until calibrated
    gain: Tensor | None  # [m], where there is one

    def __init__(self, d: int, m: int, metadata: SaeMetadata) -> None:
        super().__init__()
        self.metadata = metadata
        self.W_enc = nn.Parameter(torch.zeros(m, d))
        self.W_dec = nn.Parameter(torch.zeros(m, d))
        self.b_enc = nn.Parameter(torch.zeros(m))
        self.b_dec = nn.Parameter(torch.zeros(d))
        self.register_buffer("mean", torch.zeros(d))
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("theta", torch.full((), float("nan")))
        self.register_buffer("gain", None)

    @property
    def d(self) -> int:
        """Width of the rows."""
        return self.W_enc.shape[1]

    @property
    def m(self) -> int:
        """Number of latents."""
        return self.W_enc.shape[0]

    @property
    def k(self) -> int:
        """Non-zero latents per row it aims at, on average."""
        return self.metadata.k

    @property
    def calibrated(self) -> bool:
        """Whether the threshold has been set, where the rule of inference needs one."""
        return self.metadata.inference != "threshold" or not bool(self.theta.isnan().any())

    def standardise(self, x: Tensor) -> Tensor:
        """Rows as stored [n, d] to what the weights take, h [n, d]."""
        return (x - self.mean) / self.scale

    @torch.no_grad()
    def pre_activations(self, x: Tensor | np.ndarray) -> Iterator[Tensor]:
        """Blocks of at most 1,024 rows of a = W_enc (h - b_dec) + b_enc, float32 [block, m], independent of the batch.

        Args:
            x: rows as stored, floating, [n, d].

        Raises:
            SaeError: wrong width or type, or a row that is not finite.
        """
        yield from (pre for pre, _ in self._blocks(x))

    @torch.no_grad()
    def encode(self, x: Tensor | np.ndarray) -> SparseCodes:
        """Sparse codes, the same bits for a row whatever the batch it comes in.

        Args:
            x: rows as stored (unit length), floating, [n, d].

        Raises:
            SaeError: not calibrated, wrong width or type, or a row that is not finite.
        """
        if not self.calibrated:
            raise SaeError(
                "this sparse autoencoder is not calibrated, its threshold is not set: "
                "call sae_training.calibrate(sae, rows) with rows it was not trained on"
            )
        survives = rule(self.metadata.inference)
        return self.codes_where(x, lambda pre: survives(pre, self.theta, self.k))

    @torch.no_grad()
    def codes_where(self, x: Tensor | np.ndarray, survives: Callable[[Tensor], Tensor]) -> SparseCodes:
        """The pre-activations that survive a rule of one's own.

        Args:
            x: rows as stored, floating, [n, d].
            survives: from pre-activations [block, m] to bool [block, m].

        Raises:
            SaeError: wrong width or type, or a row that is not finite.
        """
        none = torch.empty(0, dtype=torch.int64, device=self.W_enc.device)
        rows, latents, values, frames = [none], [none], [none.float()], []
        for i, (pre, frame) in enumerate(self._blocks(x)):
            mask = survives(pre)
            row, latent = mask.nonzero(as_tuple=True)
            rows.append(row + i * BLOCK)
            latents.append(latent)
            values.append(pre[mask])
            frames += [] if frame is None else [frame]
        frame = torch.cat(frames) if frames else None
        return SparseCodes(torch.cat(rows), torch.cat(latents), torch.cat(values), len(x), self.m, frame)

    @torch.no_grad()
    def decode(self, codes: SparseCodes) -> Tensor:
        """What the codes say the rows were, in the space of the rows as stored, float32 [codes.rows, d].

        Raises:
            SaeError: the model normalises each row, and the codes do not say by what.
        """
        pattern = Pattern(codes.row, codes.latent, codes.rows, codes.latents)
        h = pattern.combine(codes.value, self.W_dec) + self.b_dec
        if normaliser(self.metadata.normalise) and codes.rows:
            if codes.frame is None:
                raise SaeError("these codes have no frame, which this SAE's decoder needs: decode what encode returned")
            h = h * codes.frame[:, 1:] + codes.frame[:, :1]
        return h * self.scale + self.mean

    def _blocks(self, x: Tensor | np.ndarray) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Pre-activations of blocks of rows, with what each row was shifted and divided by, if it was."""
        x = self._checked(x)
        normalise = normaliser(self.metadata.normalise)
        for start in range(0, len(x), BLOCK):
            part = x[start : start + BLOCK].to(self.W_enc.device, torch.float32)
            n, frame = len(part), None
            block = part.new_zeros(BLOCK, self.d)
            block[:n] = self.standardise(part)
            if normalise:
                block, frame = normalise(block)
                frame = frame[:n]
            if self.metadata.centred:
                block = block - self.b_dec
            finite = block[:n].isfinite().all(dim=1)
            if not finite.all():
                row = start + int((~finite).nonzero()[0])
                raise SaeError(f"row {row} holds values that are not finite numbers: remove it or embed it again")
            pre = torch.addmm(self.b_enc, block, self.W_enc.T)[:n]
            yield pre if self.gain is None else pre * self.gain, frame

    def save(self, folder: Path | str, dtype: str = "float32") -> None:
        """Write `sae.safetensors` and `sae.yaml` into a folder, which is made where it is missing.

        Args:
            folder: where to.
            dtype: "float32", or "float16" for half the size; `load` gives float32 either way.

        Raises:
            SaeError: another dtype.
        """
        from sae_training.storage import save

        save(self, Path(folder), dtype)

    def _checked(self, x: Tensor | np.ndarray) -> Tensor:
        x = torch.as_tensor(x)
        if x.ndim != 2 or x.shape[1] != self.d:
            raise SaeError(
                f"rows have shape {list(x.shape)}, this SAE takes [n, {self.d}]: use the encoder it was trained on"
            )
        if not x.is_floating_point():
            raise SaeError(f"rows are {x.dtype}, expected floating numbers: convert them to float32")
        return x
