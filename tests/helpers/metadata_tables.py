"""Contrasts of images of which only the metadata matter, and the same with the groups exchanged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from latentdiff.contrasts import Contrast
from latentdiff.embeddings import EmbeddingSet, from_arrays


def described(columns: Mapping[str, Any], source: str = "array") -> EmbeddingSet:
    """A set whose table has these columns."""
    table = pa.table(dict(columns))
    return from_arrays(np.ones((table.num_rows, 2)), table=table, source=source)


def contrast_of(a: Mapping[str, Any], b: Mapping[str, Any]) -> Contrast:
    """Two whole sets with these columns."""
    return Contrast.between(described(a), described(b))


def turned(contrast: Contrast) -> Contrast:
    """The groups exchanged."""
    rows = {"a": contrast.rows["b"], "b": contrast.rows["a"]}
    return Contrast.between(contrast.sets["b"], contrast.sets["a"]).among(rows, contrast.part)


def mixed(n_a: int = 60, n_b: int = 45, seed: int = 0) -> Contrast:
    """Columns of every kind, some of which differ, with missing values."""
    generator = np.random.default_rng(seed)

    def side(n: int, shift: float) -> dict[str, Any]:
        def holed(values: Any) -> pa.Array:
            return pa.array(values, mask=generator.random(n) < 0.1)

        return {
            "width": pa.array(generator.integers(90, 110, n), pa.int32()),
            "height": pa.array(generator.integers(90, 110, n) + int(20 * shift), pa.int32()),
            "brightness": pa.array(generator.normal(shift, 1, n), pa.float32()),
            "year": holed(generator.integers(2000, 2006, n)),
            "exposure": holed(generator.exponential(1 + shift, n)),
            "night": pa.array(generator.random(n) < 0.3 + shift),
            "camera": holed(
                generator.choice(["fix", "nox", "pix", "rare"], n, p=[0.5 - shift, 0.3 + shift, 0.17, 0.03])
            ),
        }

    return contrast_of(side(n_a, 0.0), side(n_b, 0.2))
