"""Image and text encoders behind one protocol."""

from __future__ import annotations

import difflib
from pathlib import Path

from latentdiff.encoders.protocol import Encoder
from latentdiff.errors import LatentDiffError

__all__ = ["Encoder", "load_encoder"]

MINI = Path(__file__).parent / "mini"
PRECISIONS = ("auto", "float32", "bfloat16")


def load_encoder(name: str = "mini", device: str = "cpu", precision: str = "auto") -> Encoder:
    """A frozen encoder by name.

    Args:
        name: `mini` (bundled, works offline), `ARCHITECTURE/TAG` of open_clip (`ViT-L-14/openai`; a path to a
            checkpoint may stand for the tag), `hf-hub:ORG/NAME`, `local-dir:PATH`, or the path of such a folder.
        device: `cpu`, `cuda`, `cuda:1`, ...; `auto` takes a GPU where there is one.
        precision: of the image tower: `float32`, `bfloat16` (autocast), or `auto`: bfloat16 on a GPU, else float32.

    Raises:
        LatentDiffError: no such model, or it cannot be had; says what was tried. Nothing else is taken instead.
    """
    from latentdiff.encoders.openclip import OpenClipEncoder

    if precision not in PRECISIONS:
        raise LatentDiffError(f"precision '{precision}' is none of {', '.join(PRECISIONS)}")
    if name == "mini":
        return OpenClipEncoder.load("mini", f"local-dir:{MINI}", None, device, precision)
    if name.startswith("hf-hub:"):
        return OpenClipEncoder.load(name, name, None, device, precision)
    folder = Path(name.removeprefix("local-dir:")).expanduser()
    if folder.is_dir() or name.startswith("local-dir:"):
        return OpenClipEncoder.load(_folder_name(folder), f"local-dir:{folder}", None, device, precision)
    architecture, tag = _architecture_and_tag(name)
    return OpenClipEncoder.load(name, architecture, tag, device, precision)


def _folder_name(folder: Path) -> str:
    """A model is the same wherever its folder lies, so the last part of the path names it."""
    if not (folder / "open_clip_config.json").is_file():
        what = "has no open_clip_config.json" if folder.is_dir() else "is no folder"
        raise LatentDiffError(f"cannot load an encoder from {folder}: it {what} (open_clip's local-dir format)")
    return folder.resolve().name


def _architecture_and_tag(name: str) -> tuple[str, str]:
    import open_clip

    architecture, _, tag = name.partition("/")
    known = open_clip.list_models()
    if architecture not in known:
        folded = {entry.lower(): entry for entry in [*known, "mini"]}
        near = [folded[entry] for entry in difflib.get_close_matches(architecture.lower(), folded, n=3, cutoff=0.5)]
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise LatentDiffError(
            f"unknown encoder '{name}'{hint} (mini, one of open_clip's {len(known)} architectures as NAME/TAG, "
            "hf-hub:ORG/NAME, or a folder)"
        )
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    if tag not in tags and not Path(tag).is_file():
        what = f"has no weights '{tag}'" if tag else "needs the name of its weights"
        raise LatentDiffError(
            f"encoder '{architecture}' {what}; write {architecture}/TAG with TAG one of {', '.join(tags)}"
        )
    return architecture, tag
