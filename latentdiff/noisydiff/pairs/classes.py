"""Pairs from images with one class each, as in ImageNet: a class, or a group of WordNet, that one side alone has.

Two forms: "planted", all images of one class on each side behind some classes that both sides have; "removed", two
halves of everything, from each of which one class is removed (docs/methods.md, 8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from latentdiff.errors import LatentDiffError
from latentdiff.naming.wordnet import read_wordnet
from latentdiff.noisydiff.pairs.builder import Annotated, Builder, SetSource
from latentdiff.noisydiff.pairs.labels import Classes, table_classes
from latentdiff.noisydiff.pairs.pair import Pair
from latentdiff.noisydiff.pairs.sampling import (
    Parts,
    TooFewImages,
    assemble,
    check_share,
    first_built,
    halves,
    matched,
    shuffled,
    truth_of,
)
from latentdiff.registry import choose

FORMS = ("planted", "removed")


@dataclass(frozen=True)
class ClassSettings:
    """Which pairs a class column is made into."""

    form: str = "planted"  # of FORMS
    pairs: int = 60
    scarcity: float | None = 0.02  # share of the class in its side; None: as the data have it
    size: int | None = None  # images of each side; None: as many as can be had
    background: int | None = None  # classes that both sides have; None: all others
    each: int | None = None  # images of each of these in each side, at most; None: half of them
    depth: int | None = None  # of the WordNet groups that stand for the classes; None: the classes themselves
    seed: int = 0

    def __post_init__(self) -> None:
        check_share(self.scarcity, self.size)
        if self.form not in FORMS:
            raise LatentDiffError(f"the form of class pairs is '{self.form}'; use one of {', '.join(FORMS)}")
        for name, value in (("pairs", self.pairs), ("background", self.background), ("each", self.each)):
            if value is not None and value < 1:
                raise LatentDiffError(f"{name} is {value}; use 1 or more")


def class_pairs(classes: Classes, settings: ClassSettings = ClassSettings()) -> list[Pair]:
    """Pairs of classes (or groups), every class about equally often.

    Args:
        classes: of each image, by id; WordNet ids, or names.

    Raises:
        LatentDiffError: too few images for so many pairs, or a class that WordNet cannot group.
    """
    return first_built(
        matched(set(grouped(classes, settings.depth).values()), settings.seed, "classes"),
        lambda both: class_pair(classes, both, settings),
        settings.pairs,
    )


def class_pair(classes: Classes, planted: Sequence[str], settings: ClassSettings = ClassSettings()) -> Pair:
    """One pair; A has the first of two classes (or groups), B the other.

    Args:
        classes: of each image, by id.
        planted: two classes, or two groups where `settings.depth` is set.
        settings: how; `settings.pairs` plays no part.

    Raises:
        TooFewImages: there are not enough for this scarcity.
        LatentDiffError: no image has one of the classes, or WordNet cannot group them.
    """
    members: dict[str, list[str]] = {}
    for id, name in grouped(classes, settings.depth).items():
        members.setdefault(name, []).append(id)
    for one in planted:
        choose("class", one, members)
    name = f"{settings.form}/{planted[0]}-{planted[1]}"
    behind = _background(members, planted, name, settings)
    sides = []
    for side, (own, half) in enumerate(zip(planted, behind, strict=True)):
        images = tuple(shuffled(members[own], settings.seed, name, own))
        if settings.form == "removed":
            images = halves(members[own], settings.seed, name, own)[side]
        sides.append(Parts(half, images))
    recipe = {
        "builder": "classes",
        "planted": list(planted),
        "form": settings.form,
        "scarcity": settings.scarcity,
        "size": settings.size,
        "background": settings.background,
        "each": settings.each,
        "depth": settings.depth,
    }
    return assemble(name, "", sides, [truth_of(own) for own in planted], recipe, settings.seed)


def grouped(classes: Classes, depth: int | None) -> Classes:
    """The WordNet group at this depth instead of each class; the classes as they are where the depth is None.

    Raises:
        LatentDiffError: a class is no noun of WordNet, or means several.
    """
    if depth is None:
        return classes
    nouns = read_wordnet()
    group = {}
    for name in sorted(set(classes.values())):
        wnid = truth_of(name).wnid
        if wnid is None:
            raise LatentDiffError(f"class '{name}' has no clear noun in WordNet; give WordNet ids, or no depth")
        group[name] = nouns.group(wnid, depth)
    return {id: group[name] for id, name in classes.items()}


def _background(
    members: dict[str, list[str]], planted: Sequence[str], name: str, settings: ClassSettings
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The images behind each side: first one of every class, then a second one, so that any beginning is balanced."""
    chosen = shuffled(members.keys() - set(planted), settings.seed, name, "background")[: settings.background]
    if settings.background is not None and len(chosen) < settings.background:
        raise TooFewImages(f"{settings.background} classes of background were asked for, there are {len(chosen)}")
    both = [halves(members[one], settings.seed, name, one) for one in chosen]
    return _by_turns([a[: settings.each] for a, _ in both]), _by_turns([b[: settings.each] for _, b in both])


def _by_turns(classes: Sequence[Sequence[str]]) -> tuple[str, ...]:
    return tuple(id for turn in zip_longest(*classes) for id in turn if id is not None)


def _build(source: SetSource, settings: ClassSettings) -> list[Pair]:
    return class_pairs(table_classes(source.table, source.column), settings)


def _rebuild(classes: Classes, recipe: dict[str, Any], seed: int) -> Pair:
    planted = recipe.pop("planted")
    return class_pair(classes, planted, ClassSettings(**recipe, seed=seed))


def _annotated(source: SetSource, settings: ClassSettings) -> Annotated:
    classes = grouped(table_classes(source.table, source.column), settings.depth)
    return Annotated.of({id: frozenset({name}) for id, name in classes.items()}, truth_of)


BUILDER = Builder("classes", _build, _rebuild, ClassSettings, _annotated)
