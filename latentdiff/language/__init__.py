"""From images to captions, and from two lists of captions to the phrases that tell them apart."""

from __future__ import annotations

from latentdiff.language.captioners import CAPTIONERS, Captioner, load_captioner
from latentdiff.language.settings import LanguageSettings, LlmSettings
from latentdiff.language.summarisers import SUMMARISERS, Difference, Summariser, summarise

__all__ = [
    "CAPTIONERS",
    "SUMMARISERS",
    "Captioner",
    "Difference",
    "LanguageSettings",
    "LlmSettings",
    "Summariser",
    "load_captioner",
    "summarise",
]
