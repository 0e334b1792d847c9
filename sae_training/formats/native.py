"""Models that this program wrote."""

from __future__ import annotations

from pathlib import Path

import torch

from sae_training.errors import SaeError
from sae_training.inference import normaliser, rule
from sae_training.model import SparseAutoencoder
from sae_training.storage import CARD_FILE, NAMES_IN_FILE, WEIGHTS_FILE, Stored, read

FILES = (WEIGHTS_FILE, CARD_FILE)


def recognises(folder: Path) -> bool:
    """Whether a folder holds a model of this program."""
    return (folder / CARD_FILE).exists()


def load(folder: Path | str, device: str = "cpu") -> SparseAutoencoder:
    """Read a sparse autoencoder that `SparseAutoencoder.save` wrote.

    Args:
        folder: holds `sae.safetensors` and `sae.yaml`.
        device: where its weights go.

    Raises:
        SaeError: files missing, damaged, of another version, or not of this program.
    """
    folder = Path(folder)
    stored = read(folder)
    sae = SparseAutoencoder(stored.d_in, stored.num_latents, stored.metadata)
    rule(sae.metadata.inference)
    normaliser(sae.metadata.normalise)
    _fill(sae, stored, folder / WEIGHTS_FILE)
    if not stored.matches_card:
        raise SaeError(f"{folder}: {WEIGHTS_FILE} and {CARD_FILE} do not belong together: copy both again")
    return sae.to(device).eval().requires_grad_(False)


def _fill(sae: SparseAutoencoder, stored: Stored, file: Path) -> None:
    """Copy the weights of a file into the model."""
    for name in ("threshold", "gain"):  # some models have one for each latent
        found = stored.tensors.get(NAMES_IN_FILE.get(name, name))
        if found is not None and found.shape == (sae.num_latents,):
            setattr(sae, name, torch.empty(sae.num_latents))
    for key, target in sae.state_dict().items():
        name = NAMES_IN_FILE.get(key, key)
        found = stored.tensors.get(name)
        if found is None or found.shape != target.shape:
            shape = "nothing" if found is None else str(list(found.shape))
            raise SaeError(f"{file}: {name} should be {list(target.shape)}, found {shape}: copy or train it again")
        # copied into torch's own aligned memory: a product's last bits may depend on how its operands are aligned
        target.copy_(found)
