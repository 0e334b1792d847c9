"""Checkpoints of dictionary_learning, and of sae_for_vlm, which is built on it: `ae.pt` beside `config.json`.

Their weights take raw rows. A threshold below 0 says that it was never estimated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from sae_training.errors import SaeError
from sae_training.files import replacing
from sae_training.formats.checkpoint import Checkpoint, ExternalWeights, settings_of
from sae_training.formats.raw import RawWeights
from sae_training.model import SparseAutoencoder

FILES = ("ae.pt", "trainer_*/ae.pt")
CONFIG = "config.json"
RULES = {
    "AutoEncoderTopK": "topk",
    "BatchTopKSAE": "threshold",
    "MatryoshkaBatchTopKSAE": "threshold",
    "MatroyshkaBatchTopKSAE": "threshold",  # as sae_for_vlm spells it
    "JumpReluAutoEncoder": "threshold",
}
CLASSES = {"topk": ("AutoEncoderTopK", "TopKTrainer"), "threshold": ("BatchTopKSAE", "BatchTopKTrainer")}


def recognises(checkpoint: Checkpoint) -> bool:
    """Whether the tensors are this tool's."""
    names = set(_state(checkpoint))
    linear = {"encoder.weight", "encoder.bias", "decoder.weight", "b_dec"} <= names
    return checkpoint.file.suffix != ".safetensors" and (linear or {"W_enc", "W_dec", "b_dec", "threshold"} <= names)


def read(checkpoint: Checkpoint) -> ExternalWeights:
    """A finished file, a checkpoint of a run, or the intermediate `ae.pt` of a run with backups."""
    state, settings = _state(checkpoint), _settings(checkpoint)
    kind = str(settings.get("dict_class", "unnamed class"))
    if settings and kind not in RULES:
        raise SaeError(f"{checkpoint.file} is a {kind}, which is not read (read are: {', '.join(RULES)})")
    linear = "encoder.weight" in state
    names = ("encoder.weight", "decoder.weight", "encoder.bias") if linear else ("W_enc", "W_dec", "b_enc")
    first, second, bias = (checkpoint.tensor(name, state) for name in names)
    # until a run ends, its file takes normalised rows and says what they were divided by
    factor = float(checkpoint.content.get("norm_factor") or 1.0)
    threshold = checkpoint.tensor("threshold", state) * factor
    jump = threshold.ndim == 1
    return ExternalWeights(
        kind,
        first if linear else first.T,
        second.T if linear else second,
        bias * factor,
        checkpoint.tensor("b_dec", state) * factor,
        # the two linear classes have the same tensors: only the configuration tells them apart
        RULES.get(kind, None if linear else "threshold"),
        _k(checkpoint, state, settings),
        threshold if jump or threshold >= 0 else None,
        centred=not jump,
        settings=settings,
    )


def write(sae: SparseAutoencoder, folder: Path) -> None:
    """`ae.pt` and `config.json`, as `dictionary_learning.utils.load_dictionary` reads them."""
    weights = RawWeights.of(sae)
    if sae.metadata.inference not in CLASSES or weights.threshold.ndim:
        what = "one threshold per latent" if weights.threshold.ndim else f"{sae.metadata.inference} per row"
        raise SaeError(f"dictionary_learning knows no model with {what}: export to another format")
    state = {
        "b_dec": weights.b_dec,
        "k": torch.tensor(sae.k, dtype=torch.int32),
        "threshold": weights.threshold.nan_to_num(-1.0),
        "decoder.weight": weights.W_dec.T.contiguous(),
        "encoder.weight": weights.W_enc,
        "encoder.bias": weights.b_enc,
    }
    kind, trainer = CLASSES[sae.metadata.inference]
    settings = {
        "trainer_class": trainer,
        "dict_class": kind,
        "activation_dim": sae.d_in,
        "dict_size": sae.num_latents,
        "k": sae.k,
        "device": "cpu",
        "layer": 0,
        "lm_name": sae.metadata.fingerprint or "",
        "wandb_name": kind,
        "submodule_name": None,
    }
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / "ae.pt") as weights_path, replacing(folder / CONFIG) as config_path:
        torch.save(state, weights_path)
        config_path.write_text(json.dumps({"trainer": settings}, indent=4), encoding="utf-8")


def _state(checkpoint: Checkpoint) -> Mapping[str, Any]:
    nested = checkpoint.content.get("ae")
    return nested if isinstance(nested, Mapping) else checkpoint.content


def _settings(checkpoint: Checkpoint) -> dict[str, Any]:
    """The run's configuration, beside the file or above `checkpoints/`; empty where there is none."""
    folder = checkpoint.file.parent
    for path in (folder / CONFIG, folder.parent / CONFIG):
        if path.is_file():
            trainer = settings_of(path).get("trainer")
            return trainer if isinstance(trainer, dict) else {}
    return {}


def _k(checkpoint: Checkpoint, state: Mapping[str, Any], settings: Mapping[str, Any]) -> int | None:
    """The run's target k; the file's own may still be approaching it."""
    if "k" in settings or "target_l0" in settings:
        return settings.get("k") or round(settings["target_l0"])
    return int(checkpoint.tensor("k", state)) if "k" in state else None
