"""Other tools' checkpoints: tensors are read without running code from them, and a model is built."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from sae_training.errors import SaeError
from sae_training.inference import rule
from sae_training.metadata import SaeMetadata
from sae_training.model import SparseAutoencoder

# torch does not allow numpy's numbers by default; old and new versions of numpy name their constructor differently
_SCALAR = np.float64(0).__reduce__()[0]
_SCALAR_NAMES = [(_SCALAR, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
SAFE_NUMPY_TYPES: list[Any] = [*_SCALAR_NAMES, np.dtype, type(np.dtype("float32")), type(np.dtype("float64"))]


class Checkpoint(NamedTuple):
    """The content of a file of weights."""

    file: Path
    content: Mapping[str, Any]  # tensors by name, and whatever else the tool keeps there

    def tensor(self, name: str, source: Mapping[str, Any] | None = None) -> Tensor:
        """A tensor in float64, from `source` instead of the whole where it is given.

        Raises:
            SaeError: it is not there.
        """
        found = (self.content if source is None else source).get(name)
        if not isinstance(found, Tensor):
            raise SaeError(f"{self.file} has no {name}: it is damaged, or not of the tool it looks like")
        return found.detach().cpu().double()


@dataclass(frozen=True)
class ExternalWeights:
    """Another tool's weights: a = gain (W_enc (h - b_dec) + b_enc), where h is (x - mean) / scale, normalised."""

    kind: str  # of model, as the tool calls it
    W_enc: Tensor  # [latents, d]
    W_dec: Tensor  # [latents, d]
    b_enc: Tensor  # [latents]
    b_dec: Tensor  # [d]
    inference: str | None = None  # which latents fire; None: the file does not say
    k: int | None = None
    threshold: Tensor | float | None = None  # None: never estimated, or not in the file
    inclusive: bool = False  # whether an entry equal to the threshold fires
    centred: bool = True  # whether b_dec is subtracted first
    gain: Tensor | None = None  # [latents]; multiplied into the weights it would change the last bits of codes
    mean: Tensor | float = 0.0
    scale: float = 1.0
    normalise: str = "none"
    settings: Mapping[str, Any] = field(default_factory=dict)  # as the tool stored them


class Options(NamedTuple):
    """What the user says beside the file."""

    k: int | None = None
    threshold: float | None = None
    inference: str | None = None


def read(file: Path) -> Checkpoint:
    """The content of a file of weights, safetensors or torch's, without running code from it.

    Raises:
        SaeError: it cannot be read, or only by running code from it.
    """
    try:
        if file.suffix == ".safetensors":
            return Checkpoint(file, load_file(file))
        with torch.serialization.safe_globals(SAFE_NUMPY_TYPES):
            content = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        if isinstance(error, pickle.UnpicklingError) and zipfile.is_zipfile(file):
            raise SaeError(
                f"{file} is a pickled object, which could run code when it is read: where it was made and is trusted, "
                "write its tensors with torch.save(torch.load(FILE, weights_only=False).state_dict(), "
                "'sae_state_dict.pt') and give that"
            ) from None
        reason = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        raise SaeError(f"cannot read {file}, it is damaged or holds no weights ({reason}): copy it again") from None
    if not isinstance(content, Mapping):
        raise SaeError(f"{file} holds a {type(content).__name__}, expected tensors by name: save a state dict")
    return Checkpoint(file, content)


def settings_of(path: Path) -> dict[str, Any]:
    """The settings in a JSON file beside the weights.

    Raises:
        SaeError: it is not there, or no JSON object.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise SaeError(f"cannot read {path}, which the weights beside it need ({reason}): copy it too") from None
    if not isinstance(found, dict):
        raise SaeError(f"{path} holds no settings: copy it again")
    return found


def build(tool: str, file: Path, found: ExternalWeights, options: Options) -> SparseAutoencoder:
    """The model that computes the tool's codes.

    Raises:
        SaeError: shapes that do not fit each other, or something that neither the file nor the options say.
    """
    _check_shapes(file, found)
    k = _checked_k(file, options.k if options.k is not None else found.k, len(found.W_enc))
    inference = options.inference or ("threshold" if options.threshold is not None else found.inference)
    if inference is None:
        raise SaeError(f"{file} does not say which latents fire: give inference='topk' or inference='threshold'")
    rule(inference)
    if inference == "groupmax" and len(found.W_enc) % k:
        raise SaeError(f"{file}: {len(found.W_enc)} latents cannot be cut into k = {k} equal groups")
    record = {"description": f"{tool} {found.kind}", "file": file.name, "settings": dict(found.settings)}
    rules: dict[str, Any] = {"inference": inference, "normalise": found.normalise, "centred": found.centred}
    metadata = SaeMetadata(found.kind, k, None, record, **rules)
    num_latents, d_in = found.W_enc.shape
    sae = SparseAutoencoder(d_in, num_latents, metadata)
    _fill(sae, found, found.threshold if options.threshold is None else options.threshold)
    return sae.eval().requires_grad_(False)


def _fill(sae: SparseAutoencoder, found: ExternalWeights, threshold: Tensor | float | None) -> None:
    sae.W_enc.data.copy_(found.W_enc)
    sae.W_dec.data.copy_(found.W_dec)
    sae.b_dec.data.copy_(found.b_dec)
    sae.b_enc.data.copy_(found.b_enc)
    sae.gain = None if found.gain is None else found.gain.float()
    sae.mean.copy_(torch.as_tensor(found.mean))
    sae.scale.fill_(found.scale)
    if threshold is not None:
        limit = torch.as_tensor(threshold, dtype=torch.float32)
        if found.inclusive:  # a >= threshold is a > the next smaller float
            limit = torch.nextafter(limit, torch.tensor(-torch.inf))
        sae.threshold = limit.clamp_min(0).clone()  # in torch's own memory


def _check_shapes(file: Path, found: ExternalWeights) -> None:
    if found.W_enc.ndim != 2:
        raise SaeError(f"{file}: encoder weights have shape {list(found.W_enc.shape)}, expected two dimensions")
    num_latents, d_in = found.W_enc.shape
    expected = {"W_dec": (num_latents, d_in), "b_enc": (num_latents,), "b_dec": (d_in,)}
    for name, shape in expected.items():
        if (there := tuple(getattr(found, name).shape)) != shape:
            encoder = [num_latents, d_in]
            raise SaeError(f"{file}: {name} should be {list(shape)} beside an encoder {encoder}, found {list(there)}")
    for name, shapes in (("threshold", [(), (num_latents,)]), ("mean", [(), (d_in,)])):
        value = getattr(found, name)
        if isinstance(value, Tensor) and tuple(value.shape) not in shapes:
            raise SaeError(f"{file}: {name} should be {list(shapes[1])}, found {list(value.shape)}")


def _checked_k(file: Path, k: Any, latents: int) -> int:
    if k is None:
        raise SaeError(f"{file} does not say how many latents fire per row: give it as k=...")
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= latents:
        raise SaeError(f"{file}: k is {k}, expected a whole number from 1 to {latents} latents: give it as k=...")
    return k
