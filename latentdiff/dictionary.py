"""Which sparse autoencoder a comparison uses: the one that was given, one trained for it, or the bundled one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latentdiff.embeddings import EmbeddingSet, EmbedSettings, embed, is_set, open_set
from latentdiff.errors import LatentDiffError
from latentdiff.images import open_source, split_filter
from sae_training.hub import is_remote
from sae_training.settings import TrainSettings

if TYPE_CHECKING:
    from latentdiff.encoders import Encoder
    from sae_training import SparseAutoencoder

TOO_FEW = 200  # images of both sets together
SAMPLE = 4096  # images of both sets on which an SAE of unknown origin is measured
BUNDLED = Path(__file__).parent / "encoders" / "mini-sae"
Progress = Callable[[str, int, int | None], None]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SaeSettings(TrainSettings):
    """How a sparse autoencoder is trained, and where one comes from that need not be.

    Attributes:
        path: an SAE's folder: `train_sae.py` writes it, `compare.py` reads it; it also reads other tools' files, and
            `hf-hub:owner/name`.
        data: a reference pool of images (or an embedding set) to train on instead of the two sets.
        minimum_rows: images of both sets together below which the SAE that is bundled with the encoder is taken, if
            there is one: what is learnt from more images serves small sets better than what they teach themselves.
    """

    path: str | None = None
    data: str | None = None
    minimum_rows: int = 10_000


def find_sae(
    given: SparseAutoencoder | Path | str | None,
    a: EmbeddingSet,
    b: EmbeddingSet,
    encoder: Encoder | str,
    settings: SaeSettings,
    embedding: EmbedSettings,
    progress: Progress | None = None,
) -> tuple[SparseAutoencoder, str]:
    """The SAE to compare with, and in words where it came from.

    In this order: the one that is given, one trained on the reference pool, for small sets the one bundled with `mini`,
    and one trained on both sets. Training sees no label, so the sets it is trained on may be the ones
    that are compared. For the same reason both sets together set the threshold of an SAE whose file has none, which is
    told; and of one that does not say whose embeddings it takes, it is told how it fits these.

    Raises:
        LatentDiffError: it was made for another encoder or width, or there is none and too little to train one.
    """
    from sae_training import load

    given = given if given is not None else settings.path
    both = sorted([a, b], key=lambda one: one.digest)  # an order that does not know which is A
    if given is not None:
        sae = load(_existing(given)) if isinstance(given, (str, Path)) else given
        origin = (
            f"{given} ({sae.num_latents} latents, k {sae.k})"
            if isinstance(given, (str, Path))
            else f"given ({sae.num_latents} latents)"
        )
    elif settings.data is not None:
        pool = open_or_embed(settings.data, encoder, None, embedding, progress)
        sae = _train(pool, settings, pool.fingerprint, settings.data, progress)
        origin = f"trained on {pool.n:,} images of {settings.data} ({sae.num_latents} latents, k {sae.k})"
    elif a.n + b.n < settings.minimum_rows and (bundled := _bundled(a)):
        sae = bundled
        why = f"since {a.n + b.n:,} images are few to train one on"
        origin = f"bundled with mini ({sae.num_latents} latents, k {sae.k}), {why}"
    elif a.n + b.n < TOO_FEW:
        raise LatentDiffError(
            f"{a.n + b.n:,} images are too few to train an SAE on (fewer than {TOO_FEW}); "
            "give one with --sae, or a pool of similar images with sae.data=..."
        )
    else:
        sae = _train(both, settings, a.fingerprint, f"{a.source} and {b.source}", progress)
        origin = f"trained for this comparison on both sets ({sae.num_latents} latents, k {sae.k})"
    _check_fit(sae, a)
    if isinstance(given, (str, Path)):
        origin += _prepare(sae, given, both)
    return sae, origin


def open_or_embed(
    spec: str | Path | EmbeddingSet,
    encoder: Encoder | str,
    out: Path | None,
    settings: EmbedSettings,
    progress: Progress | None = None,
) -> EmbeddingSet:
    """An embedding set as it is; anything else is a source of images and gets embedded."""
    if isinstance(spec, EmbeddingSet):
        return spec
    if _is_embedded(spec):
        return open_set(spec)
    return embed(spec, encoder, out, settings=settings, progress=progress)


def check_inputs(sets: Sequence[str | Path | EmbeddingSet], sae: object) -> None:
    """Finds what is missing before any work is done.

    Raises:
        LatentDiffError: a source of images or the SAE's folder is not there.
    """
    for spec in sets:
        if not isinstance(spec, EmbeddingSet) and not _is_embedded(spec):
            open_source(spec)
    if isinstance(sae, (str, Path)):
        _existing(sae)


def _is_embedded(spec: str | Path) -> bool:
    folder = Path(split_filter(str(spec))[0]).expanduser()
    return is_set(folder) or (folder / "img_emb").is_dir() or folder.suffix == ".npy"


def _train(
    rows: EmbeddingSet | list[EmbeddingSet],
    settings: SaeSettings,
    fingerprint: str | None,
    description: str,
    progress: Progress | None,
) -> SparseAutoencoder:
    from sae_training import train

    return train(rows, settings, fingerprint=fingerprint, description=description, progress=progress)


def _existing(path: Path | str) -> Path | str:
    if not is_remote(path) and not Path(path).expanduser().exists():
        raise LatentDiffError(
            f"no SAE at {path}; train it first (python train_sae.py, with the same --config if there is one), or leave "
            "sae.path out to train one on the two sets"
        )
    return path


def _bundled(a: EmbeddingSet) -> SparseAutoencoder | None:
    """The SAE that comes with the encoder of the sets; only `mini` has one."""
    from sae_training import load

    sae = load(BUNDLED)
    return sae if a.fingerprint == sae.metadata.fingerprint else None


def _prepare(sae: SparseAutoencoder, path: Path | str, sets: Sequence[EmbeddingSet]) -> str:
    """Sets a missing threshold, and warns where nobody can check what an SAE was trained on; what the report says."""
    import torch

    from sae_training.calibration import calibrate, measure
    from sae_training.rows import ConcatenatedRows

    told = ""
    if not sae.calibrated:
        images = sum(one.n for one in sets)
        if images < TOO_FEW:
            raise LatentDiffError(
                f"{path} has no threshold, and {images} images are too few to set one on; set it on others with "
                "'python -m sae_training convert SRC DST --calibrate ROWS.npy'"
            )
        calibrate(sae, ConcatenatedRows(sets))
        told = ", its threshold set on both sets together"
        log.warning("%s has no threshold: set on both sets together, at %d latents per image", path, sae.k)
    if sae.metadata.fingerprint is None:
        sample = (one.rows(np.argsort(one.hashes, kind="stable")[: SAMPLE // 2]) for one in sets)
        found = measure(sae, map(torch.from_numpy, sample))
        log.warning(
            "nobody can check that %s was trained on embeddings of %s, at unit length as here: on these images it "
            "fires %.1f latents each (%d wanted) and leaves %.0f %% of the variance unexplained",
            path,
            sets[0].encoder,
            found.l0,
            sae.k,
            100 * found.fvu,
        )
        told += ", of an encoder that its file does not name"
    return told


def _check_fit(sae: SparseAutoencoder, a: EmbeddingSet) -> None:
    """The SAE must be of the sets' encoder."""
    if sae.d_in != a.d:
        raise LatentDiffError(
            f"the SAE takes embeddings of width {sae.d_in}, the sets have width {a.d}; use an SAE of {a.encoder}"
        )
    if sae.metadata.fingerprint and a.fingerprint and sae.metadata.fingerprint != a.fingerprint:
        raise LatentDiffError(
            f"the SAE was trained on embeddings of {sae.metadata.fingerprint}, the sets are of {a.fingerprint}; "
            "use one encoder for both"
        )
