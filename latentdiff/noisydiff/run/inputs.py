"""The images of a set, its pairs and the pool's SAE, from its settings; each is made once and kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from latentdiff.embeddings import EmbeddingSet, check_encoder
from latentdiff.encoders import Encoder
from latentdiff.errors import LatentDiffError
from latentdiff.images.records import file_stamp
from latentdiff.keys import key_of
from latentdiff.noisydiff.pairs.builder import Annotated, SetSource
from latentdiff.noisydiff.pairs.null_pairs import null_pairs
from latentdiff.noisydiff.pairs.pair import Pair, read_pairs, write_pairs
from latentdiff.noisydiff.pairs.registry import BUILDERS
from latentdiff.noisydiff.run.sae_pool import SOURCE_ID, bundled_sae, held_out, pool_sae
from latentdiff.noisydiff.settings import SetSettings, Settings, located
from latentdiff.sae_source import open_or_embed
from sae_training.progress import Progress


def open_images(spec: str, settings: Settings, encoder: Encoder, progress: Progress | None = None) -> EmbeddingSet:
    """The embedding set of a source of images; embedded once and kept in the cache.

    Raises:
        LatentDiffError: there is no such source, or it was embedded with another encoder.
    """
    source = located(spec, settings.data.root)
    folder = Path(settings.cache) / f"embeddings-{key_of(source, encoder.fingerprint)[:16]}"
    images = open_or_embed(source, encoder, folder, replace(settings.embed, overwrite=True), progress)
    check_encoder(source, images, encoder)
    return images


def find_sae(one: SetSettings, settings: Settings, encoder: Encoder, progress: Progress | None = None) -> Path | None:
    """The folder of the SAE that the set's pairs are compared with; None where no method needs one.

    Raises:
        LatentDiffError: there is none, and no pool to train it on.
    """
    if not settings.needs_pool:
        return None
    if settings.sae.path is not None:
        if not (Path(settings.sae.path) / "sae.yaml").is_file():
            raise LatentDiffError(
                f"no SAE at {settings.sae.path}; train one with train_sae.py, or leave it out and name the images "
                f"to train one on with sets.{one.name}.pool=[...]"
            )
        return Path(settings.sae.path)
    if not one.pool:
        return bundled_sae(encoder.fingerprint)
    pools = [open_images(spec, settings, encoder, progress) for spec in one.pool]
    return pool_sae(pools, settings.sae, Path(settings.cache), progress)


def open_pairs(one: SetSettings, settings: Settings, images: EmbeddingSet) -> list[Pair]:
    """The pairs of a set, built where the images or the settings are new.

    Raises:
        LatentDiffError: the images do not suffice for the pairs that the settings ask for.
    """
    file = pairs_file(one, settings, images)
    if not file.is_file():
        write_pairs(build_pairs(one, settings, images), file)
    return list(_first(read_pairs(file), settings.pairs))


def _first(pairs: Sequence[Pair], count: int | None) -> Iterator[Pair]:
    """The first so many pairs of each scarcity that was asked for, of shifts alone, and of the null pairs."""
    seen: Counter[tuple[bool, bool, float | None]] = Counter()
    for pair in pairs:
        kind = (pair.is_null, bool(pair.truth), pair.recipe.get("scarcity"))
        seen[kind] += 1
        if count is None or seen[kind] <= count:
            yield pair


def pairs_file(one: SetSettings, settings: Settings, images: EmbeddingSet) -> Path:
    """Where the pairs of a set lie: another file for other images, labels or settings."""
    how = {name: value for name, value in asdict(one).items() if name not in ("name", "images", "pool")}
    columns = ("id", SOURCE_ID, one.column, one.context)
    cells = {name: images.table.column(name).to_pylist() for name in columns if name in images.table.column_names}
    files = [located(file, settings.data.root) for file in (*one.instances, one.definitions or "") if file]
    stamps = [file_stamp(Path(file)) for file in files]
    return Path(settings.out) / one.name / f"pairs-{key_of(how, images.digest, cells, stamps, settings.seed)[:8]}.jsonl"


def build_pairs(one: SetSettings, settings: Settings, images: EmbeddingSet) -> list[Pair]:
    """The pairs that the settings ask for, then the null pairs; an id says its scarcity where there are several."""
    if one.part != "all":
        images = images.select(np.flatnonzero(held_out(images) == (one.part == "held-out")))
        if not images.n:
            raise LatentDiffError(f"'{one.name}' has no {one.part} images; set sets.{one.name}.part=all")
    source = _source(one, settings.data.root, images)
    pairs = [
        replace(pair, id=f"{pair.id}@{scarcity:g}") if scarcity is not None else pair
        for scarcity, variant in _variants(one)
        for pair in BUILDERS[one.builder].build(source, variant.section)
    ]
    ids = images.table.column("id").to_pylist()
    return pairs + null_pairs(ids, one.halves, one.halves_size, settings.seed)


def open_annotated(one: SetSettings, settings: Settings, images: EmbeddingSet) -> Annotated | None:
    """What is known to be in the images of a set, held out or not; None where its builder knows nothing."""
    annotated = BUILDERS[one.builder].annotated
    return None if annotated is None else annotated(_source(one, settings.data.root, images), one.section)


def _variants(one: SetSettings) -> Iterator[tuple[float | None, SetSettings]]:
    """The set once for each scarcity; nested, as the builders have it, so that curves compare like with like."""
    if not one.scarcities:
        yield None, one
    for scarcity in one.scarcities:
        yield scarcity, one.with_section(scarcity=scarcity)


def _source(one: SetSettings, root: str, images: EmbeddingSet) -> SetSource:
    return SetSource(
        one.name,
        one.images,
        images.table,
        one.column,
        one.context,
        tuple(Path(located(file, root)) for file in one.instances),
        None if one.definitions is None else Path(located(one.definitions, root)),
    )
