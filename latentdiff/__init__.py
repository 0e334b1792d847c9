"""How do two sets of images differ? In words, with evidence.

import latentdiff
result = latentdiff.compare("photos/2023", "photos/2024", out="report")
for finding in result.side("a"):
    print(finding.words, finding.status, finding.evidence and finding.evidence.difference)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from latentdiff.errors import LatentDiffError

if TYPE_CHECKING:
    from latentdiff import naming
    from latentdiff.embeddings import EmbeddingSet, embed, from_arrays, open_set
    from latentdiff.encoders import load_encoder
    from latentdiff.pipeline import CompareSettings, compare
    from latentdiff.report import word_verdict
    from latentdiff.result import ComparisonResult
    from sae_training import load as load_sae

__version__ = "0.1.0"

# Loaded on first use: torch takes seconds to import, and `--help` should not.
_WHERE = {
    "CompareSettings": "latentdiff.pipeline",
    "compare": "latentdiff.pipeline",
    "EmbeddingSet": "latentdiff.embeddings",
    "embed": "latentdiff.embeddings",
    "from_arrays": "latentdiff.embeddings",
    "open_set": "latentdiff.embeddings",
    "load_encoder": "latentdiff.encoders",
    "ComparisonResult": "latentdiff.result",
    "word_verdict": "latentdiff.report",
}

__all__ = [
    "CompareSettings",
    "ComparisonResult",
    "EmbeddingSet",
    "LatentDiffError",
    "compare",
    "embed",
    "from_arrays",
    "load_encoder",
    "load_sae",
    "naming",
    "open_set",
    "word_verdict",
]


def __getattr__(name: str) -> Any:
    if name == "load_sae":
        return import_module("sae_training").load
    if name == "naming":
        return import_module("latentdiff.naming")
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'latentdiff' has no attribute '{name}'")
