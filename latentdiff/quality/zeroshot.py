"""Zero-shot accuracy that the reconstruction keeps (docs/methods.md, 1): the class whose text is nearest to an image,
and to what the SAE makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch

from latentdiff.embeddings import EmbeddingSet
from latentdiff.naming import NamingSettings, Vocabulary, embed_vocabulary
from sae_training.progress import Progress

if TYPE_CHECKING:
    from latentdiff.encoders import Encoder
    from sae_training import SparseAutoencoder
    from sae_training.rows import Rows


@dataclass(frozen=True, eq=False)
class Classes:
    """Images of known class, and where the classes' names lie among them."""

    rows: np.ndarray  # [n, d] float32, unit length
    truth: np.ndarray  # [n] int64, which of the names
    names: tuple[str, ...]
    texts: np.ndarray  # [names, d] float32, unit length: means over prompts, not centred


class ZeroShot(NamedTuple):
    """How often the class with the nearest text is the true one."""

    images: float  # of the images
    reconstructions: float  # of what the SAE makes of them

    @property
    def kept(self) -> float:
        """The share that the reconstructions keep; NaN where there is none to keep."""
        return self.reconstructions / self.images if self.images else float("nan")


def find_classes(
    rows: Rows,
    images: Sequence[EmbeddingSet],
    column: str,
    encoder: Encoder,
    settings: NamingSettings,
    progress: Progress | None = None,
) -> Classes | None:
    """The classes of the images held out to measure; None where no column says them, or fewer than two.

    Args:
        rows: of the images.
        images: the sets that `rows` were made of, of `encoder`.
        column: of their tables.
        encoder: its text side.
        settings: the prompts.
        progress: told ("words", done, total).
    """
    given = column_of(images, column)
    names = sorted({name for name in given if name})
    known = [position for position in rows.measuring.tolist() if given[position]]
    if len(names) < 2 or not known or not all(isinstance(name, str) for name in names):
        return None
    place = {name: i for i, name in enumerate(names)}
    words = Vocabulary(tuple(name.replace("_", " ") for name in names))
    texts = embed_vocabulary(words, encoder, replace(settings, centre=False), progress=progress).vectors
    truth = np.array([place[given[position]] for position in known], dtype=np.int64)
    return Classes(rows.take(torch.tensor(known)).numpy(), truth, tuple(names), texts)


def column_of(images: Sequence[EmbeddingSet], name: str) -> list[Any]:
    """A column of several sets, one after the other; None where a set has no such column, or lists in it."""
    values: list[Any] = []
    for one in images:
        known = name in one.table.column_names and not pa.types.is_nested(one.table.schema.field(name).type)
        values += one.table.column(name).to_pylist() if known else [None] * one.n
    return values


def zero_shot(sae: SparseAutoencoder, classes: Classes) -> ZeroShot:
    """Zero-shot accuracy on images and on their reconstructions.

    Args:
        sae: calibrated, of the encoder that made rows and texts.
        classes: what is to be told apart.
    """
    rebuilt = sae.decode(sae.encode(classes.rows)).cpu().numpy()
    # lengths change no order: the nearest text of a row has the largest product with it
    hits = [(rows @ classes.texts.T).argmax(axis=1) == classes.truth for rows in (classes.rows, rebuilt)]
    return ZeroShot(*(float(hit.mean()) for hit in hits))
