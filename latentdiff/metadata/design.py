"""Columns of metadata as what a conditional test takes into account: design columns, and strata."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from latentdiff.contrasts import Contrast
from latentdiff.metadata.columns import Column, Kind, read_column

RARE_BELOW = 5  # images of both groups; a category with fewer has no column of its own
KNOTS = (0.2, 0.5, 0.8, 0.95)  # quantiles of both groups together
STRATA = 5  # of a number

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


def covariates(contrast: Contrast, column: str) -> Floats:
    """Design columns through which a conditional test takes a column of metadata into account.

    Categories: an indicator of each but the most frequent, rare ones as one (unless all are rare). Numbers: the value
    z, standardised over both groups, and the hinges max(0, z - knot); 0 where there is no value, which an indicator
    tells. No constant column is among them. They know no side: exchanging the groups exchanges the rows.

    Args:
        contrast: the two groups.
        column: a column of metadata that both have.

    Returns:
        [n_a + n_b, c], rows of A before rows of B; c is at least 1.

    Raises:
        LatentDiffError: no such column, or one that the groups cannot be compared in.
    """
    found = read_column(contrast, column)
    return _hinges(found) if found.kind is Kind.NUMBER else _indicators(found)


def strata(contrast: Contrast, columns: Sequence[str]) -> Numbers:
    """The stratum of each image, for permutations inside strata: images that agree in all columns.

    Numbers are cut at the fifths of their ranks in both groups together, equal ones sharing their mean rank; no value
    is a category of its own.

    Args:
        contrast: the two groups.
        columns: of metadata, that both have; none: everything is one stratum.

    Returns:
        [n_a + n_b] numbers from 0 without gaps, rows of A before rows of B; they know no side.

    Raises:
        LatentDiffError: no such column, or one that the groups cannot be compared in.
    """
    stratum = np.zeros(contrast.size("a") + contrast.size("b"), np.int64)
    for name in columns:
        found = read_column(contrast, name)
        part = _fifths(found) if found.kind is Kind.NUMBER else found.values
        stratum = np.unique(stratum * (part.max(initial=0) + 1) + part, return_inverse=True)[1].reshape(-1)
    return stratum


def _indicators(column: Column) -> Floats:
    count = np.bincount(column.values)
    rare = count < RARE_BELOW
    if rare.all():
        rare[:] = False
    place = np.where(rare, rare.argmax(), np.arange(len(count)))[column.values]  # rare ones go to the first of them
    used, place, size = np.unique(place, return_inverse=True, return_counts=True)
    others = np.delete(np.arange(len(used)), size.argmax())
    return (place.reshape(-1, 1) == others).astype(np.float64)


def _hinges(column: Column) -> Floats:
    known = column.known
    ordered = np.sort(column.values[known])  # in an order that knows no side, so that sums have the same bits
    ordered /= (scale := np.abs(ordered).max())  # no square overflows
    mean, deviation = ordered.mean(), ordered.std()
    z = np.where(known, (column.values / scale - mean) / deviation, 0.0)
    knots = np.unique(np.quantile((ordered - mean) / deviation, KNOTS))
    inside = knots[(knots > z[known].min()) & (knots < z[known].max())]
    hinges = np.where(known[:, None], np.maximum(0.0, z[:, None] - inside), 0.0)
    missing = [] if known.all() else [~known]
    return np.column_stack([z, hinges, *missing]).astype(np.float64)


def _fifths(column: Column) -> Numbers:
    """Which fifth of the ranks a number is in, 0 to 4; 5 where there is none."""
    known = column.known
    _, place, count = np.unique(column.values[known], return_inverse=True, return_counts=True)
    middle = 2 * np.cumsum(count) - count  # twice the mean rank, from 0
    fifths = np.full(len(column.values), STRATA, dtype=np.int64)
    fifths[known] = (STRATA * middle // (2 * known.sum()))[place]
    return fifths
