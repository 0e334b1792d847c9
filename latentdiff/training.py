"""`train_on_images`: a source of images in, a trained SAE on disk out; what `train_sae.py` does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from latentdiff.config import Config, to_yaml
from latentdiff.dictionary import open_or_embed
from latentdiff.encoders import load_encoder
from latentdiff.errors import LatentDiffError
from sae_training.files import replacing

if TYPE_CHECKING:
    from sae_training import SparseAutoencoder

Progress = Callable[[str, int, int | None], None]


def train_on_images(config: Config, progress: Progress | None = None) -> SparseAutoencoder:
    """Embeds `config.data`, trains on it, and writes the SAE to `config.sae.path`.

    The folder also gets the embeddings (`embeddings/`), the logs for TensorBoard (`logs/`) and the resolved
    configuration (`config.yaml`).

    Args:
        config: with `data` and `sae.path` set.
        progress: told (stage, done, total).

    Raises:
        LatentDiffError: a key is missing, or the images cannot be read.
        SaeError: there are too few, or the settings do not fit them.
    """
    from sae_training import train

    if config.data is None:
        raise LatentDiffError("nothing to train on: name the images with --data or 'data:' in the configuration")
    if config.sae.path is None:
        raise LatentDiffError(
            "no place for the SAE: name a folder with --out or 'sae: {path: ...}' in the configuration"
        )
    folder = Path(config.sae.path)
    encoder = load_encoder(config.encoder, config.device, config.embed.precision)
    embedding = replace(config.embed, overwrite=True)
    images = open_or_embed(config.data, encoder, folder / "embeddings", embedding, progress)
    if images.fingerprint not in (None, encoder.fingerprint):
        raise LatentDiffError(
            f"{config.data} was embedded with {images.fingerprint}, the encoder is {encoder.fingerprint}; "
            "name the encoder that made it with encoder=..."
        )
    sae = train(
        images,
        config.sae,
        log_dir=folder / "logs",
        fingerprint=images.fingerprint,
        description=config.data,
        progress=progress,
    )
    sae.save(folder)
    with replacing(folder / "config.yaml") as temporary:
        temporary.write_text(to_yaml(config), encoding="utf-8")
    return sae
