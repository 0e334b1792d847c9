"""Pairs from images with several labels each: a parent, and an attribute on each side (docs/methods.md, 8).

plain has the parent P but neither attribute, mix_a has P and A but not B, mix_b the reverse; images with all three are
dropped. plain is cut into two random halves: D_A = plain_1 + mix_a, D_B = plain_2 + mix_b.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from latentdiff.errors import LatentDiffError
from latentdiff.noisydiff.pairs.builder import Annotated, Builder, SetSource
from latentdiff.noisydiff.pairs.labels import Labels
from latentdiff.noisydiff.pairs.pair import Pair, Truth
from latentdiff.noisydiff.pairs.sampling import Parts, TooFewImages, assemble, check_share, halves, shuffled, truth_of
from latentdiff.registry import choose

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AnnotationSettings:
    """Which pairs annotations are made into; the defaults are the paper's."""

    parents: tuple[str, ...] = ()  # none: every label; "" is the parent that all images have
    parent_images: int = 2000  # a parent has at least so many
    mix_images: int = 100  # and so have both of the mixes
    per_parent: int | None = None  # pairs of each parent, drawn by seed; None: all
    scarcity: float | None = None  # share of the mix in each side; None: as the data have it
    size: int | None = None  # images of each side; None: as many as can be had
    seed: int = 0

    def __post_init__(self) -> None:
        check_share(self.scarcity, self.size)
        if self.mix_images < 1 or (self.per_parent is not None and self.per_parent < 1):
            raise LatentDiffError(
                f"mix_images is {self.mix_images} and per_parent {self.per_parent}; use 1 or more of each"
            )


def annotation_pairs(labels: Labels, settings: AnnotationSettings = AnnotationSettings()) -> list[Pair]:
    """All eligible pairs, or those drawn of them, by parent and attributes.

    Args:
        labels: of each image.

    Raises:
        LatentDiffError: a parent that no image has, or no pair is eligible.
    """
    pairs: list[Pair] = []
    for parent, attributes in eligible(labels, settings).items():
        of_parent = {id: found for id, found in labels.items() if not parent or parent in found}
        for a, b in _drawn(attributes, parent, settings):
            try:
                pairs.append(
                    annotation_pair(of_parent, parent, (a, b), settings.scarcity, settings.size, settings.seed)
                )
            except TooFewImages as error:
                log.info("left out %s/%s-%s: %s", parent, a, b, error)
    if not pairs:
        raise LatentDiffError(
            f"no two labels have {settings.mix_images} images in both mixes with a parent of {settings.parent_images} "
            "images and enough others; set parent_images, mix_images, scarcity or size lower"
        )
    return pairs


def annotation_pair(
    labels: Labels,
    parent: str,
    attributes: Sequence[str],
    scarcity: float | None = None,
    size: int | None = None,
    seed: int = 0,
) -> Pair:
    """One pair; pairs that differ in scarcity alone share their images as far as they reach.

    Args:
        labels: of each image.
        parent: a label, "" for all images.
        attributes: A's and B's.
        scarcity: share of the mix in each side, None as the data have it.
        size: images of each side, None for as many as can be had.
        seed: of all draws.

    Raises:
        TooFewImages: there are not so many.
    """
    a, b = attributes
    recipe = {"builder": "annotations", "parent": parent, "attributes": [a, b], "scarcity": scarcity, "size": size}
    return contrast(labels, parent, (a, b), (truth_of(a), truth_of(b)), recipe, seed)


def contrast(
    labels: Labels,
    parent: str,
    attributes: tuple[str, str],
    truths: Sequence[Truth],
    recipe: Mapping[str, Any],
    seed: int,
) -> Pair:
    """The pair of two attributes within a parent, with truths and recipe as given."""
    plain, *mixes = split(labels, parent, attributes)
    name = f"{parent}/{'-'.join(attributes)}"
    sides = [
        Parts(half, tuple(shuffled(mix, seed, name, "mix")))
        for half, mix in zip(halves(plain, seed, name, "plain"), mixes, strict=True)
    ]
    return assemble(name, parent, sides, truths, recipe, seed)


def split(labels: Labels, parent: str, attributes: tuple[str, str]) -> tuple[list[str], list[str], list[str]]:
    """The ids of plain, mix_a and mix_b."""
    parts: dict[tuple[bool, bool], list[str]] = {(False, False): [], (True, False): [], (False, True): []}
    for id, found in labels.items():
        has = (attributes[0] in found, attributes[1] in found)
        if has in parts and (not parent or parent in found):
            parts[has].append(id)
    return parts[False, False], parts[True, False], parts[False, True]


def eligible(labels: Labels, settings: AnnotationSettings) -> dict[str, list[tuple[str, str]]]:
    """The attributes that make a pair with each parent, both in the order of the alphabet.

    Raises:
        LatentDiffError: a parent that no image has.
    """
    images = Counter(label for found in labels.values() for label in found)
    for parent in filter(None, settings.parents):
        choose("parent", parent, images)
    images[""] = len(labels)
    parents = sorted(set(settings.parents) or images.keys() - {""})
    return {
        parent: _with_both_mixes(
            [found - {parent} for found in labels.values() if not parent or parent in found], settings
        )
        for parent in parents
        if images[parent] >= settings.parent_images
    }


def _with_both_mixes(images: Sequence[frozenset[str]], settings: AnnotationSettings) -> list[tuple[str, str]]:
    one = Counter(label for found in images for label in found)
    both = Counter(pair for found in images for pair in combinations(sorted(found), 2))
    common = sorted(label for label, count in one.items() if count >= settings.mix_images)
    return [(a, b) for a, b in combinations(common, 2) if min(one[a], one[b]) - both[a, b] >= settings.mix_images]


def _drawn(attributes: Iterable[tuple[str, str]], parent: str, settings: AnnotationSettings) -> list[tuple[str, str]]:
    by_name = {"/".join(pair): pair for pair in attributes}
    names = shuffled(by_name, settings.seed, parent, "pairs")[: settings.per_parent]
    return sorted(by_name[name] for name in names)


def _build(source: SetSource, settings: AnnotationSettings) -> list[Pair]:
    return annotation_pairs(source.labels(), settings)


def _rebuild(labels: Labels, recipe: dict[str, Any], seed: int) -> Pair:
    return annotation_pair(labels, **recipe, seed=seed)


def _annotated(source: SetSource, settings: AnnotationSettings) -> Annotated:
    return Annotated.of(source.labels(), truth_of)


BUILDER = Builder("annotations", _build, _rebuild, AnnotationSettings, _annotated)
