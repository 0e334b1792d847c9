"""Trains the SAE that is bundled with `mini`: `python tools/mini/bundle_sae.py --data DATA --out FOLDER`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from images import held_out
from omegaconf import OmegaConf

import latentdiff
from sae_training import TrainSettings, train

WORLD_IMAGES = 12_000  # at most, of each world; enough beside the photographs


def main() -> None:
    """Embeds the images that `mini` was trained on, trains the SAE, and stores it in half precision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the labelled shards")
    parser.add_argument("--out", type=Path, required=True, help="folder for the SAE")
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("mini.yaml"))
    parser.add_argument("--cache", type=Path, default=Path("runs/mini/embeddings"), help="where embeddings are kept")
    options = parser.parse_args()
    settings: Any = OmegaConf.load(options.config)
    encoder = latentdiff.load_encoder("mini")
    folder = options.cache / encoder.fingerprint.replace("@", "-")
    pool = []
    for name in settings.photographs:
        images = latentdiff.embed(str(options.data / name / "*.tar*"), encoder, folder / name)
        train_rows = [not held_out(i) for i in images.table.column("source_id").to_pylist()]
        pool.append(images.rows(np.flatnonzero(train_rows)))
    for world, own in settings.worlds.items():
        count = min(own.images, WORLD_IMAGES)
        uri = f"world:{world}?images={count}&seed={own.seed}"
        pool.append(latentdiff.embed(uri, encoder, folder / world).rows(np.arange(count)))
    rows = np.concatenate(pool)
    described = f"training parts of {', '.join(settings.photographs)}; rendered: {', '.join(settings.worlds)}"
    sae = train(rows, TrainSettings(steps=1200), fingerprint=encoder.fingerprint, description=described)
    sae.save(options.out, dtype="float16")
    print(f"{len(rows):,} rows; {sae.metadata.measures}")


if __name__ == "__main__":
    main()
