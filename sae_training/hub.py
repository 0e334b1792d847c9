"""Models on the Hugging Face Hub: `push` and, behind `load("hf-hub:owner/name")`, `fetch`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sae_training.errors import SaeError

if TYPE_CHECKING:
    from sae_training.model import SparseAutoencoder

PREFIX = "hf-hub:"  # as open_clip spells it


def is_remote(path: Path | str) -> bool:
    """Whether a path is meant on the Hub."""
    return str(path).startswith(PREFIX)


def fetch(address: str, names: Sequence[str]) -> Path:
    """Download a model's files, or take them from the cache.

    Args:
        address: `hf-hub:owner/name`, with `/folder` or `/file` behind it for a part of the repository.
        names: of the files that may lie in the folder; no others are fetched.

    Raises:
        SaeError: no such repository or no connection.
    """
    from huggingface_hub import snapshot_download

    parts = address.removeprefix(PREFIX).strip("/").split("/")
    repository, inside = "/".join(parts[:2]), "/".join(parts[2:])
    wanted = [f"{inside}/{name}" if inside else name for name in names]
    with _plainly(f"cannot fetch {repository}", "check the name and the connection, or give a folder"):
        folder = Path(snapshot_download(repository, allow_patterns=[*wanted, *([inside] if inside else [])]))
    return folder / inside


def push(sae: SparseAutoencoder | Path | str, repository: str, private: bool = False) -> str:
    """Upload a model, in this program's format, with a README; `load("hf-hub:owner/name")` reads it.

    All that its `sae.yaml` says is uploaded, the description of the training data included.

    Args:
        sae: a model, or where `load` finds one.
        repository: "owner/name"; made where it is missing.
        private: whether others may not see it, where it is made.

    Returns:
        Its address on the web.

    Raises:
        SaeError: not allowed, no connection, or nothing to load.
    """
    from huggingface_hub import HfApi

    if isinstance(sae, (str, Path)):
        from sae_training.formats import load

        sae = load(sae)
    api = HfApi()
    with tempfile.TemporaryDirectory() as folder:
        sae.save(folder)
        (Path(folder) / "README.md").write_text(model_card(sae, repository), encoding="utf-8")
        with _plainly(f"cannot push to {repository}", "check the name, the connection and `hf auth login`"):
            made = api.create_repo(repository, private=private, exist_ok=True)
            api.upload_folder(repo_id=repository, folder_path=folder, commit_message="Sparse autoencoder")
    return str(made)


def model_card(sae: SparseAutoencoder, repository: str) -> str:
    """What the model is, its measures and how to load it, as the Hub's README."""
    facts = {
        "takes rows of width": sae.d,
        "latents": sae.m,
        "latents per row aimed at": sae.k,
        "sparsity in training": sae.metadata.variant,
        "rule of inference": sae.metadata.inference if sae.calibrated else f"{sae.metadata.inference}, not calibrated",
        "encoder": sae.metadata.fingerprint or "not known",
        "trained on": sae.metadata.training.get("description") or "not known",
        **{name.replace("_", " "): f"{value:.4g}" for name, value in sae.metadata.measures.items()},
    }
    table = "\n".join(f"| {name} | {str(value).replace('|', '/')} |" for name, value in facts.items())
    return f"""---
library_name: latentdiff
tags: [sparse-autoencoder, latentdiff]
---

# {repository.split("/")[-1]}

A sparse autoencoder: rows of {sae.d} numbers (image embeddings) to sparse codes over {sae.m} latents, and back.

| | |
|---|---|
{table}

```python
import sae_training

sae = sae_training.load("{PREFIX}{repository}")
codes = sae.encode(rows)  # [n, {sae.d}], as the encoder above gives them, at unit length
```

`python compare.py --a A --b B --sae {PREFIX}{repository}` compares two sets of images with it.
"""


@contextmanager
def _plainly(what: str, remedy: str) -> Iterator[None]:
    """Whatever goes wrong between here and the Hub, in one line."""
    from huggingface_hub.errors import HfHubHTTPError

    # its bases are the errors of the client beneath, which is not the same in all versions
    errors: tuple[type[BaseException], ...] = (*HfHubHTTPError.__bases__, OSError, ValueError, RuntimeError)
    try:
        yield
    except errors as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise SaeError(f"{what} ({reason[:200]}): {remedy}") from None
