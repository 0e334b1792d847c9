"""Summarisers: two lists of captions in, phrases that tell them apart out (docs/methods.md, 6).

A new one is a file and a line in `SUMMARISERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from latentdiff.language.llm import ask_llm
from latentdiff.language.phrases import Difference, contrastive_phrases
from latentdiff.language.settings import LanguageSettings
from latentdiff.registry import choose

SUMMARISERS: dict[str, Callable[[Sequence[str], Sequence[str], LanguageSettings], list[Difference]]] = {
    "phrases": lambda captions_a, captions_b, settings: contrastive_phrases(captions_a, captions_b, settings.phrases),
    "llm": lambda captions_a, captions_b, settings: ask_llm(captions_a, captions_b, settings.llm, settings.phrases),
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
    return choose("language.summariser", settings.summariser, SUMMARISERS)(captions_a, captions_b, settings)
