"""The sparse autoencoder: encode, decode, save, load (docs/methods.md, 1).

Codes do not depend on the batch: rows are encoded in blocks of 1,024, the last one padded with zeros, so that every
product has the same shape and a row the same bits, whoever its neighbours are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as bytes_from_tensors
from torch import Tensor, nn

from sae_training.codes import Pattern, SparseCodes
from sae_training.errors import SaeError
from sae_training.files import replacing

BLOCK = 1024  # rows per product at inference
VERSION = 1  # of the files
WEIGHTS_FILE, CARD_FILE = "sae.safetensors", "sae.yaml"


@dataclass(frozen=True)
class SaeMetadata:
    """What a sparse autoencoder is and where it came from."""

    variant: str  # sparsity in training
    k: int  # non-zero latents per row it aims at
    fingerprint: str | None = None  # of the encoder whose embeddings it takes
    training: Mapping[str, Any] = field(default_factory=dict)  # description, rows, steps, settings
    calibration: Mapping[str, Any] = field(default_factory=dict)  # target_l0, rows, and measured_l0 on other rows
    measures: Mapping[str, float] = field(default_factory=dict)  # fvu, l0, dead_share, cosine
    version: int = VERSION


class SparseAutoencoder(nn.Module):
    """x to sparse codes and back: h = (x - mean) / scale, a = W_enc (h - b_dec) + b_enc, z = a where a > theta else 0.

    Args:
        d: width of the rows.
        m: number of latents.
        metadata: what it is; `metadata.k` is the L0 it aims at.
    """

    W_enc: nn.Parameter  # [m, d]
    W_dec: nn.Parameter  # [m, d], unit rows
    b_enc: nn.Parameter  # [m]
    b_dec: nn.Parameter  # [d]
    mean: Tensor  # [d]
    scale: Tensor  # []
    theta: Tensor  # [], nan until calibrated

    def __init__(self, d: int, m: int, metadata: SaeMetadata) -> None:
        super().__init__()
        self.metadata = metadata
        self.W_enc = nn.Parameter(torch.zeros(m, d))
        self.W_dec = nn.Parameter(torch.zeros(m, d))
        self.b_enc = nn.Parameter(torch.zeros(m))
        self.b_dec = nn.Parameter(torch.zeros(d))
        self.register_buffer("mean", torch.zeros(d))
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("theta", torch.full((), float("nan")))

    @property
    def d(self) -> int:
        """Width of the rows."""
        return self.W_enc.shape[1]

    @property
    def m(self) -> int:
        """Number of latents."""
        return self.W_enc.shape[0]

    @property
    def k(self) -> int:
        """Non-zero latents per row it aims at, on average."""
        return self.metadata.k

    @property
    def calibrated(self) -> bool:
        """Whether the threshold has been set."""
        return not bool(self.theta.isnan())

    def standardise(self, x: Tensor) -> Tensor:
        """Rows as stored [n, d] to what the weights take, h [n, d]."""
        return (x - self.mean) / self.scale

    @torch.no_grad()
    def pre_activations(self, x: Tensor | np.ndarray) -> Iterator[Tensor]:
        """Blocks of at most 1,024 rows of a = W_enc (h - b_dec) + b_enc, float32 [block, m], independent of the batch.

        Args:
            x: rows as stored, floating, [n, d].

        Raises:
            SaeError: wrong width or type, or a row that is not finite.
        """
        x = self._checked(x)
        for start in range(0, len(x), BLOCK):
            part = x[start : start + BLOCK].to(self.W_enc.device, torch.float32)
            block = part.new_zeros(BLOCK, self.d)
            block[: len(part)] = self.standardise(part) - self.b_dec
            finite = block.isfinite().all(dim=1)
            if not finite.all():
                row = start + int((~finite).nonzero()[0])
                raise SaeError(f"row {row} holds values that are not finite numbers: remove it or embed it again")
            yield torch.addmm(self.b_enc, block, self.W_enc.T)[: len(part)]

    @torch.no_grad()
    def encode(self, x: Tensor | np.ndarray) -> SparseCodes:
        """Sparse codes, the same bits for a row whatever the batch it comes in.

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
        parts = [(above.nonzero(), a[above]) for a in self.pre_activations(x) for above in (a > self.theta,)]
        if not parts:
            none = torch.empty(0, dtype=torch.int64, device=self.W_enc.device)
            return SparseCodes(none, none, torch.empty(0, device=self.W_enc.device), 0, self.m)
        row = torch.cat([where[:, 0] + i * BLOCK for i, (where, _) in enumerate(parts)])
        latent = torch.cat([where[:, 1] for where, _ in parts])
        return SparseCodes(row, latent, torch.cat([values for _, values in parts]), len(x), self.m)

    @torch.no_grad()
    def decode(self, codes: SparseCodes) -> Tensor:
        """What the codes say the rows were, in the space of the rows as stored, float32 [codes.rows, d]."""
        pattern = Pattern(codes.row, codes.latent, codes.rows, codes.latents)
        return (pattern.combine(codes.value, self.W_dec) + self.b_dec) * self.scale + self.mean

    def save(self, folder: Path | str, dtype: str = "float32") -> None:
        """Write `sae.safetensors` and `sae.yaml` into a folder, which is made where it is missing.

        Args:
            folder: where to.
            dtype: "float32", or "float16" for half the size; `load` gives float32 either way.

        Raises:
            SaeError: another dtype.
        """
        if dtype not in ("float32", "float16"):
            raise SaeError(f"cannot store weights as '{dtype}': use float32 or float16")
        half = {"theta", "s"} if dtype == "float16" else None
        tensors = {
            name: tensor.detach()
            .cpu()
            .to(torch.float32 if half is None or name in half else torch.float16)
            .contiguous()
            for name, tensor in self._tensors().items()
        }
        data = bytes_from_tensors(tensors)
        card = {"d": self.d, "m": self.m, **asdict(self.metadata), "sha256": hashlib.sha256(data).hexdigest()}
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        # both are written before either is renamed: a full disk leaves the pair that was there
        with replacing(folder / WEIGHTS_FILE) as weights_path, replacing(folder / CARD_FILE) as card_path:
            weights_path.write_bytes(data)
            card_path.write_text(yaml.safe_dump(json.loads(json.dumps(card)), sort_keys=False), encoding="utf-8")

    def _tensors(self) -> dict[str, Tensor]:
        """Tensors by their names in the file."""
        named = {name: getattr(self, name) for name in ("W_enc", "W_dec", "b_enc", "b_dec", "theta")}
        return {**named, "mu": self.mean, "s": self.scale}

    def _checked(self, x: Tensor | np.ndarray) -> Tensor:
        x = torch.as_tensor(x)
        if x.ndim != 2 or x.shape[1] != self.d:
            raise SaeError(
                f"rows have shape {list(x.shape)}, this SAE takes [n, {self.d}]: use the encoder it was trained on"
            )
        if not x.is_floating_point():
            raise SaeError(f"rows are {x.dtype}, expected floating numbers: convert them to float32")
        return x


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
    for name, target in sae._tensors().items():
        found = tensors.get(name)
        if found is None or found.shape != target.shape:
            shape = "nothing" if found is None else str(list(found.shape))
            raise SaeError(
                f"{folder / WEIGHTS_FILE}: {name} should be {list(target.shape)}, found {shape}: copy or train it again"
            )
        # copied into torch's own aligned memory: a product's last bits may depend on how its operands are aligned
        target.data.copy_(found)
    if hashlib.sha256(data).hexdigest() != card["sha256"]:
        raise SaeError(f"{folder}: {WEIGHTS_FILE} and {CARD_FILE} do not belong together: copy both again")
    return sae.to(device).eval().requires_grad_(False)


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
    if card["version"] != VERSION:
        raise SaeError(
            f"{path} has format version {card['version']}, this program reads {VERSION}: update it or train again"
        )
    missing = [key for key in ("d", "m", "k", "variant", "sha256") if key not in card]
    if missing:
        raise SaeError(f"{path} lacks {', '.join(missing)}: copy or train it again")
    for key in ("d", "m", "k"):
        if not isinstance(card[key], int) or card[key] < 1:
            raise SaeError(f"{path}: {key} is '{card[key]}', expected a whole number: copy or train it again")
    return card
