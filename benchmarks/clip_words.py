"""A real CLIP without its towers: `python -m benchmarks.clip_words --data folder`.

Stored vectors of the original ViT-B/32: photographs with tags, and object names as the vocabulary. For each tag, A is
the photographs with it and B those without; what the first five findings of every method say of A is printed, with the
text vectors centred and as they are (raw), named by what differs, by decoder rows or by the strongest images, with
CSLS.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.record import record
from latentdiff.embeddings import EmbeddingSet, from_arrays
from latentdiff.images import open_source
from latentdiff.naming import NamingSettings, WordVectors, build_vocabulary
from latentdiff.naming.fold import fold
from latentdiff.noisydiff.methods.baseline import BaselineContext
from latentdiff.noisydiff.methods.predictions import Prediction
from latentdiff.noisydiff.pairs.pair import Pair, Truth
from latentdiff.noisydiff.run.harness import BenchmarkContext, predict
from latentdiff.noisydiff.settings import Settings
from latentdiff.vectors import unit_rows
from sae_training import TrainSettings, train

LEAST = 20  # photographs with a tag
METHODS = ("concept", "density", "combined", "mean-shift", "gsclip", "vocabulary")
VARIED = ("concept", "combined")  # of these also with another naming
NAMINGS: dict[str, dict[str, Any]] = {
    "raw": {"centre": False},
    "decoder": {"source": "decoder"},
    "exemplars": {"source": "exemplars"},
    "csls": {"csls": True},
}


@dataclass(frozen=True, eq=False)
class StoredTexts:
    """An encoder whose text vectors are in a file; it embeds no image. A phrase is the mean of the names in it."""

    names: tuple[str, ...]
    vectors: np.ndarray  # [names, d] unit length
    name: str = "ViT-B-32"
    fingerprint: str = "ViT-B-32@stored"

    @property
    def dimension(self) -> int:
        """Width of the vectors."""
        return self.vectors.shape[1]

    def preprocess(self, image: object) -> Tensor:
        """There is no image tower."""
        raise NotImplementedError

    def encode_images(self, pixels: Tensor) -> Tensor:
        """There is no image tower."""
        raise NotImplementedError

    def encode_texts(self, texts: Sequence[str]) -> Tensor:
        """[texts, d]."""
        position = {name: i for i, name in enumerate(self.names)}
        found = [self.vectors[[position[t]] if t in position else _within(t, position)].mean(0) for t in texts]
        return torch.from_numpy(unit_rows(np.stack(found)))


def _within(text: str, position: dict[str, int]) -> list[int]:
    return [i for name, i in position.items() if f" {name} " in f" {text} "] or list(position.values())


def main() -> None:
    """Prints a table and writes benchmarks/clip_words.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder with flickr8k/ and clip_embeddings/")
    parser.add_argument("--no-record", action="store_true", help="print only")
    options = parser.parse_args()
    missing = [name for name in ("flickr8k", "clip_embeddings") if not (options.data / name).is_dir()]
    if missing:
        raise SystemExit(f"error: no {' and no '.join(missing)} in {options.data}; name their folder with --data")
    images, pairs = tagged(options.data)
    with TemporaryDirectory() as folder:
        context = open_context(options.data, images, Path(folder))
        said = {pair.id: {p.method: p for p in predict(pair, METHODS, context)} for pair in pairs}
        for name, changed in NAMINGS.items():
            naming = replace(context.settings.naming, **changed)
            other = replace(context, settings=replace(context.settings, naming=naming))
            for pair in pairs:
                said[pair.id] |= {f"{p.method}, {name}": p for p in predict(pair, VARIED, other)}
    known = {fold(word) for word in context.for_baselines.words.words}
    hits: dict[str, list[bool]] = {}
    for pair in pairs:
        accepted = {fold(name) for name in pair.truth["a"].names}
        print(f"\n{pair.id}: {len(pair.a)} photographs{'' if accepted & known else ' (no name of the vocabulary)'}")
        for method, prediction in said[pair.id].items():
            top = first_words(prediction)
            print(f"  {method:<19} {', '.join(top)}")
            if accepted & known:
                hits.setdefault(method, []).append(any(fold(word) in accepted for word in top))
    print(f"\ntags named among the first five words, of {len(next(iter(hits.values())))} that the vocabulary has")
    for method, own in hits.items():
        print(f"  {method:<19} {sum(own)}")
    if not options.no_record:
        tables = {tag: {m: first_words(p) for m, p in own.items()} for tag, own in said.items()}
        figures = {"tags named": {m: sum(own) for m, own in hits.items()}, "first words": tables}
        record("clip_words", figures, {"tags": len(pairs), "images": images.n}, StoredTexts.fingerprint)


def tagged(data: Path) -> tuple[EmbeddingSet, list[Pair]]:
    """The photographs' vectors, and a pair for each tag that is frequent enough."""
    stored = np.load(data / "clip_embeddings" / "flickr8k_clip_vitb32.npz")
    rows = [dict(record.metadata) for record in open_source(str(data / "flickr8k" / "*.tar*"))]
    tags = {row["source_id"]: row["tags"] for row in rows}
    ids = stored["source_id"].tolist()
    images = from_arrays(stored["embedding"], ids, StoredTexts.fingerprint, source="flickr8k")
    pairs = []
    for tag in sorted({tag for own in tags.values() for tag in own}):
        with_it = [id for id in ids if tag in tags[id]]
        if len(with_it) >= LEAST:
            without = [id for id in ids if tag not in tags[id]]
            truth = {"a": Truth(tag, tuple(tag.split(" or ")))}
            pairs.append(Pair(tag, "", tuple(with_it), tuple(without), truth, 1.0))
    return images, pairs


def open_context(data: Path, images: EmbeddingSet, folder: Path) -> BenchmarkContext:
    """What the methods need; the SAE is trained on all photographs."""
    stored = np.load(data / "clip_embeddings" / "lvis1203_clip_vitb32_text.npz")
    names = tuple(name.replace("_", " ").partition("(")[0].strip() for name in stored["name"].tolist())
    first = [i for i, name in enumerate(names) if name not in names[:i]]
    encoder = StoredTexts(tuple(names[i] for i in first), unit_rows(stored["embedding"][first].astype(np.float32)))
    listed = folder / "names.txt"
    listed.write_text("\n".join(encoder.names) + "\n", encoding="utf-8")
    naming = NamingSettings(words=0, phrases=False, things=0, file=str(listed), templates=("{}",))
    vocabulary = build_vocabulary(naming)
    vectors = encoder.encode_texts(vocabulary.words).numpy()
    words = WordVectors.from_arrays(vocabulary.words, vectors, templates=("{}",))
    sae = train(images, TrainSettings(), fingerprint=encoder.fingerprint, description="all photographs")
    rows = {id: row for row, id in enumerate(images.table.column("id").to_pylist())}
    settings = Settings(naming=naming)
    return BenchmarkContext(images, rows, settings, BaselineContext(encoder, words, settings), sae)


def first_words(prediction: Prediction, count: int = 5) -> list[str]:
    """The first word of each of the first findings of A."""
    return [finding[0] for finding in prediction.findings.get("a", ())[:count] if finding]


if __name__ == "__main__":
    main()
