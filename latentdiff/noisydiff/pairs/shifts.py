"""Pairs of two styles, as photos and sketches: alone, and with one class planted behind the shift (docs/methods.md, 8).

Classes are balanced between the sides, so that the style is all that differs; a class is planted by a few more of its
images on one side. Within one style the same is done without a shift.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any, NamedTuple

from latentdiff.errors import LatentDiffError
from latentdiff.hypotheses import SIDES, Side
from latentdiff.images.worlds import WORLDS
from latentdiff.images.worlds.source import PREFIX, parse_spec
from latentdiff.noisydiff.pairs.builder import Annotated, Builder, SetSource
from latentdiff.noisydiff.pairs.labels import table_classes, table_labels
from latentdiff.noisydiff.pairs.pair import Pair, Truth
from latentdiff.noisydiff.pairs.sampling import TooFewImages, check_share, halves, shuffled, truth_of
from latentdiff.noisydiff.pairs.worlds import called_in
from latentdiff.registry import choose

log = logging.getLogger(__name__)

NAME = "shifts"


class Styled(NamedTuple):
    """What is known of one image."""

    style: str
    group: str  # its class, which is balanced between the sides; "" where it has none, or several labels
    labels: frozenset[str]  # what may be planted


Known = Mapping[str, Styled]  # by the image's id
Orders = tuple[dict[str, list[str]], dict[str, list[str]]]  # of each side: ids by group, in random order


@dataclass(frozen=True)
class Planting:
    """What one side has more of."""

    label: str
    side: Side
    share: float  # of the side: images that are put in beside the balanced ones


@dataclass(frozen=True)
class ShiftSettings:
    """Which pairs a column of styles is made into.

    Attributes:
        values: of that column, every two of them make pairs; one alone: both sides are of it; none: all.
        shares: of a side, of what is planted there; each pair is also made with nothing planted.
        each: images of each class on each side, or of each side where there are no classes; None: half of the rarest.
        classes: planted for each two values, in turn on A and on B; None: all that have enough images.
        draws: pairs of each kind, each of other images.
        names: further names of styles: "art painting=painting|oil painting".
        seed: of all draws.
    """

    values: tuple[str, ...] = ()
    shares: tuple[float, ...] = (0.04, 0.08)
    each: int | None = None
    classes: int | None = 1
    draws: int = 1
    names: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        for share in self.shares:
            check_share(share, None)
        for name in ("each", "classes", "draws"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise LatentDiffError(f"{name} is {value}; use 1 or more")
        for one in self.names:
            style, _, also = one.partition("=")
            if not all(part.strip() for part in (style, *also.split("|"))):
                raise LatentDiffError(f"names holds '{one}'; write a style and its names, as in 'sketch=drawing|lines'")

    @property
    def also(self) -> dict[str, list[str]]:
        """The further names by style."""
        parts = (one.partition("=") for one in self.names)
        return {style.strip(): [name.strip() for name in names.split("|")] for style, _, names in parts}


def shift_pairs(known: Known, settings: ShiftSettings = ShiftSettings(), world: str | None = None) -> list[Pair]:
    """Pairs of every two styles, or within one: with nothing planted, then with classes planted at every share.

    Args:
        known: style, class and labels of each image.
        settings: which.
        world: whose concepts the labels are; None: they are words.

    Raises:
        LatentDiffError: an unknown style, fewer than two where two are needed, or too few images.
    """
    there = {style: style for style in sorted({one.style for one in known.values()})}
    values = [choose("style", value, there) for value in settings.values] or list(there)
    twos = list(combinations(values, 2)) or [(value, value) for value in settings.values]
    if not twos:
        raise LatentDiffError(f"the styles are {list(there)}; give two, or name one in values for pairs within it")
    pairs = []
    for number, two in enumerate(twos):
        orders = _orders(known, two, 0, settings.seed)
        each = settings.each or max(1, min(len(ids) for order in orders for ids in order.values()) // 2)
        build = partial(shift_pair, known, two, each, names=settings.also, world=world, seed=settings.seed)
        pairs += [build(draw=draw) for draw in range(settings.draws)]
        if settings.shares:
            pairs += _planted(known, two, settings, build, number)
    return pairs


def shift_pair(
    known: Known,
    values: Sequence[str],
    each: int,
    planting: Planting | None = None,
    draw: int = 0,
    names: Mapping[str, Sequence[str]] | None = None,
    world: str | None = None,
    seed: int = 0,
) -> Pair:
    """One pair; pairs that differ in what is planted alone share all other images.

    Args:
        known: style, class and labels of each image.
        values: A's style and B's; the same twice: no shift.
        each: images of each class on each side, or of each side.
        planting: what one side has more of; None: nothing.
        draw: which of several cuts.
        names: further names of styles.
        world: whose concepts the labels are; None: they are words.
        seed: of all draws.

    Raises:
        TooFewImages: there are not so many.
        LatentDiffError: the two styles have no class in common.
    """
    orders = _orders(known, values, draw, seed)
    fewest = min(len(ids) for order in orders for ids in order.values())
    if fewest < each:
        raise TooFewImages(f"{each} images of each class were asked for, one of {' and '.join(values)} has {fewest}")
    sides = [[id for ids in order.values() for id in ids[:each]] for order in orders]
    truth, shown = dict[Side, Truth](), dict[Side, int]()
    if planting:
        own = SIDES.index(planting.side)
        more = _more(known, orders[own], each, planting)
        sides[own] += more
        truth, shown = {planting.side: _caller(world)(planting.label)}, {planting.side: len(more)}
    names, one_style = names or {}, values[0] == values[1]
    recipe = {
        "builder": NAME,
        "values": list(values),
        "each": each,
        "planted": planting.label if planting else None,
        "side": planting.side if planting else None,
        "scarcity": planting.share if planting else None,
        "draw": draw,
        "names": {value: list(names[value]) for value in values if value in names},
        "world": world,
    }
    return Pair(
        _id(values, planting, draw),
        "",
        tuple(sorted(sides[0])),  # sorted, so that the order tells nothing
        tuple(sorted(sides[1])),
        truth,
        sum(shown.values()) / len(sides[SIDES.index(planting.side)]) if planting else 0.0,
        seed,
        recipe,
        shown,
        {} if one_style else {side: _style(value, names) for side, value in zip(SIDES, values, strict=True)},
    )


def _planted(
    known: Known, two: Sequence[str], settings: ShiftSettings, build: Callable[..., Pair], number: int
) -> list[Pair]:
    """The pairs with something planted, of as many labels as are asked for and have enough images."""
    labels = {label for one in known.values() if one.style in two for label in one.labels}
    built: list[list[Pair]] = []
    for label in shuffled(labels, settings.seed, *two, "planted"):
        if len(built) == settings.classes:
            break
        side = SIDES[(number + len(built)) % 2]
        try:
            of_label = [
                build(planting=Planting(label, side, share), draw=draw)
                for share in settings.shares
                for draw in range(settings.draws)
            ]
        except TooFewImages as error:
            log.info("left out %s in %s: %s", label, " and ".join(two), error)
            continue
        built.append(of_label)
    if not built or len(built) < (settings.classes or 0):
        raise LatentDiffError(
            f"{settings.classes or 'some'} classes were to be planted in {' and '.join(two)}, {len(built)} have enough "
            "images; set each, classes or shares lower"
        )
    return [pair for of_label in built for pair in of_label]


def _orders(known: Known, values: Sequence[str], draw: int, seed: int) -> Orders:
    """The images of each side by group, those that both have, in random order; within one style disjoint halves."""
    members: dict[tuple[str, str], list[str]] = {}
    for id, one in known.items():
        members.setdefault((one.style, one.group), []).append(id)
    a, b = values
    both = sorted({group for style, group in members if style == a} & {group for style, group in members if style == b})
    if not both:
        raise LatentDiffError(f"'{a}' and '{b}' have no class in common that could be balanced; leave out the context")
    orders: Orders = ({}, {})
    for group in both:
        names = (*dict.fromkeys(values), str(draw), group)
        halved = halves(members[a, group], seed, *names)
        for order, value, half in zip(orders, values, halved, strict=True):
            order[group] = list(half) if a == b else shuffled(members[value, group], seed, *names, value)
    return orders


def _more(known: Known, order: Mapping[str, Sequence[str]], each: int, planting: Planting) -> list[str]:
    """Images with the label beside the balanced ones, in the share that was asked for."""
    spare = [id for ids in order.values() for id in ids[each:] if planting.label in known[id].labels]
    few = round(planting.share / (1 - planting.share) * each * len(order))
    if not 1 <= few <= len(spare):
        raise TooFewImages(f"{few} more images of {planting.label} are needed, there are {len(spare)}")
    return spare[:few]


def _id(values: Sequence[str], planting: Planting | None, draw: int) -> str:
    kind = f"{planting.label} in {planting.side}@{planting.share:g}" if planting else "alone"
    return f"{'-'.join(dict.fromkeys(values))}/{kind}" + (f"#{draw}" if draw else "")


def _style(value: str, names: Mapping[str, Sequence[str]]) -> Truth:
    truth = truth_of(value)
    return Truth(truth.phrase, (*truth.names, *names.get(value, ())), truth.wnid)


def _caller(world: str | None) -> Callable[[str], Truth]:
    return truth_of if world is None else partial(called_in, choose("world", world, WORLDS))


def _world(source: SetSource) -> str | None:
    return parse_spec(source.images).world if source.images.startswith(PREFIX) else None


def _known(source: SetSource) -> Known:
    """Style by the column, class or labels by the context; images that lack one of them are left out."""
    styles = table_classes(source.table, source.column)
    if source.context is None:
        return {id: Styled(style, "", frozenset()) for id, style in styles.items()}
    if any(isinstance(value, list) for value in source.table.column(source.context).to_pylist()):
        labels = table_labels(source.table, source.context)
        return {id: Styled(style, "", labels[id]) for id, style in styles.items()}
    classes = table_classes(source.table, source.context)
    return {id: Styled(styles[id], name, frozenset({name})) for id, name in classes.items() if id in styles}


def _build(source: SetSource, settings: ShiftSettings) -> list[Pair]:
    if settings.shares and source.context is None:
        raise LatentDiffError(
            f"nothing can be planted without classes: name their column in sets.{source.name}.context, or set "
            f"sets.{source.name}.shifts.shares=[]"
        )
    return shift_pairs(_known(source), settings, _world(source))


def _rebuild(known: Known, recipe: dict[str, Any], seed: int) -> Pair:
    label, side, share = (recipe.pop(name) for name in ("planted", "side", "scarcity"))
    planting = None if label is None else Planting(label, side, share)
    return shift_pair(known, **recipe, planting=planting, seed=seed)


def _annotated(source: SetSource, settings: ShiftSettings) -> Annotated:
    known = _known(source)
    called = {
        label: _caller(_world(source))(label) for label in {name for one in known.values() for name in one.labels}
    }
    styles = {style: _style(style, settings.also) for style in {one.style for one in known.values()}}
    return Annotated({id: one.labels | {one.style} for id, one in known.items()}, called | styles)


BUILDER = Builder(NAME, _build, _rebuild, ShiftSettings, _annotated)
