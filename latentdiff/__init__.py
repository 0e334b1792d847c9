"""How do two sets of images differ? In words, with evidence.

import latentdiff
result = latentdiff.compare("photos/2023", "photos/2024", out="report")
for finding in result.side("a"):
    print(finding.words, finding.judged.difference, finding.judged.q_value)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from latentdiff.errors import LatentDiffError

if TYPE_CHECKING:
    from latentdiff import naming
    from latentdiff.comparison import CompareSettings, compare
    from latentdiff.embeddings import EmbeddingSet, embed, from_arrays, open_set
    from latentdiff.encoders import load_encoder
    from sae_training import load as load_sae

__version__ = "0.1.0"

# Loaded on first use: torch takes seconds to import, and `--help` should not.
_WHERE = {
    "CompareSettings": "latentdiff.comparison",
    "compare": "latentdiff.comparison",
    "EmbeddingSet": "latentdiff.embeddings",
    "embed": "latentdiff.embeddings",
    "from_arrays": "latentdiff.embeddings",
    "open_set": "latentdiff.embeddings",
    "load_encoder": "latentdiff.encoders",
}

__all__ = [
    "CompareSettings",
    "EmbeddingSet",
    "LatentDiffError",
    "compare",
    "embed",
    "from_arrays",
    "load_encoder",
    "load_sae",
    "naming",
    "open_set",
]


def __getattr__(name: str) -> Any:
    if name == "load_sae":
        return import_module("sae_training").load
    if name == "naming":
        return import_module("latentdiff.naming")
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'latentdiff' has no attribute '{name}'")
