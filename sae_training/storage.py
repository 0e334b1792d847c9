"""Models in files: `sae.safetensors` with the weights, `sae.yaml`, the card, with what the model is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as bytes_from_tensors

from sae_training.errors import SaeError
from sae_training.files import replacing
from sae_training.inference import normaliser, rule
from sae_training.model import VERSION, SaeMetadata, SparseAutoencoder

READABLE = range(1, VERSION + 1)
WEIGHTS_FILE, CARD_FILE = "sae.safetensors", "sae.yaml"
NAMES = {"mean": "mu", "scale": "s"}  # in the file, where others than in the model


def save(sae: SparseAutoencoder, folder: Path, dtype: str) -> None:
    """What `SparseAutoencoder.save` does."""
    if dtype not in ("float32", "float16"):
        raise SaeError(f"cannot store weights as '{dtype}': use float32 or float16")
    whole = {"theta", "scale"} if dtype == "float16" else set(sae.state_dict())
    tensors = {
        NAMES.get(name, name): tensor.cpu().to(torch.float32 if name in whole else torch.float16).contiguous()
        for name, tensor in sae.state_dict().items()
    }
    data = bytes_from_tensors(tensors)
    known = {**asdict(sae.metadata), "version": VERSION}
    card = {"d": sae.d, "m": sae.m, **known, "sha256": hashlib.sha256(data).hexdigest()}
    folder.mkdir(parents=True, exist_ok=True)
    # both are written before either is renamed: a full disk leaves the pair that was there
    with replacing(folder / WEIGHTS_FILE) as weights_path, replacing(folder / CARD_FILE) as card_path:
        weights_path.write_bytes(data)
        card_path.write_text(yaml.safe_dump(json.loads(json.dumps(card)), sort_keys=False), encoding="utf-8")


def load(folder: Path | str, device: str = "cpu") -> SparseAutoencoder:
    """Read a sparse autoencoder that `save` wrote.

    Args:
        folder: holds `sae.safetensors` and `sae.yaml`.
        device: where its weights go.

    Raises:
        SaeError: files missing, damaged, of another version, or not of this program.
    """
    folder = Path(folder)
    card = _read_card(folder)
    try:
        data = (folder / WEIGHTS_FILE).read_bytes()
        tensors = tensors_from_bytes(data)
    except (OSError, SafetensorError) as error:
        raise SaeError(f"cannot read {folder / WEIGHTS_FILE} ({error}): copy or train it again") from None
    known = {f.name for f in fields(SaeMetadata)}
    sae = SparseAutoencoder(card["d"], card["m"], SaeMetadata(**{key: v for key, v in card.items() if key in known}))
    rule(sae.metadata.inference)
    normaliser(sae.metadata.normalise)
    _fill(sae, tensors, folder / WEIGHTS_FILE)
    if hashlib.sha256(data).hexdigest() != card["sha256"]:
        raise SaeError(f"{folder}: {WEIGHTS_FILE} and {CARD_FILE} do not belong together: copy both again")
    return sae.to(device).eval().requires_grad_(False)


def _fill(sae: SparseAutoencoder, tensors: Mapping[str, torch.Tensor], file: Path) -> None:
    """Weights of a file, in the model."""
    for name in ("theta", "gain"):  # one for each latent, in some models
        if name in tensors and tensors[name].shape == (sae.m,):
            setattr(sae, name, torch.empty(sae.m))
    for key, target in sae.state_dict().items():
        name = NAMES.get(key, key)
        found = tensors.get(name)
        if found is None or found.shape != target.shape:
            shape = "nothing" if found is None else str(list(found.shape))
            raise SaeError(f"{file}: {name} should be {list(target.shape)}, found {shape}: copy or train it again")
        # copied into torch's own aligned memory: a product's last bits may depend on how its operands are aligned
        target.copy_(found)


def _read_card(folder: Path) -> dict[str, Any]:
    path = folder / CARD_FILE
    try:
        card = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        there = ", ".join(sorted(p.name for p in folder.iterdir())[:5]) if folder.is_dir() else "no such folder"
        reason = f"has no {CARD_FILE} (found: {there or 'nothing'})" if not path.exists() else str(error)
        raise SaeError(
            f"{folder} is not a sparse autoencoder of this program, it {reason}: train one or check the path"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise SaeError(f"cannot read {path}, it is not YAML: copy or train it again") from None
    if not isinstance(card, dict) or "version" not in card:
        raise SaeError(f"{path} does not describe a sparse autoencoder of this program: train one or check the path")
    if card["version"] not in READABLE:
        reads = f"{READABLE[0]} to {VERSION}"
        raise SaeError(
            f"{path} has format version {card['version']}, this program reads {reads}: update it or train again"
        )
    missing = [key for key in ("d", "m", "k", "variant", "sha256") if key not in card]
    if missing:
        raise SaeError(f"{path} lacks {', '.join(missing)}: copy or train it again")
    for key in ("d", "m", "k"):
        if not isinstance(card[key], int) or card[key] < 1:
            raise SaeError(f"{path}: {key} is '{card[key]}', expected a whole number: copy or train it again")
    return card
