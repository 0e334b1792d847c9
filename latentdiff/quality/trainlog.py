"""What the log of a training run shows of the finished SAE in TensorBoard: measures beside settings, the histogram of
firing densities, and the images that fire some latents hardest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latentdiff.embeddings import EmbeddingSet
from latentdiff.images import ImageError, decode, read_images
from latentdiff.quality.zeroshot import column_of
from sae_training.latents import LatentMeasures, density_histogram

if TYPE_CHECKING:
    from torch import Tensor
    from torch.utils.tensorboard import SummaryWriter

LATENTS = 8  # shown with images
TILE = 96  # pixels


def log_latents(
    folder: Path,
    settings: Mapping[str, Any],
    measures: Mapping[str, float],
    latents: LatentMeasures,
    images: Sequence[EmbeddingSet],
) -> None:
    """Adds to the log of a run that has ended.

    Args:
        folder: of the log.
        settings: of the run, by name; those that are no number or text are left out.
        measures: by name.
        latents: whose `strongest` are positions in `images`, one set after the other.
        images: that were trained on; those that cannot be read any more are left out. No sets: none are shown.
    """
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        plain = {key: value for key, value in settings.items() if isinstance(value, (bool, int, float, str))}
        finished = {f"finished/{name}": value for name, value in measures.items()}
        writer.add_hparams(plain, finished, run_name=".")
        _log_densities(writer, latents.density)
        for latent, tiles in _strongest(latents, column_of(images, "uri")):
            tag = f"strongest images/latent {latent}, fires on {float(latents.density[latent]):.2%}"
            writer.add_images(tag, np.stack(tiles), dataformats="NHWC")


def spread_over_densities(latents: LatentMeasures, count: int) -> list[int]:
    """Latents from the rarest to the most frequent, evenly by rank, of those that fire enough to show."""
    enough = (latents.strongest >= 0).all(dim=1).nonzero().squeeze(1)
    by_density = enough[latents.density[enough].sort(stable=True).indices].tolist()
    if not by_density:
        return []
    return [by_density[i] for i in np.unique(np.linspace(0, len(by_density) - 1, count).round().astype(int))]


def _log_densities(writer: SummaryWriter, density: Tensor) -> None:
    histogram = density_histogram(density)
    fires = density[density > 0].log10()
    writer.add_histogram_raw(
        "firing density, log10",
        min=float(histogram.edges[0]),
        max=float(histogram.edges[-1]),
        num=len(fires),
        sum=float(fires.sum()),
        sum_squares=float(fires.square().sum()),
        bucket_limits=histogram.edges[1:].tolist(),
        bucket_counts=histogram.counts.tolist(),
    )


def _strongest(latents: LatentMeasures, uris: Sequence[str | None]) -> Iterator[tuple[int, list[np.ndarray]]]:
    """Some latents with the images that fire them hardest, [tile, tile, 3] uint8 each."""
    picked = spread_over_densities(latents, LATENTS) if any(uris) else []
    shown = {latent: [uris[i] for i in latents.strongest[latent].tolist()] for latent in picked}
    found = read_images([uri for of_latent in shown.values() for uri in of_latent if uri])
    for latent, of_latent in shown.items():
        tiles = [tile for uri in of_latent if uri in found and (tile := _tile(found[uri])) is not None]
        if tiles:
            yield latent, tiles


def _tile(data: bytes) -> np.ndarray | None:
    try:
        return np.asarray(decode(data).resize((TILE, TILE)))
    except ImageError:
        return None
