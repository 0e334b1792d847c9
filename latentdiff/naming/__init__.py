"""Latents to words: the vocabulary, its text vectors, and which words fit a direction (docs/methods.md, 2)."""

from latentdiff.naming.directions import DIRECTIONS, Firings
from latentdiff.naming.names import LatentName, Namer, name_directions, name_latents, naming_margins
from latentdiff.naming.texts import text_vectors
from latentdiff.naming.vectors import WordVectors, embed_vocabulary
from latentdiff.naming.vocabulary import NamingSettings, Vocabulary, build_vocabulary

__all__ = [
    "DIRECTIONS",
    "Firings",
    "LatentName",
    "Namer",
    "NamingSettings",
    "Vocabulary",
    "WordVectors",
    "build_vocabulary",
    "embed_vocabulary",
    "name_directions",
    "name_latents",
    "naming_margins",
    "text_vectors",
]
