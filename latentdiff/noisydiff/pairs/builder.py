"""What a builder of pairs is, and what it may draw from; `registry.py` lists them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa

from latentdiff.noisydiff.pairs.labels import Labels, coco_labels, table_labels
from latentdiff.noisydiff.pairs.pair import Pair, Truth


@dataclass(frozen=True, eq=False)
class SetSource:
    """One set of images and what is known of each, as its settings say.

    Attributes:
        name: what the set is called.
        images: where the images come from ("world:everyday?images=9", a folder).
        table: one row an image, with the column `id`.
        column: of the table, that says what each image shows.
        context: a second column of the table; None where there is none.
        instances: COCO-format files that say it instead of a column.
        definitions: a table of pairs that others have defined; None where there is none.
    """

    name: str
    images: str
    table: pa.Table
    column: str = "label"
    context: str | None = None
    instances: tuple[Path, ...] = ()
    definitions: Path | None = None

    def labels(self) -> Labels:
        """All that is annotated in each image, from the COCO-format files where there are any."""
        if not self.instances:
            return table_labels(self.table, self.column)
        there = set(self.table.column("id").to_pylist())
        return {id: found for id, found in coco_labels(self.instances).items() if id in there}


@dataclass(frozen=True, eq=False)
class Annotated:
    """What is known to be in the images of a set, planted or not: claims are checked against it.

    Attributes:
        labels: of each image that anything is known of; what is not among them is not in the image.
        truths: what each of these labels is called; for what is planted, the same `Truth` as in the pairs.
    """

    labels: Labels
    truths: Mapping[str, Truth]

    @classmethod
    def of(cls, labels: Labels, called: Callable[[str], Truth]) -> Annotated:
        """The labels of all images, each called by `called`."""
        known = sorted({label for found in labels.values() for label in found})
        return cls(labels, {label: called(label) for label in known})


@dataclass(frozen=True)
class Builder:
    """A way to make pairs.

    Attributes:
        name: by which `builder` and a pair's recipe call it, and under which a set has its settings.
        build: (source, settings) -> pairs, each with a recipe that holds all that `rebuild` needs.
        rebuild: (what `build` started from, recipe without its `builder`, seed) -> the pair of that recipe.
        settings: class of its settings, a frozen dataclass with defaults; None where it takes none.
        annotated: (source, settings) -> what is known to be in the images; None where nothing is.
    """

    name: str
    build: Callable[[SetSource, Any], list[Pair]]
    rebuild: Callable[[Any, dict[str, Any], int], Pair]
    settings: type | None = None
    annotated: Callable[[SetSource, Any], Annotated] | None = None

    @property
    def sets_scarcity(self) -> bool:
        """Whether its pairs can be built at several scarcities."""
        return self.settings is not None and "scarcity" in {item.name for item in fields(self.settings)}
