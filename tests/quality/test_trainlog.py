"""What TensorBoard finds in the log of a run that has ended, read back from the file of events."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import latentdiff
from latentdiff import cli
from latentdiff.quality.trainlog import LATENTS, TILE, log_latents, spread_over_densities
from sae_training.latents import LatentMeasures

EVERYTHING = {"images": 0, "histograms": 0, "scalars": 0, "tensors": 0}


def read_log(folder: Path) -> EventAccumulator:
    log = EventAccumulator(str(folder), size_guidance=EVERYTHING)
    log.Reload()
    return log


def some_latents(count: int = 40, kept: int = 3) -> LatentMeasures:
    density = torch.linspace(0, 0.5, count, dtype=torch.float64)
    strongest = torch.arange(kept)[None] + torch.arange(count)[:, None] % 5
    strongest[:4] = -1
    return LatentMeasures(density, torch.full((count,), 0.5), strongest)


def test_latents_are_picked_from_rare_to_frequent_among_those_with_images_enough() -> None:
    picked = spread_over_densities(some_latents(), 8)
    assert picked == sorted(picked)
    assert (picked[0], picked[-1], len(picked)) == (4, 39, 8)
    assert spread_over_densities(some_latents(6), 8) == [4, 5]
    assert spread_over_densities(some_latents(3), 8) == []


def test_the_log_holds_the_histogram_and_the_images_themselves(tmp_path: Path) -> None:
    images = latentdiff.embed("world:everyday?images=10&seed=4", latentdiff.load_encoder("mini"))
    latents = some_latents()
    log_latents(tmp_path, {"k": 4, "steps": None}, {"fvu": 0.25}, latents, [images])
    log = read_log(tmp_path)
    buckets = log.Histograms("firing density, log10")[0].histogram_value
    assert sum(buckets.bucket) == 39  # the silent latent has no logarithm
    assert log.Scalars("finished/fvu")[0].value == 0.25
    tags = log.Tags()["images"]
    assert len(tags) == LATENTS
    shown = [np.asarray(Image.open(io.BytesIO(e.encoded_image_string))) for e in log.Images(tags[0])]
    assert shown[0].shape[0] >= TILE
    without = tmp_path / "without"
    log_latents(without, {"k": 4}, {"fvu": 0.25}, latents, [])
    assert read_log(without).Tags()["images"] == []


@pytest.mark.slow
def test_a_training_run_leaves_curves_measures_and_images_in_one_log(tmp_path: Path) -> None:
    quick = ["sae.steps=10", "sae.expansion_factor=1", "sae.k=30"]
    cli.train_command(["--data", "world:everyday?images=120&seed=5", "--out", str(tmp_path), *quick])
    log = read_log(tmp_path / "logs")
    found = {"train/loss", "held_out/fvu", "finished/monosemanticity", "finished/fvu"}
    assert found <= set(log.Tags()["scalars"])
    assert log.Tags()["images"]
