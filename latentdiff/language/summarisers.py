"""Summarisers: two lists of captions in, phrases that tell them apart out (docs/methods.md, 6).

A new one is a file and a line in `SUMMARISERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentdiff.language.llm import ask_llm
from latentdiff.language.phrases import Difference, contrastive_phrases
from latentdiff.registry import choose

if TYPE_CHECKING:
    from latentdiff.language.settings import LanguageSettings

Summarise = Callable[[Sequence[str], Sequence[str], "LanguageSettings"], list[Difference]]


@dataclass(frozen=True)
class Summariser:
    """A summariser as the registry knows it.

    Attributes:
        summarise: two lists of captions and the settings in, differences out, A's before B's.
        asks_endpoint: whether it sends captions to `language.llm`, which must then be set.
    """

    summarise: Summarise
    asks_endpoint: bool = False


SUMMARISERS: dict[str, Summariser] = {
    "phrases": Summariser(lambda a, b, settings: contrastive_phrases(a, b, settings.phrases)),
    "llm": Summariser(lambda a, b, settings: ask_llm(a, b, settings.llm, settings.phrases), asks_endpoint=True),
}


def summarise(captions_a: Sequence[str], captions_b: Sequence[str], settings: LanguageSettings) -> list[Difference]:
    """What the captions of A say more often than those of B, and the reverse; the best of each side first.

    Args:
        captions_a: captions of A's images; "" for none.
        captions_b: captions of B's images.
        settings: which summariser, and how many phrases per side.

    Raises:
        LatentDiffError: the language model cannot be reached, or does not answer to the point.
    """
    if not any(captions_a) and not any(captions_b):
        return []
    return choose("language.summariser", settings.summariser, SUMMARISERS).summarise(captions_a, captions_b, settings)
