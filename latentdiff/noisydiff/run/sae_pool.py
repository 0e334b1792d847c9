"""The SAE of the unlabelled pool: trained once for the same images and settings, never on the held-out fifth.

An image is held out where the hash of its source id (of its id, where it has none) divides by five.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from latentdiff.embeddings import EmbeddingSet
from latentdiff.errors import LatentDiffError
from latentdiff.keys import key_of
from latentdiff.sae_source import BUNDLED, SaeSettings
from sae_training.files import replacing
from sae_training.progress import Progress
from sae_training.rows import ConcatenatedRows
from sae_training.settings import CACHE_VERSION as TRAINING_CACHE_VERSION
from sae_training.settings import training_key

SOURCE_ID = "source_id"


def held_out(images: EmbeddingSet) -> np.ndarray:
    """Which images nothing is ever trained or tuned on, bool [n]."""
    names = images.table.column("id").to_pylist()
    if SOURCE_ID in images.table.column_names:
        given = images.table.column(SOURCE_ID).to_pylist()
        names = [name if one is None else one for one, name in zip(given, names, strict=True)]
    return np.array([source_number(str(name)) % 5 == 0 for name in names])


def source_number(source_id: str) -> int:
    """What decides whether an image is held out: the same number everywhere and always."""
    return int(hashlib.sha1(source_id.encode()).hexdigest()[:8], 16)


def pool_sae(
    pools: Sequence[EmbeddingSet], settings: SaeSettings, cache: Path, progress: Progress | None = None
) -> Path:
    """The folder of the SAE that is trained on the pools' images, those held out left out.

    Args:
        pools: sets of one encoder.
        settings: how to train.
        cache: folder that keeps an SAE for each pool and settings.
        progress: told (stage, done, total).
    """
    from sae_training import train

    rows = ConcatenatedRows([one.select(np.flatnonzero(~held_out(one))) for one in pools])
    key = key_of(TRAINING_CACHE_VERSION, training_key(settings), pools[0].fingerprint, _digest(rows))
    folder = cache / f"sae-{key[:16]}"
    if not folder.is_dir():
        sources = " and ".join(one.source for one in pools)
        sae = train(rows, settings, fingerprint=pools[0].fingerprint, description=sources, progress=progress)
        with replacing(folder) as temporary:
            sae.save(temporary)
    return folder


def bundled_sae(fingerprint: str | None) -> Path:
    """The SAE that comes with `mini`.

    Raises:
        LatentDiffError: the images are of another encoder.
    """
    from sae_training import load

    if load(BUNDLED).metadata.fingerprint != fingerprint:
        raise LatentDiffError(
            f"no SAE for {fingerprint or 'an unknown encoder'}: name the images to train one on with "
            "sets.NAME.pool=[...], or an SAE with sae.path=..."
        )
    return BUNDLED


def _digest(rows: ConcatenatedRows) -> str:
    """Identifies the images, whatever their order."""
    assert rows.hashes is not None  # embedding sets have them
    return hashlib.blake2b(np.sort(rows.hashes).astype("<u8").tobytes(), digest_size=16).hexdigest()
