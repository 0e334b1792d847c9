"""Checkpoints of EleutherAI's sparsify: `sae.safetensors` beside `cfg.json`; decoder rows are not of unit length."""

from __future__ import annotations

from sae_training.errors import SaeError
from sae_training.formats.checkpoint import Checkpoint, ExternalWeights, settings_of

FILES = ("sae.safetensors",)
CONFIG = "cfg.json"
ACTIVATIONS = ("topk", "groupmax")


def recognises(checkpoint: Checkpoint) -> bool:
    """Whether the tensors are this tool's."""
    return checkpoint.file.suffix == ".safetensors" and {"encoder.weight", "b_dec"} <= set(checkpoint.content)


def read(checkpoint: Checkpoint) -> ExternalWeights:
    """A sparse coder or transcoder; one with a skip connection does not decode codes alone."""
    settings = settings_of(checkpoint.file.with_name(CONFIG))
    if "W_skip" in checkpoint.content or settings.get("skip_connection"):
        raise SaeError(f"{checkpoint.file} has a skip connection, its output is not of the codes alone: it is not read")
    if "W_dec" not in checkpoint.content:
        raise SaeError(f"{checkpoint.file} was saved without its decoder: save it with the decoder")
    activation = settings.get("activation", "topk")
    if activation not in ACTIVATIONS:
        raise SaeError(f"{checkpoint.file} has activation '{activation}' (read are: {', '.join(ACTIVATIONS)})")
    transcode = bool(settings.get("transcode"))
    return ExternalWeights(
        "transcoder" if transcode else "SparseCoder",
        checkpoint.tensor("encoder.weight"),
        checkpoint.tensor("W_dec"),
        checkpoint.tensor("encoder.bias"),
        checkpoint.tensor("b_dec"),
        activation,
        settings.get("k"),
        centred=not transcode,
        settings=settings,
    )
