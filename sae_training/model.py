"""The sparse autoencoder: encode and decode (docs/methods.md, 1).

Codes do not depend on the batch. Rows are encoded in blocks of 1,024, the last one padded with zeros: every product
has the same shape, and a row gets the same bits whichever rows are beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sae_training.codes import Pattern, SparseCodes
from sae_training.errors import SaeError
from sae_training.inference import normaliser, rule
from sae_training.metadata import SaeMetadata
from sae_training.storage import write

BLOCK_ROWS = 1024


class SparseAutoencoder(nn.Module):
    """Rows x to sparse codes z and back.

    h = (x - mean) / scale, a = W_enc (h - b_dec) + b_enc, z = a where a > threshold, else 0; h_hat = W_dec^T z + b_dec.
    Models of other tools may normalise each h, not subtract b_dec, multiply a by a gain per latent, or choose the
    latents that fire by another rule (inference.py).

    Args:
        d_in: width d of the rows.
        num_latents: number of latents.
        metadata: what it is; `metadata.k` is the L0 it aims at.
    """

    W_enc: nn.Parameter  # [latents, d]
    W_dec: nn.Parameter  # [latents, d], unit rows
    b_enc: nn.Parameter  # [latents]
    b_dec: nn.Parameter  # [d]
    mean: Tensor  # [d]
    scale: Tensor  # []
    threshold: Tensor  # [], or [latents]; nan until calibrated
    gain: Tensor | None  # [latents], where there is one

    def __init__(self, d_in: int, num_latents: int, metadata: SaeMetadata) -> None:
        super().__init__()
        self.metadata = metadata
        self.W_enc = nn.Parameter(torch.zeros(num_latents, d_in))
        self.W_dec = nn.Parameter(torch.zeros(num_latents, d_in))
        self.b_enc = nn.Parameter(torch.zeros(num_latents))
        self.b_dec = nn.Parameter(torch.zeros(d_in))
        self.register_buffer("mean", torch.zeros(d_in))
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("threshold", torch.full((), float("nan")))
        self.register_buffer("gain", None)

    @property
    def d_in(self) -> int:
        """Width of the rows."""
        return self.W_enc.shape[1]

    @property
    def num_latents(self) -> int:
        """Number of latents."""
        return self.W_enc.shape[0]

    @property
    def k(self) -> int:
        """Non-zero latents per row it aims at, on average."""
        return self.metadata.k

    @property
    def calibrated(self) -> bool:
        """Whether the threshold has been set, where the rule of inference needs one."""
        return self.metadata.inference != "threshold" or not bool(self.threshold.isnan().any())

    def standardise(self, x: Tensor) -> Tensor:
        """Rows as stored [n, d] to h [n, d], which the weights take."""
        return (x - self.mean) / self.scale

    @torch.no_grad()
    def pre_activations(self, x: Tensor | np.ndarray) -> Iterator[Tensor]:
        """a = W_enc (h - b_dec) + b_enc in blocks of at most 1,024 rows, float32 [block, latents].

        Args:
            x: rows as stored, floating, [n, d].

        Raises:
            SaeError: wrong width or type, or a row that is not finite.
        """
        yield from (pre for pre, _ in self._blocks(x))

    @torch.no_grad()
    def encode(self, x: Tensor | np.ndarray) -> SparseCodes:
        """Sparse codes; a row gets the same bits in any batch.

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
        return self.codes_where(x, lambda pre: survives(pre, self.threshold, self.k))

    @torch.no_grad()
    def codes_where(self, x: Tensor | np.ndarray, survives: Callable[[Tensor], Tensor]) -> SparseCodes:
        """Sparse codes whose non-zero entries a given rule chooses.

        Args:
            x: rows as stored, floating, [n, d].
            survives: from pre-activations [block, latents] to bool [block, latents].

        Raises:
            SaeError: wrong width or type, or a row that is not finite.
        """
        none = torch.empty(0, dtype=torch.int64, device=self.W_enc.device)
        rows, latents, values, normalisations = [none], [none], [none.float()], []
        for i, (pre, normalisation) in enumerate(self._blocks(x)):
            mask = survives(pre)
            row, latent = mask.nonzero(as_tuple=True)
            rows.append(row + i * BLOCK_ROWS)
            latents.append(latent)
            values.append(pre[mask])
            normalisations += [] if normalisation is None else [normalisation]
        normalisation = torch.cat(normalisations) if normalisations else None
        entries = torch.cat(rows), torch.cat(latents), torch.cat(values)
        return SparseCodes(*entries, len(x), self.num_latents, normalisation)

    @torch.no_grad()
    def decode(self, codes: SparseCodes) -> Tensor:
        """Reconstructed rows as stored, float32 [codes.rows, d].

        Raises:
            SaeError: the model normalises each row, and the codes lack the normalisation.
        """
        pattern = Pattern(codes.row, codes.latent, codes.rows, codes.latents)
        h = pattern.combine(codes.value, self.W_dec) + self.b_dec
        if normaliser(self.metadata.normalise) and codes.rows:
            if codes.normalisation is None:
                raise SaeError(
                    "these codes have no normalisation, which this SAE's decoder needs: decode what encode returned"
                )
            h = h * codes.normalisation[:, 1:] + codes.normalisation[:, :1]
        return h * self.scale + self.mean

    def _blocks(self, x: Tensor | np.ndarray) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Pre-activations of blocks of rows, and the shift and spread [block, 2] of each row where it is normalised."""
        x = self._checked(x)
        normalise = normaliser(self.metadata.normalise)
        for start in range(0, len(x), BLOCK_ROWS):
            part = x[start : start + BLOCK_ROWS].to(self.W_enc.device, torch.float32)
            n, normalisation = len(part), None
            block = part.new_zeros(BLOCK_ROWS, self.d_in)
            block[:n] = self.standardise(part)
            if normalise:
                block, normalisation = normalise(block)
                normalisation = normalisation[:n]
            if self.metadata.centred:
                block = block - self.b_dec
            finite = block[:n].isfinite().all(dim=1)
            if not finite.all():
                row = start + int((~finite).nonzero()[0])
                raise SaeError(f"row {row} holds values that are not finite numbers: remove it or embed it again")
            pre = torch.addmm(self.b_enc, block, self.W_enc.T)[:n]
            yield pre if self.gain is None else pre * self.gain, normalisation

    def save(self, folder: Path | str, dtype: str = "float32") -> None:
        """Write `sae.safetensors` and `sae.yaml` into a folder, which is made where it is missing.

        Args:
            folder: where to.
            dtype: "float32", or "float16" for half the size; `load` gives float32 either way.

        Raises:
            SaeError: another dtype.
        """
        write(Path(folder), self.state_dict(), self.metadata, dtype)

    def _checked(self, x: Tensor | np.ndarray) -> Tensor:
        x = torch.as_tensor(x)
        if x.ndim != 2 or x.shape[1] != self.d_in:
            raise SaeError(
                f"rows have shape {list(x.shape)}, this SAE takes [n, {self.d_in}]: use the encoder it was trained on"
            )
        if not x.is_floating_point():
            raise SaeError(f"rows are {x.dtype}, expected floating numbers: convert them to float32")
        return x
