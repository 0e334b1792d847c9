"""Builds `mini` from its parts: `python tools/mini/build.py DATA OUT` (two packages more, see README.md here).

Text tower: distilled from all-MiniLM-L6-v2. Image tower: EfficientNet-Lite0 with its ImageNet weights; the last two
stages and a projection to the text space are trained on labelled photographs and on the rendered worlds, twice over,
the second time with more everyday scenes. Nothing of the held-out fifths is seen.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import image_tower
import model as mini
import numpy as np
import text_tower
import texts
import torch
from features import extract
from torch import Tensor
from torch.nn.functional import normalize

from latentdiff.images import open_source
from latentdiff.images.worlds import WORLDS
from latentdiff.naming import NamingSettings, build_vocabulary

Labels = Callable[[dict[str, Any]], Sequence[str]]

PHOTOGRAPHS: dict[str, Labels] = {
    "tiny_imagenet": lambda row: [row["wnid"]],
    "aerial_aid": lambda row: [row["label"]],
    "brain_mri": lambda row: [row["label"]],
    "chest_xray": lambda row: [row["label"]],
    "pacs": lambda row: [row["label"], row["domain"]],
    "voc_animals": lambda row: row["objects"],
}
RENDERED = {"everyday": 24_000, "satellite": 6_000, "radiographs": 6_000}
MORE_EVERYDAY = 24_000
TEXTS = 75_000


def main() -> None:
    """Trains both towers and writes open_clip's local-dir format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder with tiny_imagenet/ and the other labelled shards")
    parser.add_argument("out", type=Path, help="folder for the model")
    options = parser.parse_args()
    torch.manual_seed(0)
    model = mini.create()
    text_tower.start_from_teacher(model)
    learn = training_texts(options.data)
    text_tower.distil(model, learn, texts.teacher_vectors(learn), epochs=8)

    words = prompt_vectors(model, build_vocabulary().words)
    trunk = mini.create().visual.trunk.eval().to(memory_format=torch.channels_last).to(torch.bfloat16)
    sets = [labelled(name, trunk, model, options.data) for name in PHOTOGRAPHS]
    sets += [rendered(name, count, 777_000, trunk, model) for name, count in RENDERED.items()]
    image_tower.train_image_tower(model, sets, words, epochs=8, rate=4e-4, sigmoid_weight=10)
    sets.append(rendered("everyday", MORE_EVERYDAY, 888_000, trunk, model))
    image_tower.train_image_tower(model, sets, words, epochs=3, rate=3e-4, sigmoid_weight=20, seed=1)
    mini.save(model, options.out)


def held_out(source_id: str) -> bool:
    """The fifth on which nothing is trained."""
    return int(hashlib.sha1(source_id.encode()).hexdigest()[:8], 16) % 5 == 0


def training_texts(data: Path) -> list[str]:
    """What the text tower learns from; captions of flickr8k's training part among them."""
    rows = [dict(record.metadata) for record in open_source(str(data / "flickr8k" / "*.tar"))]
    captions = [caption for row in rows if not held_out(row["source_id"]) for caption in row["captions"]]
    learn = texts.training_texts(
        texts.common_words(30_000), texts.noun_phrases(data / "wordnet_nouns.tsv.gz"), captions
    )
    bare = set(texts.common_words(30_000))
    rest = [text for text in learn if text not in bare]
    chosen = np.random.default_rng(0).permutation(len(rest))[: TEXTS - len(bare)]
    return sorted(bare) + [rest[i] for i in chosen]


def labelled(name: str, trunk: torch.nn.Module, model: torch.nn.Module, data: Path) -> image_tower.LabelledFeatures:
    """One folder of labelled shards."""
    cells, rows = extract(trunk, open_source(str(data / name / "*.tar*")))
    labels = [PHOTOGRAPHS[name](row) for row in rows]
    keys = sorted({label for own in labels for label in own})
    names = class_names(data / name / "classes.tsv")
    vectors = torch.stack([normalize(prompt_vectors(model, names.get(key, [key])).mean(0), dim=-1) for key in keys])
    train = np.flatnonzero([not held_out(row["source_id"]) for row in rows])
    return image_tower.LabelledFeatures(name, cells, vectors, presence(labels, keys), train)


def rendered(
    world: str, count: int, seed: int, trunk: torch.nn.Module, model: torch.nn.Module
) -> image_tower.LabelledFeatures:
    """One rendered world; seeds of tests, demo and benchmarks are others."""
    cells, rows = extract(trunk, open_source(f"world:{world}?images={count}&seed={seed}"))
    keys = [concept.name for concept in WORLDS[world].concepts]
    present = presence([row["labels"] for row in rows], keys)
    return image_tower.LabelledFeatures(world, cells, prompt_vectors(model, keys), present, np.arange(count))


def class_names(table: Path) -> dict[str, list[str]]:
    """All English names of each class, where the data set lists them."""
    if not table.exists():
        return {}
    with table.open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    return {row["wnid"]: [name.strip().lower() for name in row["names"].split(",")] for row in rows}


def presence(labels: Sequence[Sequence[str]], keys: Sequence[str]) -> Tensor:
    """[n, keys] bool."""
    position = {key: i for i, key in enumerate(keys)}
    present = torch.zeros(len(labels), len(keys), dtype=torch.bool)
    for row, own in enumerate(labels):
        present[row, [position[label] for label in own]] = True
    return present


@torch.no_grad()
def prompt_vectors(model: torch.nn.Module, phrases: Sequence[str]) -> Tensor:
    """Unit text vectors [n, d], averaged over the prompts that name latents."""

    def batches() -> Iterator[Tensor]:
        for start in range(0, len(phrases), 1000):
            own = phrases[start : start + 1000]
            prompts = [[t.replace("{}", p) for p in own] for t in NamingSettings().templates]
            yield sum(normalize(text_tower.forward(model, text_tower.tokenize(p)), dim=-1) for p in prompts)  # type: ignore[misc]

    return normalize(torch.cat(list(batches())), dim=-1)


if __name__ == "__main__":
    main()
