"""`load` a sparse autoencoder of this program or of another tool, `export` one for another tool."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from sae_training import hub
from sae_training.errors import SaeError
from sae_training.formats import dictionary_learning, msae, native, overcomplete, saelens, sparsify
from sae_training.formats.checkpoint import Checkpoint, Options, build, read
from sae_training.model import SparseAutoencoder

FORMATS: dict[str, ModuleType] = {  # of other tools
    "dictionary_learning": dictionary_learning,  # and sae_for_vlm
    "saelens": saelens,
    "sparsify": sparsify,
    "msae": msae,
    "overcomplete": overcomplete,
}
EXPORTS = ("dictionary_learning", "saelens")


def load(
    path: Path | str,
    device: str = "cpu",
    *,
    k: int | None = None,
    threshold: float | None = None,
    inference: str | None = None,
) -> SparseAutoencoder:
    """Read a sparse autoencoder: a folder that `save` wrote, or another tool's folder or file.

    Another tool's model computes that tool's codes, at inference and on raw rows. One whose codes depend on the batch,
    or whose threshold was never estimated, comes uncalibrated.

    Args:
        path: a folder, a file, or `hf-hub:owner/name`, with `/folder` behind it for a part of the repository.
        device: where its weights go.
        k: of another tool's file that does not say it: latents per row.
        threshold: instead of the file's: what a code must exceed (of overcomplete, as there: reach).
        inference: instead of the file's rule: `threshold`, `topk` ... (`sae_training/inference.py`).

    Raises:
        SaeError: nothing that can be read, damaged, or lacking what must then be given.
    """
    options = Options(k, threshold, inference)
    path = hub.fetch(str(path), _files_to_fetch()) if hub.is_remote(path) else Path(path).expanduser()
    if native.recognises(path):
        if any(option is not None for option in options):
            raise SaeError(f"{path} says all of itself: leave out k, threshold and inference")
        return native.load(path, device)
    checkpoint = read(_weights_file(path))
    for tool, form in FORMATS.items():
        if form.recognises(checkpoint):
            return build(tool, checkpoint.file, form.read(checkpoint), options).to(device)
    raise SaeError(
        f"{checkpoint.file} is of no tool that is read ({_tool_names()}); it holds {_tensor_names(checkpoint)}"
    )


def export(sae: SparseAutoencoder, folder: Path | str, form: str) -> None:
    """Write a model for another tool, which takes rows as stored: its codes are `sae.scale` times ours.

    Args:
        sae: calibrated.
        folder: where to; made where it is missing.
        form: "dictionary_learning" or "saelens".

    Raises:
        SaeError: no such form, or the tool has no such model.
    """
    if form not in EXPORTS:
        raise SaeError(f"cannot write for '{form}' (valid: {', '.join(EXPORTS)})")
    FORMATS[form].write(sae, Path(folder))


def _weights_file(path: Path) -> Path:
    """The file of another tool's weights that a path means."""
    if path.is_file():
        return path
    if path.is_dir():
        for form in FORMATS.values():
            for pattern in form.FILES:
                found = sorted(path.glob(pattern))
                if len(found) > 1:
                    several = ", ".join(str(file.relative_to(path)) for file in found[:5])
                    raise SaeError(f"{path} holds several files of weights ({several}): give one of them")
                if found:
                    return found[0]
    there = ", ".join(sorted(p.name for p in path.iterdir())[:5]) if path.is_dir() else "no such folder or file"
    there = there or "nothing"
    raise SaeError(
        f"{path} is no sparse autoencoder (found: {there}); read are this program's folders and {_tool_names()}"
    )


def _tool_names() -> str:
    return ", ".join(f"{tool} ({form.FILES[0]})" for tool, form in FORMATS.items())


def _tensor_names(checkpoint: Checkpoint) -> str:
    return ", ".join(map(str, list(checkpoint.content)[:5])) or "nothing"


def _files_to_fetch() -> list[str]:
    """Names of the files that may lie in a model's folder, of this program or of a tool."""
    settings = [getattr(form, name, None) for form in FORMATS.values() for name in ("CONFIG", "SCALER")]
    weights = [pattern for form in FORMATS.values() for pattern in form.FILES if "*" not in pattern]
    return [*native.FILES, *weights, *(name for name in settings if name)]
