"""Trains the SAE that is bundled with `mini`: `python tools/mini/bundle_sae.py DATA OUT`, after build.py."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from build import PHOTOGRAPHS, RENDERED, held_out

import latentdiff
from sae_training import TrainSettings, train


def main() -> None:
    """Embeds the training images with `mini`, trains, and stores in half precision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with the labelled shards that build.py takes")
    parser.add_argument("out", type=Path, help="folder for the SAE")
    options = parser.parse_args()
    encoder = latentdiff.load_encoder("mini")
    pool = []
    for name in PHOTOGRAPHS:
        images = latentdiff.embed(str(options.data / name / "*.tar*"), encoder)
        pool.append(images.rows(np.array([not held_out(i) for i in images.table.column("source_id").to_pylist()])))
    for world, count in RENDERED.items():
        pool.append(latentdiff.embed(f"world:{world}?images={count}&seed=777000", encoder).rows(slice(None)))
    described = f"training parts of {', '.join(PHOTOGRAPHS)}, and {sum(RENDERED.values()):,} rendered images"
    rows = np.concatenate(pool)
    sae = train(rows, TrainSettings(steps=1200), fingerprint=encoder.fingerprint, description=described)
    sae.save(options.out, dtype="float16")


if __name__ == "__main__":
    main()
