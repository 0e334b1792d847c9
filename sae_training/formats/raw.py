"""Our weights converted for rows as stored, neither centred nor scaled, as other tools take them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from sae_training.errors import SaeError
from sae_training.model import SparseAutoencoder


class RawWeights(NamedTuple):
    """a = W_enc (x - b_dec) + b_enc and x_hat = z W_dec + b_dec, all of it float32; codes are `scale` times ours.

    b_dec is the model's mean + scale * b_dec; b_enc and threshold are scale times the model's.
    """

    W_enc: Tensor  # [latents, d]
    W_dec: Tensor  # [latents, d]
    b_enc: Tensor  # [latents]
    b_dec: Tensor  # [d]
    threshold: Tensor  # [] or [latents]; nan where the rule of inference has none

    @classmethod
    def of(cls, sae: SparseAutoencoder) -> RawWeights:
        """The weights of a model.

        Raises:
            SaeError: it is not calibrated, or normalises each row, which no weights can do.
        """
        if sae.metadata.normalise != "none":
            raise SaeError(f"this SAE normalises each row ({sae.metadata.normalise}): keep it in the native format")
        if not sae.calibrated:
            raise SaeError("this SAE is not calibrated: call sae_training.calibrate(sae, rows) before the export")
        scale, w_enc, b_dec = sae.scale.double(), sae.W_enc.double(), sae.b_dec.double()
        gain = torch.ones(sae.num_latents, device=scale.device).double() if sae.gain is None else sae.gain.double()
        b_enc = sae.b_enc.double() + (0 if sae.metadata.centred else w_enc @ b_dec)
        tensors = (
            w_enc * gain[:, None],
            sae.W_dec,
            b_enc * gain * scale,
            sae.mean.double() + scale * b_dec,
            sae.threshold.double() * scale,
        )
        return cls(*(tensor.detach().cpu().float().contiguous() for tensor in tensors))
