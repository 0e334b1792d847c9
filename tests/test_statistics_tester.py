"""The tester itself: it must see a statistic that depends on how its rows reach it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statistics_tester import check_statistic

VALUES = np.arange(1.0, 21.0)


class Product:
    """A right statistic: the logarithm of a product. (Toys need no pickling here: they fail before.)"""

    def __init__(self) -> None:
        self.total = 0.0

    def update(self, values: np.ndarray) -> None:
        self.total += float(np.log(values).sum())

    def merge(self, other: Product) -> Product:
        merged = type(self)()
        merged.total = self.total + other.total
        return merged

    def compute(self) -> float:
        return self.total


class ForgetsTheOther(Product):
    def merge(self, other: Product) -> Product:
        return self


class KeepsTheLastBatch(Product):
    def update(self, values: np.ndarray) -> None:
        self.total = float(np.log(values).sum())


class Wrong(Product):
    def compute(self) -> float:
        return 2 * self.total


@pytest.mark.parametrize(
    ("broken", "seen"),
    [(Wrong, "in one batch"), (KeepsTheLastBatch, "in shards"), (ForgetsTheOther, "merged, order")],
)
def test_a_statistic_that_is_wrong_or_does_not_merge_is_seen(broken: type[Product], seen: str) -> None:
    with pytest.raises(AssertionError, match=seen):
        check_statistic(broken, lambda part: (VALUES[part],), len(VALUES), math.lgamma(21))
