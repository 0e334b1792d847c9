"""`train_on_images`: a source of images in, a trained SAE on disk out; what `train_sae.py` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from latentdiff.config import Config, to_yaml
from latentdiff.embeddings import check_encoder
from latentdiff.encoders import load_encoder
from latentdiff.errors import LatentDiffError
from latentdiff.sae_source import open_or_embed
from sae_training import distributed
from sae_training.files import replacing
from sae_training.progress import Progress

if TYPE_CHECKING:
    from latentdiff.embeddings import EmbeddingSet
    from latentdiff.encoders import Encoder
    from sae_training import SparseAutoencoder
    from sae_training.rows import Rows


def train_on_images(config: Config, progress: Progress | None = None) -> SparseAutoencoder:
    """Embeds `config.data`, trains on it, and writes the SAE to `config.sae.path`.

    The folder also gets the embeddings (`embeddings/`), the logs for TensorBoard (`logs/`), the resolved configuration
    (`config.yaml`) and, with `sae.seeds` above 1, the SAEs of the other seeds (`seed-1/` and so on). What an
    interrupted run goes on from (`training.ckpt`) is gone when it is done. Under torchrun the processes share each
    batch.

    Args:
        config: with `data` and `sae.path` set.
        progress: told (stage, done, total).

    Raises:
        LatentDiffError: a key is missing, or the images cannot be read.
        SaeError: there are too few, or the settings do not fit them.
    """
    from sae_training import train_seeds
    from sae_training.training import prepared

    if not config.data:
        raise LatentDiffError("nothing to train on: name the images with --data or 'data:' in the configuration")
    if config.sae.path is None:
        raise LatentDiffError(
            "no place for the SAE: name a folder with --out or 'sae: {path: ...}' in the configuration"
        )
    folder = Path(config.sae.path)
    distributed.join()
    if distributed.rank() > 0:
        progress = None
    encoder = load_encoder(config.encoder, config.device, config.embed.precision)
    with distributed.first_alone():
        images = open_images(config, encoder, folder, progress)
    rows = prepared(images, config.sae)
    checkpoint = folder / "training.ckpt"
    first, *others = train_seeds(
        rows,
        config.sae,
        log_dir=folder / "logs",
        checkpoint=checkpoint,
        fingerprint=images[0].fingerprint,
        description=" and ".join(config.data),
        progress=progress,
    )
    if distributed.rank() == 0:
        first.save(folder)
        for number, sae in enumerate(others, start=config.sae.seed + 1):
            sae.save(folder / f"seed-{number}")
        with replacing(folder / "config.yaml") as temporary:
            temporary.write_text(to_yaml(config), encoding="utf-8")
        for file in folder.glob("training*.ckpt"):
            file.unlink()
        for number, sae in enumerate((first, *others), start=config.sae.seed):
            logs = folder / "logs" / f"seed-{number}" if others else folder / "logs"
            _log_finished(sae, rows, images, encoder, config, logs)
    return first


def open_images(config: Config, encoder: Encoder, folder: Path, progress: Progress | None = None) -> list[EmbeddingSet]:
    """The images of `config.data`, a set for each source, embedded in the folder where they are not yet.

    Raises:
        LatentDiffError: they cannot be read, or another encoder embedded them.
    """
    return [_embedded(spec, place, encoder, config, progress) for spec, place in _places(config.data, folder)]


def _places(sources: Sequence[str], folder: Path) -> Iterator[tuple[str, Path]]:
    """Each source with the folder of its embeddings."""
    for number, source in enumerate(sources, start=1):
        yield source, folder / ("embeddings" if len(sources) == 1 else f"embeddings-{number}")


def _embedded(source: str, place: Path, encoder: Encoder, config: Config, progress: Progress | None) -> EmbeddingSet:
    images = open_or_embed(source, encoder, place, replace(config.embed, overwrite=True), progress)
    check_encoder(source, images, encoder)
    return images


def _log_finished(
    sae: SparseAutoencoder, rows: Rows, images: Sequence[EmbeddingSet], encoder: Encoder, config: Config, folder: Path
) -> None:
    """What only the finished SAE can show, added to the log of its training."""
    from latentdiff.quality import find_classes, log_latents, zero_shot
    from sae_training.latents import measure_latents

    latents = measure_latents(sae, rows)
    measures = {**sae.metadata.measures, "monosemanticity": float(latents.ms.nanmedian())}
    classes = find_classes(rows, images, config.label, encoder, config.naming)
    if classes:
        found = zero_shot(sae, classes)
        measures |= {"zero_shot": found.images, "zero_shot_reconstructed": found.reconstructions}
    log_latents(folder, asdict(config.sae), measures, latents, images if config.report.thumbnails else ())
