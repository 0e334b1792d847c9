"""Latents to words: the vocabulary, its text vectors, and which words fit a direction (docs/methods.md, 2)."""

from latentdiff.naming.fidelity import Fidelity, naming_fidelity
from latentdiff.naming.names import LatentName, Namer, make_namer
from latentdiff.naming.texts import text_vectors
from latentdiff.naming.vectors import WordVectors, embed_vocabulary
from latentdiff.naming.vocabulary import NamingSettings, Vocabulary, build_vocabulary

__all__ = [
    "Fidelity",
    "LatentName",
    "Namer",
    "NamingSettings",
    "Vocabulary",
    "WordVectors",
    "build_vocabulary",
    "embed_vocabulary",
    "make_namer",
    "naming_fidelity",
    "text_vectors",
]
