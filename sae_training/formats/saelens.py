"""Checkpoints of SAELens: `sae_weights.safetensors` beside `cfg.json`, exported or from the middle of a training run.

BatchTopK models are exported as JumpReLU. In a run's own checkpoints decoder rows are not of unit length, the inputs'
factor lies in `activation_scaler.json`, and latents are ranked by activation times the length of their row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save as bytes_from_tensors
from torch import Tensor

from sae_training.errors import SaeError
from sae_training.files import replacing
from sae_training.formats.checkpoint import Checkpoint, ExternalWeights, settings_of
from sae_training.formats.raw import RawWeights
from sae_training.model import SparseAutoencoder

FILES = ("sae_weights.safetensors",)
CONFIG, SCALER = "cfg.json", "activation_scaler.json"
ARCHITECTURES = ("standard", "jumprelu", "topk", "batchtopk", "matryoshka_batchtopk")
NORMALISATIONS = {
    "none": "none",
    "expected_average_only_in": "none",  # one factor for all rows: `_scale`
    "layer_norm": "layer_norm",
    "constant_norm_rescale": "constant_norm",
}
SAELENS_VERSION = "6.0.0"  # the first whose cfg.json has the layout that `write` uses


def recognises(checkpoint: Checkpoint) -> bool:
    """Whether the tensors are this tool's."""
    return checkpoint.file.suffix == ".safetensors" and {"W_enc", "W_dec", "b_dec"} <= set(checkpoint.content)


def read(checkpoint: Checkpoint) -> ExternalWeights:
    """An exported model, or a checkpoint of a run."""
    settings = settings_of(checkpoint.file.with_name(CONFIG))
    architecture = _architecture(checkpoint, settings)
    w_dec, gain = checkpoint.tensor("W_dec"), None
    if settings.get("rescale_acts_by_decoder_norm"):
        gain = w_dec.norm(dim=1)
        w_dec = w_dec / gain[:, None].clamp_min(1e-30)
    if "scaling_factor" in checkpoint.content:  # from fine-tuning; multiplies the codes before the decoder
        w_dec = w_dec * checkpoint.tensor("scaling_factor")[:, None]
    metadata = settings.get("metadata") or {}
    return ExternalWeights(
        metadata.get("training_architecture") or architecture,
        checkpoint.tensor("W_enc").T,
        w_dec,
        checkpoint.tensor("b_enc"),
        checkpoint.tensor("b_dec"),
        "topk" if architecture == "topk" else "threshold",
        _k(settings),
        _threshold(checkpoint, architecture),
        centred=bool(settings.get("apply_b_dec_to_input", True)),
        gain=gain,
        scale=_scale(checkpoint, settings),
        normalise=NORMALISATIONS[_normalisation(checkpoint, settings)],
        settings=settings,
    )


def write(sae: SparseAutoencoder, folder: Path) -> None:
    """`sae_weights.safetensors` and `cfg.json`, as `sae_lens.SAE.load_from_disk` reads them."""
    architectures = {"threshold": "jumprelu", "topk": "topk"}
    weights = RawWeights.of(sae)
    if sae.metadata.inference not in architectures:
        raise SaeError(f"SAELens knows no model with {sae.metadata.inference} per row: keep it in the native format")
    architecture = architectures[sae.metadata.inference]
    tensors = {
        "W_enc": weights.W_enc.T.contiguous(),
        "W_dec": weights.W_dec,
        "b_enc": weights.b_enc,
        "b_dec": weights.b_dec,
    }
    if architecture != "topk":
        tensors["threshold"] = weights.threshold.expand(sae.num_latents).contiguous()
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / FILES[0]) as weights_path, replacing(folder / CONFIG) as config_path:
        weights_path.write_bytes(bytes_from_tensors(tensors))
        config_path.write_text(json.dumps(_config(sae, architecture)), encoding="utf-8")


def _config(sae: SparseAutoencoder, architecture: str) -> dict[str, Any]:
    """The content of `cfg.json` for a model that takes rows as they are."""
    settings: dict[str, Any] = {
        "architecture": architecture,
        "d_in": sae.d_in,
        "d_sae": sae.num_latents,
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": True,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {
            "sae_lens_version": SAELENS_VERSION,
            "model_name": sae.metadata.fingerprint,
            "training_architecture": sae.metadata.variant,
            "training_architecture_details": {"k": sae.k},
        },
    }
    if architecture == "topk":
        settings |= {"k": sae.k, "rescale_acts_by_decoder_norm": False}
    return settings


def _architecture(checkpoint: Checkpoint, settings: Mapping[str, Any]) -> str:
    before_6 = settings.get("activation_fn_str", settings.get("activation_fn"))
    architecture = "topk" if before_6 == "topk" else settings.get("architecture", "standard")
    if architecture not in ARCHITECTURES:
        raise SaeError(
            f"{checkpoint.file} has architecture '{architecture}', which is not read "
            f"(read are: {', '.join(ARCHITECTURES)})"
        )
    return architecture


def _k(settings: Mapping[str, Any]) -> int | None:
    metadata = settings.get("metadata") or {}
    places = (settings, settings.get("activation_fn_kwargs"), metadata.get("training_architecture_details"))
    found = [place["k"] for place in places if place and place.get("k")]
    if not found and metadata.get("l0"):  # a trained JumpReLU has no target: the measured L0 stands for it
        found = [max(1, round(metadata["l0"]))]
    return found[0] if found else None


def _threshold(checkpoint: Checkpoint, architecture: str) -> Tensor | float | None:
    if architecture == "topk":
        return None
    if architecture == "standard":
        return 0.0
    if "log_threshold" in checkpoint.content:
        return checkpoint.tensor("log_threshold").float().exp()
    return checkpoint.tensor("threshold" if "threshold" in checkpoint.content else "topk_threshold")


def _normalisation(checkpoint: Checkpoint, settings: Mapping[str, Any]) -> str:
    found = settings.get("normalize_activations") or "none"
    found = "expected_average_only_in" if found is True else found
    if found not in NORMALISATIONS:
        raise SaeError(
            f"{checkpoint.file} takes inputs normalised by '{found}', which is not read "
            f"(read are: {', '.join(NORMALISATIONS)}): export the finished run"
        )
    return found


def _scale(checkpoint: Checkpoint, settings: Mapping[str, Any]) -> float:
    """What inputs are divided by; a finished run has folded it into the weights."""
    if _normalisation(checkpoint, settings) != "expected_average_only_in":
        return 1.0
    factor = settings_of(checkpoint.file.with_name(SCALER)).get("scaling_factor")
    return 1.0 / factor if factor else 1.0
