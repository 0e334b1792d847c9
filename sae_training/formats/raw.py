"""Our weights for rows as stored, neither centred nor scaled, as other tools take them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from sae_training.errors import SaeError
from sae_training.model import SparseAutoencoder


class RawWeights(NamedTuple):
    """a = W_enc (x - b_dec) + b_enc and x_hat = z W_dec + b_dec, all of it float32; codes are `scale` times ours.

    With b_dec = mean + scale * b_dec of the model, a is scale times ours where b_enc and theta are.
    """

    W_enc: Tensor  # [m, d]
    W_dec: Tensor  # [m, d]
    b_enc: Tensor  # [m]
    b_dec: Tensor  # [d]
    theta: Tensor  # [] or [m]; nan where the rule of inference has none

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
        gain = torch.ones(sae.m, device=scale.device).double() if sae.gain is None else sae.gain.double()
        b_enc = sae.b_enc.double() + (0 if sae.metadata.centred else w_enc @ b_dec)
        tensors = (
            w_enc * gain[:, None],
            sae.W_dec,
            b_enc * gain * scale,
            sae.mean.double() + scale * b_dec,
            sae.theta.double() * scale,
        )
        return cls(*(tensor.detach().cpu().float().contiguous() for tensor in tensors))
