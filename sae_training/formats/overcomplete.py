"""State dicts of overcomplete models with a linear encoder; neither k nor BatchTopK's threshold is in them.

The dictionary is taken as l2-normalised, overcomplete's default: which kind it was is not in the file either.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sae_training.errors import SaeError
from sae_training.formats.checkpoint import Checkpoint, ExternalWeights

FILES = ("sae_state_dict.pt", "*.pt")
LINEAR, NORM = "encoder.final_block.0", "encoder.final_block.1"


def recognises(checkpoint: Checkpoint) -> bool:
    """Whether the tensors are this tool's."""
    return "dictionary._weights" in checkpoint.content


def read(checkpoint: Checkpoint) -> ExternalWeights:
    """What the state dict says: uncalibrated until a threshold or `inference='topk'` comes from the user."""
    others = [name for name in checkpoint.content if not name.startswith((LINEAR, NORM, "dictionary."))]
    if others:
        raise SaeError(f"{checkpoint.file} has an encoder that is not linear ({others[0]}): it is not read")
    weight = checkpoint.tensor(f"{LINEAR}.weight")
    has_bias = f"{LINEAR}.bias" in checkpoint.content
    bias = checkpoint.tensor(f"{LINEAR}.bias") if has_bias else weight.new_zeros(len(weight))
    gain, offset = _batch_norm(checkpoint)
    # in float32, as the tool computes it
    atoms, name = checkpoint.tensor("dictionary._weights").float(), "dictionary.multiplier"
    scale = checkpoint.tensor(name).float().exp() if name in checkpoint.content else 1.0
    atoms = atoms / (atoms.norm(dim=1, keepdim=True) + 1e-8) * scale
    zero = torch.zeros(weight.shape[-1], dtype=torch.float64)
    return ExternalWeights("linear encoder", weight, atoms, bias + offset, zero, "threshold", inclusive=True, gain=gain)


def _batch_norm(checkpoint: Checkpoint) -> tuple[Tensor | None, Tensor | float]:
    """The batch norm behind the linear map, as it is at evaluation: z to gain (z + offset)."""
    if not any(name.startswith(NORM) for name in checkpoint.content):
        return None, 0.0
    weight, bias, mean, variance = (
        checkpoint.tensor(f"{NORM}.{name}") for name in ("weight", "bias", "running_mean", "running_var")
    )
    gain = weight / (variance + 1e-5).sqrt()
    return gain, bias / gain - mean
