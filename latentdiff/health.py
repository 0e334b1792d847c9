"""What each set is made of, before anything is compared: sizes, what was skipped, duplicates, format and brightness."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from latentdiff.embeddings import EmbeddingSet
from latentdiff.result import SetSummary

SKIPPED_EXAMPLES = 10  # in the report; the embedding set lists all


def summarise_set(name: str, own: EmbeddingSet, other: EmbeddingSet) -> SetSummary:
    """One side of the comparison.

    Args:
        name: what to call it ("A").
        own: the set.
        other: the set it is compared with, for duplicates across.
    """
    skipped = own.skipped.slice(0, SKIPPED_EXAMPLES).to_pylist()
    return SetSummary(
        name=name,
        source=own.source,
        images=own.n + own.skipped.num_rows,
        embedded=own.n,
        skipped=own.skipped.num_rows,
        skipped_examples=tuple((row["uri"], row["reason"]) for row in skipped),
        duplicates_within=own.n - len(np.unique(own.hashes)),
        duplicates_across=int(np.isin(own.hashes, other.hashes).sum()),
        width_median=_median(own, "width"),
        height_median=_median(own, "height"),
        brightness_median=_median(own, "brightness"),
    )


def _median(embeddings: EmbeddingSet, column: str) -> float | None:
    if column not in embeddings.table.column_names:
        return None
    given = embeddings.table.column(column).drop_null()
    if not (pa.types.is_integer(given.type) or pa.types.is_floating(given.type)):
        return None  # a column of the user's own by this name
    values = given.to_numpy()
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None
