"""A pair of the benchmark: which images are on each side, and what was planted there. A small file, rebuilt by seed.

Images are named by id (the key in their embedding set), not by row, so that a pair outlives an embedding set.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import Side
from sae_training.files import replacing


@dataclass(frozen=True)
class Truth:
    """What one side has and the other has not."""

    phrase: str  # in words, as a person would say it: "fire hydrant"
    names: tuple[str, ...]  # all names that are exactly right, `phrase` among them
    wnid: str | None = None  # WordNet's noun, where there is one: synonyms and hypernyms count by it


@dataclass(frozen=True)
class Pair:
    """Two sets of images with a known difference (docs/methods.md, 8)."""

    id: str  # unique in its benchmark: "person/tie-umbrella"
    parent: str  # what all images have in common: "person"; "" where nothing is
    a: tuple[str, ...]  # ids of A's images
    b: tuple[str, ...]
    truth: Mapping[Side, Truth]  # what is planted, by side; empty where nothing is
    scarcity: float  # share of a side's images that show its truth (mean of the two sides)
    seed: int = 0
    recipe: Mapping[str, Any] = field(default_factory=dict)  # the builder's settings, to rebuild it by
    planted: Mapping[Side, int] = field(default_factory=dict)  # images of a side that show its truth; else by scarcity
    shift: Mapping[Side, Truth] = field(default_factory=dict)  # what each set is as a whole: photos, sketches

    @property
    def is_null(self) -> bool:
        """Whether there is no difference to find: nothing is planted, and the sets are of one kind (A = A)."""
        return not self.truth and not self.shift


def write_pairs(pairs: Iterable[Pair], file: Path) -> None:
    """One JSON object a line; whole or not at all."""
    with replacing(file) as temporary:
        temporary.write_text("".join(json.dumps(asdict(pair)) + "\n" for pair in pairs), encoding="utf-8")


def read_pairs(file: Path) -> list[Pair]:
    """The pairs of a file.

    Raises:
        LatentDiffError: there is no such file, or a line is no pair.
    """
    if not file.is_file():
        raise LatentDiffError(f"no pairs in {file}: build them first (python -m latentdiff.noisydiff build ...)")
    pairs = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            pairs.append(_pair(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LatentDiffError(f"{file}, line {number} is no pair ({error}); build the file anew") from error
    return pairs


def _pair(row: Mapping[str, Any]) -> Pair:
    truth, shift = ({side: _truth(t) for side, t in told.items()} for told in (row["truth"], row.get("shift", {})))
    return Pair(**{**row, "a": tuple(row["a"]), "b": tuple(row["b"]), "truth": truth, "shift": shift})


def _truth(row: Mapping[str, Any]) -> Truth:
    return Truth(row["phrase"], tuple(row["names"]), row.get("wnid"))


def unique_ids(ids: Sequence[str], where: str) -> None:
    """Ids must name images.

    Raises:
        LatentDiffError: one occurs twice.
    """
    if len(set(ids)) != len(ids):
        twice = next(i for i in ids if ids.count(i) > 1)
        raise LatentDiffError(f"{where}: the image id '{twice}' occurs twice; ids must be unique")
