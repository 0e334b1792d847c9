"""Text vectors of the vocabulary: averaged over prompts, centred, cached (docs/methods.md, 2).

CLIP's text and image clouds are offset from each other; without centring, a few words win everywhere.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latentdiff.errors import LatentDiffError
from latentdiff.naming.vocabulary import TEMPLATES, NamingSettings, Vocabulary
from latentdiff.vectors import unit_rows
from sae_training.files import replacing
from sae_training.progress import Progress

if TYPE_CHECKING:
    from latentdiff.encoders import Encoder

log = logging.getLogger(__name__)

_BATCH = 256  # words that are embedded together
_BLOCK = 1024  # words that are kept in one file
_FORMAT = 1


@dataclass(frozen=True)
class WordVectors:
    """A vocabulary and where its words lie among the images."""

    words: tuple[str, ...]
    vectors: np.ndarray  # [words, d] float32, centred, unit length
    mean: np.ndarray  # [d] float32: the vocabulary's mean before centring (zeros when it is not centred)
    templates: tuple[str, ...] = TEMPLATES
    raw: np.ndarray | None = None  # [words, d] text vectors as the encoder gives them, of any length

    @classmethod
    def from_arrays(
        cls,
        words: Sequence[str],
        vectors: np.ndarray,
        *,
        centre: bool = True,
        templates: tuple[str, ...] = TEMPLATES,
    ) -> WordVectors:
        """A vocabulary that comes with its own text vectors.

        Args:
            words: the words, each once.
            vectors: [words, d], text vectors as the encoder gives them (averaged over prompts where there are several).
            centre: subtract their mean.
            templates: the prompts they were made with; further texts are embedded with the same ones.

        Raises:
            LatentDiffError: the shapes do not fit, or a value is not finite.
        """
        raw = np.asarray(vectors, np.float32)
        if raw.ndim != 2 or len(raw) != len(words) or not len(raw):
            raise LatentDiffError(
                f"{len(words)} words need vectors of shape [{len(words)}, d], found {list(raw.shape)}"
            )
        if not np.isfinite(raw).all():
            raise LatentDiffError("the text vectors hold values that are not finite; embed the vocabulary anew")
        mean = raw.mean(0, dtype=np.float64) if centre else np.zeros(raw.shape[1])
        mean = mean.astype(np.float32)
        return cls(tuple(words), unit_rows(raw - mean), mean, templates, np.asarray(vectors))

    @cached_property
    def uncentred(self) -> WordVectors:
        """The same vocabulary with the text vectors as the encoder gives them."""
        raw = self.vectors if self.raw is None else self.raw
        return WordVectors.from_arrays(self.words, raw, centre=False, templates=self.templates)

    def of(self, vectors: np.ndarray) -> np.ndarray:
        """Text vectors [n, d] (averaged over prompts) brought to the words' space: centred alike, unit length."""
        return unit_rows(np.asarray(vectors, np.float32) - self.mean)

    def text(self, encoder: Encoder, phrases: Sequence[str]) -> np.ndarray:
        """Any phrases [n] in the words' space [n, d] float32: same prompts, same centre."""
        return self.of(_prompt_means(phrases, self.templates, encoder))


def embed_vocabulary(
    vocabulary: Vocabulary,
    encoder: Encoder,
    settings: NamingSettings,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> WordVectors:
    """Text vectors of a vocabulary, from the cache where the same words, prompts and encoder were embedded before.

    They are kept block by block: a longer vocabulary that begins alike, or a run that was killed, goes on where the
    blocks end. Vectors of a word may differ in their last bits with the words beside it, so blocks are used whole.

    Args:
        vocabulary: what to embed.
        encoder: its text side.
        settings: the prompts, and whether to centre.
        cache: folder to keep the vectors in (default: `cache_folder()`); one that cannot be written is no error.
        progress: told ("words", done, total).
    """
    folder = (cache or cache_folder()) / "words"
    raw = np.empty((len(vocabulary), encoder.dimension), np.float16)
    writable, made = True, False
    for start in range(0, len(vocabulary), _BLOCK):
        words = vocabulary.words[start : start + _BLOCK]
        file = folder / f"{_key(words, settings.templates, encoder)}.npy"
        vectors = _read(file, len(words), encoder.dimension)
        if vectors is None:
            tell = partial(_tell, progress, start, len(vocabulary))
            # rounded before their first use, so that the run that fills the cache and those that read it agree
            vectors = _prompt_means(words, settings.templates, encoder, tell).astype(np.float16)
            writable, made = writable and _write(file, vectors), True
        raw[start : start + _BLOCK] = vectors
    if made:
        _tell(progress, 0, len(vocabulary), len(vocabulary))
    return WordVectors.from_arrays(vocabulary.words, raw, centre=settings.centre, templates=settings.templates)


def cache_folder() -> Path:
    """$LATENTDIFF_CACHE, or `latentdiff` in the user's cache folder ($XDG_CACHE_HOME, ~/.cache)."""
    if own := os.environ.get("LATENTDIFF_CACHE"):
        return Path(own).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "latentdiff"


def _prompt_means(
    phrases: Sequence[str], templates: Sequence[str], encoder: Encoder, tell: Callable[[int], None] | None = None
) -> np.ndarray:
    """Mean over the prompts of the unit text vectors, [phrases, d] float32; `tell` hears how many are done."""
    total = np.zeros((len(phrases), encoder.dimension), np.float32)
    for start in range(0, len(phrases), _BATCH):
        if tell:
            tell(start)
        rows = slice(start, start + _BATCH)
        for template in templates:
            texts = [template.replace("{}", phrase) for phrase in phrases[rows]]
            total[rows] += unit_rows(encoder.encode_texts(texts).cpu().numpy())
    return total / np.float32(len(templates))


def _tell(progress: Progress | None, start: int, total: int, done: int) -> None:
    if progress:
        progress("words", start + done, total)


def _key(words: Sequence[str], templates: Sequence[str], encoder: Encoder) -> str:
    content = json.dumps([_FORMAT, list(words), list(templates), encoder.fingerprint])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _read(file: Path, count: int, dimension: int) -> np.ndarray | None:
    try:
        vectors = np.load(file, allow_pickle=False)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError) as error:
        log.warning("cached word vectors %s cannot be read (%s); they are made anew", file, error)
        return None
    return vectors if vectors.shape == (count, dimension) and vectors.dtype == np.float16 else None


def _write(file: Path, vectors: np.ndarray) -> bool:
    """Whether that was possible."""
    try:
        with replacing(file) as temporary, temporary.open("wb") as handle:
            np.save(handle, vectors)
    except OSError as error:
        log.warning("word vectors are not cached: %s (set LATENTDIFF_CACHE to a folder that can be written)", error)
        return False
    return True
