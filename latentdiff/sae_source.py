"""Which sparse autoencoder a comparison uses: the one that was given, one trained for it, or the bundled one."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from latentdiff.embeddings import EmbeddingSet, EmbedSettings, embed, is_set, open_set
from latentdiff.errors import LatentDiffError
from latentdiff.images import open_source, split_filter
from latentdiff.result import SaeOrigin, SaeSource
from sae_training.hub import is_remote
from sae_training.progress import Progress
from sae_training.settings import TrainSettings

if TYPE_CHECKING:
    from latentdiff.encoders import Encoder
    from sae_training import SparseAutoencoder

FEWEST_TO_TRAIN = 200  # images of both sets together
SAMPLE = 4096  # images of both sets on which an SAE of unknown origin is measured
BUNDLED = Path(__file__).parent / "encoders" / "mini-sae"

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


def resolve_sae(
    given: SparseAutoencoder | Path | str | None,
    a: EmbeddingSet,
    b: EmbeddingSet,
    encoder: Encoder | str,
    settings: SaeSettings,
    embedding: EmbedSettings,
    progress: Progress | None = None,
) -> tuple[SparseAutoencoder, SaeOrigin]:
    """The SAE to compare with, and where it came from.

    The first of these that there is: the one that is given; one trained on the reference pool; for small sets, the one
    bundled with `mini`; one trained on both sets. Training sees no label, so it may use the sets that are compared.
    For the same reason both sets together set the threshold of an SAE whose file has none; a warning says so. Another
    says how well an SAE fits the sets whose file does not name its encoder.

    Raises:
        LatentDiffError: it was made for another encoder or width, or there is none and too little to train one.
    """
    from sae_training import load

    given = given if given is not None else settings.path
    both = sorted([a, b], key=lambda one: one.digest)  # an order that does not know which is A
    if isinstance(given, (str, Path)):
        sae = load(_existing(given))
        _check_fit(sae, both)
        return sae, SaeOrigin(
            SaeSource.GIVEN,
            sae.num_latents,
            sae.k,
            str(given),
            threshold_from_sets=_set_threshold(sae, given, both),
            names_encoder=_warn_of_unknown_encoder(sae, given, both),
        )
    if given is not None:
        sae, origin = given, SaeOrigin(SaeSource.GIVEN, given.num_latents, given.k)
    elif settings.data is not None:
        pool = open_or_embed(settings.data, encoder, None, embedding, progress)
        sae = _train(pool, settings, pool.fingerprint, settings.data, progress)
        origin = SaeOrigin(SaeSource.POOL, sae.num_latents, sae.k, settings.data, pool.n)
    elif a.n + b.n < settings.minimum_rows and (bundled := _bundled(both)):
        sae, origin = bundled, SaeOrigin(SaeSource.BUNDLED, bundled.num_latents, bundled.k, images=a.n + b.n)
    elif a.n + b.n < FEWEST_TO_TRAIN:
        raise LatentDiffError(
            f"{a.n + b.n:,} images are too few to train an SAE on (fewer than {FEWEST_TO_TRAIN}); "
            "give one with --sae, or a pool of similar images with sae.data=..."
        )
    else:
        sae = _train(both, settings, _fingerprint(both), " and ".join(one.source for one in both), progress)
        origin = SaeOrigin(SaeSource.SETS, sae.num_latents, sae.k)
    _check_fit(sae, both)
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


def _bundled(sets: Sequence[EmbeddingSet]) -> SparseAutoencoder | None:
    """The SAE that comes with the encoder of the sets; only `mini` has one."""
    from sae_training import load

    sae = load(BUNDLED)
    return sae if _fingerprint(sets) == sae.metadata.fingerprint else None


def _set_threshold(sae: SparseAutoencoder, path: Path | str, sets: Sequence[EmbeddingSet]) -> bool:
    """Sets a threshold that the file does not have; whether it did."""
    from sae_training.calibration import calibrate
    from sae_training.rows import ConcatenatedRows

    if sae.calibrated:
        return False
    images = sum(one.n for one in sets)
    if images < FEWEST_TO_TRAIN:
        raise LatentDiffError(
            f"{path} has no threshold, and {images} images are too few to set one on; set it on others with "
            "'python -m sae_training convert SRC DST --calibrate ROWS.npy'"
        )
    calibrate(sae, ConcatenatedRows(sets))
    log.warning("%s has no threshold: set on both sets together, at %d latents per image", path, sae.k)
    return True


def _warn_of_unknown_encoder(sae: SparseAutoencoder, path: Path | str, sets: Sequence[EmbeddingSet]) -> bool:
    """Warns where nobody can check what an SAE was trained on, and how it fits; whether it names its encoder."""
    import torch

    from sae_training.calibration import measure

    if sae.metadata.fingerprint is not None:
        return True
    found = measure(sae, (torch.from_numpy(one.sample(SAMPLE // 2)) for one in sets))
    log.warning(
        "nobody can check that %s was trained on embeddings of %s, at unit length as here: on these images it "
        "fires %.1f latents each (%d wanted) and leaves %.0f %% of the variance unexplained",
        path,
        sets[0].encoder,
        found.l0,
        sae.k,
        100 * found.fvu,
    )
    return False


def _fingerprint(sets: Sequence[EmbeddingSet]) -> str | None:
    """That of the sets' encoder, where one of them knows it."""
    return next((one.fingerprint for one in sets if one.fingerprint), None)


def _check_fit(sae: SparseAutoencoder, sets: Sequence[EmbeddingSet]) -> None:
    """The SAE must be of the sets' encoder."""
    width, encoder, fingerprint = sets[0].d, sets[0].encoder or sets[1].encoder, _fingerprint(sets)
    if sae.d_in != width:
        raise LatentDiffError(
            f"the SAE takes embeddings of width {sae.d_in}, the sets have width {width}; use an SAE of {encoder}"
        )
    if sae.metadata.fingerprint and fingerprint and sae.metadata.fingerprint != fingerprint:
        raise LatentDiffError(
            f"the SAE was trained on embeddings of {sae.metadata.fingerprint}, the sets are of {fingerprint}; "
            "use one encoder for both"
        )
