"""Latents to words: the vocabulary, its text vectors, and which words fit a direction (docs/methods.md, 2)."""

from latentdiff.naming.names import LatentName, exemplar_directions, name_directions, naming_margins
from latentdiff.naming.vectors import WordVectors, embed_vocabulary
from latentdiff.naming.vocabulary import NamingSettings, Vocabulary, build_vocabulary

__all__ = [
    "LatentName",
    "NamingSettings",
    "Vocabulary",
    "WordVectors",
    "build_vocabulary",
    "embed_vocabulary",
    "exemplar_directions",
    "name_directions",
    "naming_margins",
]
