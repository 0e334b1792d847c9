"""The comparisons whose answers are frozen. Each takes what all share and returns a result."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import latentdiff
from latentdiff.cli import DEMO
from latentdiff.config import read_config
from latentdiff.embeddings import EmbeddingSet
from latentdiff.encoders import Encoder
from latentdiff.images import open_source
from latentdiff.noisydiff.run.sae_pool import source_number
from sae_training import SparseAutoencoder, TrainSettings, train
from tests.endpoint import Endpoint

DATA = "LATENTDIFF_DATA"  # environment variable: the folder that holds tiny_imagenet/, for the cases on photographs
SMALL = 400  # images a side of the cases that are rendered
PHRASES = {
    "differences": [
        {"phrase": "slices of pizza", "side": "a", "captions": ["a0", "a1", "a2"]},
        {"phrase": "a guitar", "side": "b", "captions": ["b0", "b1"]},
        {"phrase": "people outdoors", "side": "a", "captions": ["a3"]},
    ]
}


@dataclass(frozen=True, eq=False)
class Shared:
    """What several cases use, made once."""

    encoder: Encoder

    @cached_property
    def scenes(self) -> EmbeddingSet:
        """Rendered scenes, rain in a third of them."""
        return latentdiff.embed("world:everyday?images=1200&seed=5&rain=0.3", self.encoder)

    @cached_property
    def sae(self) -> SparseAutoencoder:
        """A small SAE of these scenes, of few steps: what differs between machines has no time to grow."""
        settings = TrainSettings(expansion_factor=2, k=16, steps=60, precision="float32")
        return train(self.scenes, settings, fingerprint=self.scenes.fingerprint)


def demo(shared: Shared) -> latentdiff.ComparisonResult:
    """What `compare.py` says without arguments."""
    config = read_config(None, DEMO)
    return latentdiff.compare(config.a, config.b, encoder=shared.encoder, settings=config)


def nothing(shared: Shared) -> latentdiff.ComparisonResult:
    """Two draws of one world."""
    return _worlds(shared, "seed=31", "seed=32")


def paper(shared: Shared) -> latentdiff.ComparisonResult:
    """Every choice of the paper; tags stand for BLIP-2's captions, a local endpoint for the language model."""
    endpoint = Endpoint()
    endpoint.answers = [json.dumps(PHRASES)]
    chosen = [
        "method=paper",
        "language.captioner=tags",
        f"language.llm.base_url={endpoint.url}",
        "language.llm.model=stub",
    ]
    try:
        return _worlds(shared, "seed=41&pizza=0.2&guitar=0", "seed=42&pizza=0&guitar=0.2", *chosen)
    finally:
        endpoint.close()


def trained(shared: Shared) -> latentdiff.ComparisonResult:
    """Embedding sets and an SAE trained on them; rain in 40 % of A, none in B."""
    rainy = np.array(["rain" in labels for labels in shared.scenes.table.column("labels").to_pylist()])
    wet, dry = np.flatnonzero(rainy), np.flatnonzero(~rainy)
    a, b = shared.scenes.select(np.concatenate([wet[:160], dry[:240]])), shared.scenes.select(dry[240:640])
    return latentdiff.compare(a, b, sae=shared.sae, encoder=shared.encoder)


def no_density(shared: Shared) -> latentdiff.ComparisonResult:
    """Too few images for the density ratio."""
    a, b = (shared.scenes.select(np.arange(start, start + 30)) for start in (0, 30))
    return latentdiff.compare(a, b, encoder=shared.encoder)


def _planted(number: int) -> Callable[[Shared], latentdiff.ComparisonResult]:
    def case(shared: Shared) -> latentdiff.ComparisonResult:
        from benchmarks.planted import IMAGES, draw_pair

        a, b = (spec.replace(f"images={IMAGES}", f"images={SMALL}") for spec in draw_pair(number).specs.values())
        return latentdiff.compare(a, b, encoder=shared.encoder)

    return case


def _photos(number: int) -> Callable[[Shared], latentdiff.ComparisonResult]:
    def case(shared: Shared) -> latentdiff.ComparisonResult:
        from benchmarks.photos import pairs

        records = list(open_source(str(Path(os.environ[DATA]) / "tiny_imagenet" / "*.tar*")))
        wnids = np.array([one.metadata["wnid"] for one in records])
        unseen = [source_number(str(one.metadata["source_id"])) % 5 == 0 for one in records]
        rows, _ = list(pairs(wnids, np.flatnonzero(unseen), number + 1))[number]
        with TemporaryDirectory() as folder:
            for side, chosen in rows.items():
                (Path(folder) / side).mkdir()
                for row in chosen:
                    (Path(folder) / side / f"{row}.webp").write_bytes(records[row].read())
            sides = (latentdiff.embed(f"{folder}/{side}", shared.encoder) for side in "ab")
            result = latentdiff.compare(*sides, encoder=shared.encoder)
        return replace(result, a=replace(result.a, source="a"), b=replace(result.b, source="b"))

    return case


CASES: dict[str, Callable[[Shared], latentdiff.ComparisonResult]] = {
    "demo": demo,
    "nothing": nothing,
    "paper": paper,
    "trained": trained,
    "no_density": no_density,
    **{f"planted_{number}": _planted(number) for number in range(3)},
}
PHOTOS = {f"photos_{number}": _photos(number) for number in range(2)}


def _worlds(shared: Shared, a: str, b: str, *overrides: str) -> latentdiff.ComparisonResult:
    config = read_config(None, overrides)
    sets = (f"world:everyday?images={SMALL}&{of}" for of in (a, b))
    return latentdiff.compare(*sets, encoder=shared.encoder, settings=config)
