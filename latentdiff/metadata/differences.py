"""Which columns of metadata differ between two groups, and by how much (docs/methods.md, 10)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from latentdiff.contrasts import Contrast
from latentdiff.hypotheses import Interval, Side
from latentdiff.metadata.columns import Column, Kind, read_columns

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ColumnSummary:
    """One side of a column.

    Attributes:
        missing: images without a value; those of numbers are left out of all else.
        median: of numbers.
        category: of categories, the one that the side has more of than the other, by the largest difference of shares;
            "" is no value. None: of numbers, or the shares are the same.
        share: of the side's images, that are of this category.
        other_share: the same of the other side.
    """

    missing: int
    median: float | None = None
    category: str | None = None
    share: float | None = None
    other_share: float | None = None


@dataclass(frozen=True)
class MetadataDifference:
    """How a column of metadata differs between the groups.

    Attributes:
        column: its name.
        kind: numbers or categories.
        auroc: 0.5 to 1. How often an image of `side` has the larger number than one of the other side, ties counting
            half; how often the category alone tells of two images which is whose (`auroc_of_categories`).
        auroc_interval: DeLong's, of numbers; None: of categories, or no pair of images has them the other way round.
        p_value: of no difference: Mann-Whitney, or `category_test`.
        q_value: corrected for the number of columns (Benjamini-Hochberg).
        differs: whether q is at or below the level.
        side: of numbers, that has the larger ones; of categories, that of the largest difference of shares, and if
            both have one, as of two categories, the one that has more of the last by name. None: neither.
        a: the first group.
        b: the second.
    """

    column: str
    kind: Kind
    auroc: float
    auroc_interval: Interval | None
    p_value: float
    q_value: float
    differs: bool
    side: Side | None
    a: ColumnSummary
    b: ColumnSummary


def compare_metadata(contrast: Contrast, level: float) -> tuple[MetadataDifference, ...]:
    """Every column that both groups have, the most different first (docs/methods.md, 10).

    Exchanging the groups exchanges the sides and changes nothing else, to the last bit.

    Args:
        contrast: the two groups.
        level: q at or below which a column differs.
    """
    from latentdiff.statistics import adjust  # scipy, slow to import

    tested = [_numbers(c) if c.kind is Kind.NUMBER else _categories(c) for c in read_columns(contrast)]
    q = adjust(np.array([one.p_value for one in tested])).tolist()
    corrected = [replace(one, q_value=of, differs=of <= level) for one, of in zip(tested, q, strict=True)]
    return tuple(sorted(corrected, key=lambda one: (-one.auroc, one.p_value, one.column)))


def _numbers(column: Column) -> MetadataDifference:
    from latentdiff.statistics import Z, delong, mann_whitney

    a, b = (values[np.isfinite(values)] for values in (column.of("a"), column.of("b")))
    values = np.concatenate([a, b])
    order = np.argsort(values, kind="stable")
    p = float(mann_whitney(np.zeros(len(values), np.int64), values[order], order < len(a), 1)[0])
    (of_a, variance), (of_b, again) = delong(a, b), delong(b, a)
    area, spread = max(of_a, of_b, 0.5), Z * float(np.sqrt(max(variance, again)))  # the two differ by rounding
    return MetadataDifference(
        column=column.name,
        kind=column.kind,
        auroc=area,
        auroc_interval=Interval(max(0.0, area - spread), min(1.0, area + spread)) if spread else None,
        p_value=p,
        q_value=p,
        differs=False,
        side="a" if of_a > of_b else "b" if of_b > of_a else None,
        a=ColumnSummary(missing=column.n_a - len(a), median=float(np.median(a))),
        b=ColumnSummary(missing=len(column.values) - column.n_a - len(b), median=float(np.median(b))),
    )


def _categories(column: Column) -> MetadataDifference:
    from latentdiff.statistics import auroc_of_categories, category_test

    count_a, count_b = (np.bincount(column.of(s), minlength=len(column.labels)) for s in ("a", "b"))
    gap = count_a * count_b.sum() - count_b * count_a.sum()  # of the shares, in whole numbers
    largest = gap[_last_largest(np.abs(gap))]
    p = category_test(count_a, count_b)
    return MetadataDifference(
        column=column.name,
        kind=column.kind,
        auroc=max(auroc_of_categories(count_a, count_b), 0.5),
        auroc_interval=None,
        p_value=p,
        q_value=p,
        differs=False,
        side="a" if largest > 0 else "b" if largest < 0 else None,
        a=_summarise(column, count_a, count_b, gap),
        b=_summarise(column, count_b, count_a, -gap),
    )


def _summarise(column: Column, own: Counts, other: Counts, gap: Counts) -> ColumnSummary:
    missing = int(own[0]) if column.labels[0] == "" else 0
    most = _last_largest(gap)
    if gap[most] <= 0:
        return ColumnSummary(missing)
    shares = (float(count[most] / count.sum()) for count in (own, other))
    return ColumnSummary(missing, None, column.labels[most], *shares)


def _last_largest(values: Counts) -> int:
    return len(values) - 1 - int(values[::-1].argmax())
