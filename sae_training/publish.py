"""`push` a model to the Hugging Face Hub, with a README that says what it is."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sae_training.exchange import load
from sae_training.hub import PREFIX, errors_in_one_line
from sae_training.model import SparseAutoencoder


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
        sae = load(sae)
    api = HfApi()
    with tempfile.TemporaryDirectory() as folder:
        sae.save(folder)
        (Path(folder) / "README.md").write_text(model_card(sae, repository), encoding="utf-8")
        with errors_in_one_line(f"cannot push to {repository}", "check the name, the connection and `hf auth login`"):
            made = api.create_repo(repository, private=private, exist_ok=True)
            api.upload_folder(repo_id=repository, folder_path=folder, commit_message="Sparse autoencoder")
    return str(made)


def model_card(sae: SparseAutoencoder, repository: str) -> str:
    """What the model is, its measures and how to load it, as the Hub's README."""
    d_in, latents = sae.d_in, sae.num_latents
    facts = {
        "takes rows of width": d_in,
        "latents": latents,
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

A sparse autoencoder: rows of {d_in} numbers (image embeddings) to sparse codes over {latents} latents, and back.

| | |
|---|---|
{table}

```python
import sae_training

sae = sae_training.load("{PREFIX}{repository}")
codes = sae.encode(rows)  # [n, {d_in}], as the encoder above gives them, at unit length
```

`python compare.py --a A --b B --sae {PREFIX}{repository}` compares two sets of images with it.
"""
