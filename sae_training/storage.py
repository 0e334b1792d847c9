"""Files of this program's models: `sae.safetensors`, the weights, and `sae.yaml`, the card that describes them.

Knows tensors and metadata, not the model: `SparseAutoencoder.save` writes, `formats/native.py` reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as bytes_from_tensors
from torch import Tensor

from sae_training.errors import SaeError
from sae_training.files import replacing
from sae_training.metadata import FORMAT_VERSION, SaeMetadata

READABLE_VERSIONS = range(1, FORMAT_VERSION + 1)
WEIGHTS_FILE, CARD_FILE = "sae.safetensors", "sae.yaml"
NAMES_IN_FILE = {"mean": "mu", "scale": "s", "threshold": "theta"}  # the other tensors have the model's names


class Stored(NamedTuple):
    """What lies in a model's folder."""

    d_in: int
    num_latents: int
    metadata: SaeMetadata
    tensors: Mapping[str, Tensor]  # by their names in the file
    matches_card: bool  # whether the weights have the hash that the card says


def write(folder: Path, tensors: Mapping[str, Tensor], metadata: SaeMetadata, dtype: str) -> None:
    """Write a model's two files, both or neither.

    Args:
        folder: where to; made where it is missing.
        tensors: the model's state by its names.
        metadata: for the card.
        dtype: "float32", or "float16" for the weights.

    Raises:
        SaeError: another dtype.
    """
    if dtype not in ("float32", "float16"):
        raise SaeError(f"cannot store weights as '{dtype}': use float32 or float16")
    whole = {"threshold", "scale"} if dtype == "float16" else set(tensors)
    data = bytes_from_tensors(
        {
            NAMES_IN_FILE.get(name, name): tensor.cpu()
            .to(torch.float32 if name in whole else torch.float16)
            .contiguous()
            for name, tensor in tensors.items()
        }
    )
    num_latents, d_in = tensors["W_enc"].shape
    described = {**asdict(metadata), "version": FORMAT_VERSION}
    card = {"d": d_in, "m": num_latents, **described, "sha256": hashlib.sha256(data).hexdigest()}
    folder.mkdir(parents=True, exist_ok=True)
    # both are written before either is renamed: a full disk leaves the pair that was there
    with replacing(folder / WEIGHTS_FILE) as weights_path, replacing(folder / CARD_FILE) as card_path:
        weights_path.write_bytes(data)
        card_path.write_text(yaml.safe_dump(json.loads(json.dumps(card)), sort_keys=False), encoding="utf-8")


def read(folder: Path) -> Stored:
    """What `write` wrote.

    Raises:
        SaeError: files missing, damaged, of another version, or not of this program.
    """
    card = _read_card(folder)
    try:
        data = (folder / WEIGHTS_FILE).read_bytes()
        tensors = tensors_from_bytes(data)
    except (OSError, SafetensorError) as error:
        raise SaeError(f"cannot read {folder / WEIGHTS_FILE} ({error}): copy or train it again") from None
    known = {item.name for item in fields(SaeMetadata)}
    metadata = SaeMetadata(**{key: value for key, value in card.items() if key in known})
    return Stored(card["d"], card["m"], metadata, tensors, hashlib.sha256(data).hexdigest() == card["sha256"])


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
    if card["version"] not in READABLE_VERSIONS:
        reads = f"{READABLE_VERSIONS[0]} to {FORMAT_VERSION}"
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
