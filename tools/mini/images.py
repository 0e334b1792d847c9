"""The images that `mini` learns from: decoded once to bytes of one size, cropped and jittered anew in every batch."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate
from torch.utils.data import IterableDataset

from latentdiff.images import open_source
from latentdiff.images.worlds import WORLDS
from latentdiff.noisydiff.run.sae_pool import source_number


class Vectors(Protocol):
    """Phrases -> unit text vectors [n, d], in prompts or as they are."""

    def __call__(self, phrases: Sequence[str], prompts: bool = True) -> Tensor: ...


@dataclass(frozen=True)
class Question:
    """One question about every image of a set, whose answers are alternatives of one another.

    A concept that is not `present` is taken to be absent. `exclusive`: exactly one is present (or each to a share).
    `open`: words of the vocabulary that mean none of the present concepts are wrong answers too.
    """

    concepts: Tensor  # [concepts, d] unit text vectors
    present: Tensor  # [n, concepts] bool, or shares that sum to one
    exclusive: bool
    open: bool = True


@dataclass(frozen=True)
class ImageSet:
    """Images of one set and what is asked about them."""

    name: str
    pixels: np.ndarray  # [n, 3, side, side] uint8
    questions: tuple[Question, ...]
    rows: np.ndarray  # to train on
    watched: np.ndarray  # a few others, measured after every pass
    repeat: float = 1.0  # times a pass
    turn: bool = False  # has no up and down


OPTIONS = {"labels", "captions", "side", "repeat", "turn", "classifier", "without_every"}  # of a set in mini.yaml


def held_out(source_id: str) -> bool:
    """The fifth that training never sees."""
    return source_number(source_id) % 5 == 0


def watched(source_id: str) -> bool:
    """One image in 31 of the others: not trained on, measured after every pass; settings are chosen by it."""
    return not held_out(source_id) and source_number(source_id) % 31 == 0


def left_out(labels: Iterable[str], every: int) -> set[str]:
    """Each so-many-th class in the order of the labels: what a model does not see that is to be asked about them."""
    return set(sorted(set(labels))[::every])


def photographs(
    root: Path, name: str, options: Any, vectors: Vectors, cache: Path, classifier: Classifier | None = None
) -> ImageSet:
    """A folder of labelled WebDataset shards.

    Args:
        root: the folder with one folder a data set.
        name: of the data set.
        options: its entry in mini.yaml.
        vectors: the text tower.
        cache: where the decoded images are kept.
        classifier: answers too where the options ask for it.

    Raises:
        SystemExit: an option that is none, nothing to ask, or a key that the images' JSON lacks.
        LatentDiffError: no shard there.
    """
    if unknown := sorted(set(options) - OPTIONS):
        raise SystemExit(f"{name} has no option {', '.join(unknown)}; the options are {', '.join(sorted(OPTIONS))}")
    pixels, rows, kept_as = decoded(str(root / name / "*.tar*"), int(options.side), cache / name)
    asked_for = [*options.get("labels", []), *([options.captions] if options.get("captions") else [])]
    for key in ("source_id", *asked_for):
        if lacking := sum(key not in row for row in rows):
            raise SystemExit(f"{name}: {lacking:,} of {len(rows):,} images have no '{key}' in their JSON")
    names = class_names(root / name / "classes.tsv")
    labels = [[as_list(row[key]) for key in options.get("labels", [])] for row in rows]
    ask = [question([own[i] for own in labels], names, vectors) for i in range(len(options.get("labels", [])))]
    unseen = left_out([own[0][0] for own in labels], options.without_every) if options.get("without_every") else set()
    if options.get("captions"):
        captions = [row[options.captions] for row in rows]
        every = vectors([caption for own in captions for caption in own], prompts=False)
        means = torch.stack([unit_mean(own) for own in every.split([len(own) for own in captions])])
        ask.append(Question(means, torch.eye(len(rows), dtype=torch.bool), exclusive=True, open=False))
    if classifier and options.get("classifier"):
        shares = answers(pixels, classifier, kept_as.with_name(f"{kept_as.name}-classes")).float()
        shares = shares * torch.tensor([wnid not in unseen for wnid in classifier.wnids])
        shares = (shares / shares.sum(1, keepdim=True)).half()
        ask.append(Question(classifier.concepts, shares, exclusive=True, open=False))
    if not ask:
        raise SystemExit(f"{name} asks nothing about its images; give it labels, captions or the classifier")
    ids = [row["source_id"] for row in rows]
    kept = np.array([not any(unseen.intersection(asked) for asked in own) for own in labels])
    seen = np.array([not held_out(i) and not watched(i) for i in ids])
    return ImageSet(
        name,
        pixels,
        tuple(ask),
        np.flatnonzero(kept & seen),
        np.flatnonzero(kept & np.array([watched(i) for i in ids])),
        float(options.get("repeat", 1)),
        bool(options.get("turn")),
    )


def rendered(world: str, options: Any, vectors: Vectors, cache: Path) -> ImageSet:
    """One rendered world; the seeds of tests, demo and benchmarks are others."""
    uri = f"world:{world}?images={options.images}&seed={options.seed}"
    pixels, rows, _ = decoded(uri, int(options.side), cache / world)
    keys = [concept.name for concept in WORLDS[world].concepts]
    labels = [row["labels"] for row in rows]
    asked = Question(vectors(keys), presence(labels, keys), exclusive=False)
    watch = np.arange(len(rows)) < min(500, len(rows) // 10)
    return ImageSet(
        world,
        pixels,
        (asked,),
        np.flatnonzero(~watch),
        np.flatnonzero(watch),
        repeat=float(options.get("repeat", 1)),
    )


@dataclass(frozen=True)
class Classifier:
    """The backbone as it was, with its own classes: what it knows beyond the labels here is kept by asking it."""

    network: torch.nn.Module  # [n, 3, size, size] -> logits [n, classes]
    wnids: list[str]  # WordNet's ids of the classes
    concepts: Tensor  # [classes, d] unit text vectors
    size: int = 192


@torch.no_grad()
def answers(pixels: np.ndarray, classifier: Classifier, cache: Path, batch: int = 128) -> Tensor:
    """The classifier's shares [n, classes] float16 of whole images; kept."""
    file = cache.with_suffix(".npy")
    if not file.exists():
        print(f"the classifier looks at {len(pixels):,} images", flush=True)
        network = classifier.network.to(torch.bfloat16).to(memory_format=torch.channels_last)
        parts = []
        for start in range(0, len(pixels), batch):
            shown = resized(torch.from_numpy(pixels[start : start + batch]), classifier.size).bfloat16()
            parts.append(network(shown.contiguous(memory_format=torch.channels_last)).float().softmax(-1).half())
        np.save(file, torch.cat(parts).numpy())
    return torch.from_numpy(np.load(file))


def resized(pixels: Tensor, size: int) -> Tensor:
    """Bytes [n, 3, side, side] as `mini` sees them at `size`: [n, 3, size, size] in [-1, 1]."""
    out = pixels.float()
    if pixels.shape[-1] != size:
        out = interpolate(out, size=size, mode="bilinear", antialias=True)
    return ((out - 127) / 128).contiguous(memory_format=torch.channels_last)


def question(labels: Sequence[Sequence[str]], names: dict[str, list[str]], vectors: Vectors) -> Question:
    """What the labels say; a class with several names is at their mean."""
    keys = sorted({label for own in labels for label in own})
    concepts = torch.stack([unit_mean(vectors(names.get(key, [key]))) for key in keys])
    present = presence(labels, keys)
    return Question(concepts, present, exclusive=bool((present.sum(1) == 1).all()))


def as_list(labels: str | list[str]) -> list[str]:
    """One label or several."""
    return labels if isinstance(labels, list) else [labels]


def unit_mean(vectors: Tensor) -> Tensor:
    """[n, d] -> [d]."""
    return torch.nn.functional.normalize(vectors.mean(0), dim=-1)


def decoded(uri: str, side: int, cache: Path) -> tuple[np.ndarray, list[dict[str, Any]], Path]:
    """All images of a source that can be read, kept until the source changes.

    Args:
        uri: of the source.
        side: pixels.
        cache: where they are kept; what tells the source's state apart is added to the name.

    Returns:
        [n, 3, side, side] uint8 (squashed, as `mini` sees them); their metadata; the name under which they are kept.

    Raises:
        LatentDiffError: there is no such source.
        SystemExit: not one image can be read.
    """
    source = open_source(uri)
    kept_as = cache.with_name(f"{cache.name}-{side}-{source.stamp()[:8]}")
    table, array = (kept_as.with_name(f"{kept_as.name}.{suffix}") for suffix in ("json", "npy"))
    if not table.exists():
        print(f"decoding {uri}", flush=True)
        pixels, rows = [], []
        for record in source:
            try:
                image = Image.open(io.BytesIO(record.read())).convert("RGB")
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
                print(f"  skipped {record.uri}: {error}", flush=True)
                continue
            if image.size != (side, side):
                image = image.resize((side, side), Image.Resampling.BICUBIC)
            pixels.append(np.asarray(image).transpose(2, 0, 1))
            rows.append(dict(record.metadata))
        if not rows:
            raise SystemExit(f"no images in {uri}")
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.save(array, np.stack(pixels))
        table.write_text(json.dumps(rows))
    return np.load(array, mmap_mode="r"), json.loads(table.read_text()), kept_as


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


class ImageBatches(IterableDataset[list["Part"]]):
    """Batches that mix the sets as the pass does; the images of one set in a batch are a part of it."""

    def __init__(self, sets: Sequence[ImageSet], sizes: Sequence[int], batch: int, first: int = 0) -> None:
        """`sizes`: of the crops, one for each pass; `first`: seed of the first pass."""
        self.sets, self.sizes, self.batch, self.first, self.epoch = sets, sizes, batch, first, 0

    def __len__(self) -> int:
        return sum(int(len(s.rows) * s.repeat) for s in self.sets) // self.batch

    def __iter__(self) -> Iterator[list[Part]]:
        generator = torch.Generator().manual_seed(self.first + self.epoch)
        shown = []
        for number, own in enumerate(self.sets):
            order = torch.cat([torch.randperm(len(own.rows), generator=generator) for _ in range(ceil(own.repeat))])
            rows = torch.from_numpy(own.rows)[order[: int(len(own.rows) * own.repeat)]]
            shown.append(torch.stack([torch.full_like(rows, number), rows], dim=1))
        plan = torch.cat(shown)
        plan = plan[torch.randperm(len(plan), generator=generator)]
        size = self.sizes[self.epoch]
        for start in range(0, len(self) * self.batch, self.batch):
            drawn = plan[start : start + self.batch]
            parts = []
            for number in drawn[:, 0].unique().tolist():
                own, rows = self.sets[number], drawn[drawn[:, 0] == number, 1]
                crops = augment(torch.from_numpy(own.pixels[rows.numpy()]), size, own.turn, generator)
                parts.append(mixed(number, rows, crops, generator))
            yield parts


class Part(NamedTuple):
    """Images of one set."""

    number: int  # of the set
    rows: Tensor  # [n]
    pixels: Tensor  # [n, 3, size, size] in [-1, 1]
    others: Tensor  # [n] rows of the images that each is mixed with
    share: Tensor  # [n, 1] of the image itself

    def present(self, question: Question) -> Tensor:
        """What each image shows, in the shares of the mixture; [n, concepts]."""
        own, other = question.present[self.rows].float(), question.present[self.others].float()
        return self.share * own + (1 - self.share) * other


def mixed(number: int, rows: Tensor, pixels: Tensor, generator: torch.Generator) -> Part:
    """Mixup (arXiv 1710.09412): each image with some of the next one's, up to a half and mostly little."""
    share = 1 - 0.5 * torch.rand(len(rows), 1, generator=generator) ** 3
    weight = share[:, :, None, None]
    return Part(number, rows, weight * pixels + (1 - weight) * pixels.roll(1, 0), rows.roll(1, 0), share)


class WatchedImages(IterableDataset[tuple[int, Tensor, Tensor]]):
    """The watched images of each set, as `mini` will see them."""

    def __init__(self, sets: Sequence[ImageSet], size: int) -> None:
        self.sets, self.size = sets, size

    def __iter__(self) -> Iterator[tuple[int, Tensor, Tensor]]:
        """(number of the set, rows [n], pixels [n, 3, size, size])."""
        for number, own in enumerate(self.sets):
            for rows in torch.from_numpy(own.watched).split(256):
                yield (number, rows, resized(torch.from_numpy(own.pixels[rows.numpy()]), self.size))


def augment(pixels: Tensor, size: int, turn: bool, generator: torch.Generator) -> Tensor:
    """A random crop (.5 to 1 of the area, 3:4 to 4:3), mirrored or not, in other light; [n, 3, size, size]."""

    def draw(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(len(pixels), *shape, generator=generator)

    area, ratio = draw(0.5, 1.0), draw(-0.2877, 0.2877).exp().sqrt()
    width, height = (area.sqrt() * ratio).clamp(max=1), (area.sqrt() / ratio).clamp(max=1)
    x, y = (1 - width) * draw(-1, 1), (1 - height) * draw(-1, 1)
    width = width * draw(-1, 1).sign()
    zero = torch.zeros_like(x)
    crop = torch.stack([torch.stack([width, zero, x], 1), torch.stack([zero, height, y], 1)], 1)
    out = pixels.float()
    grey = out.mean(1, keepdim=True)
    out = grey + (out - grey) * draw(0.6, 1.4, 1, 1, 1)
    mean = out.mean((1, 2, 3), keepdim=True)
    out = (mean + (out - mean) * draw(0.7, 1.3, 1, 1, 1)) * draw(0.7, 1.3, 1, 1, 1)
    out = (out.clamp(0, 255) - 127) / 128
    grid = affine_grid(crop, [len(pixels), 3, size, size], align_corners=False)
    out = grid_sample(out, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    if turn:
        out = out.rot90(int(torch.randint(4, (1,), generator=generator)), (2, 3))
    return out
