"""What a rival is given beside the two sets, and what it gives back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latentdiff.findings import Side
from latentdiff.language import LanguageSettings
from latentdiff.naming import LatentName, WordVectors
from latentdiff.naming.vocabulary import fold

if TYPE_CHECKING:
    from latentdiff.encoders import Encoder

WORDS = 25  # a side, of rivals that rank words: as many as five latents of ours have

Said = tuple[tuple[str, ...], ...]  # findings of one side, best first; a finding is its words


@dataclass(frozen=True, eq=False)
class Context:
    """What a rival may use beside the images.

    Attributes:
        encoder: of the sets; its text side.
        words: the vocabulary, centred, as our own names have it.
        raw_words: the same vocabulary with the text vectors as the encoder gives them.
        language: captioner and summariser.
        seed: of whatever is drawn.
        parent: what all images of the pair have in common; "" where nothing is.
        names: of the latents of the pool's SAE; for a rival that needs them.
        device: where a captioning model runs.
    """

    encoder: Encoder
    words: WordVectors
    raw_words: WordVectors
    language: LanguageSettings = field(default_factory=LanguageSettings)
    seed: int = 0
    parent: str = ""
    names: Sequence[LatentName] = ()
    device: str = "auto"


@dataclass(frozen=True)
class Answer:
    """What a method says of two sets; `Prediction` has the same fields and says whose and of which pair."""

    findings: Mapping[Side, Said]
    confirmed: Mapping[Side, tuple[bool, ...]] = field(default_factory=dict)
    abstained: bool = False
    captioned: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)


def best_words(scores: npt.NDArray[np.floating], words: Sequence[str], count: int = WORDS) -> list[int]:
    """Positions of the words that score highest, best first; plurals and spellings of one word count once.

    Args:
        scores: [words]; -inf where a word is out of the question.
        words: the vocabulary.
        count: how many.
    """
    chosen: dict[str, int] = {}
    for index in np.argsort(-scores, kind="stable"):
        if len(chosen) == count or scores[index] == -np.inf:
            break
        chosen.setdefault(fold(words[index]), int(index))
    return list(chosen.values())


def one_each(words: Iterable[str]) -> Said:
    """Ranked words as findings of one word."""
    return tuple((word,) for word in words)
