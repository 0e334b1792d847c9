"""The Hugging Face Hub: what `load("hf-hub:owner/name")` fetches; `publish.py` pushes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sae_training.errors import SaeError

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
    with errors_in_one_line(f"cannot fetch {repository}", "check the name and the connection, or give a folder"):
        folder = Path(snapshot_download(repository, allow_patterns=[*wanted, *([inside] if inside else [])]))
    return folder / inside


@contextmanager
def errors_in_one_line(what: str, remedy: str) -> Iterator[None]:
    """Turn what the Hub's client raises into an `SaeError`.

    Args:
        what: failed.
        remedy: what the user can do.
    """
    from huggingface_hub.errors import HfHubHTTPError

    # its bases are the errors of the client beneath, which is not the same in all versions
    errors: tuple[type[BaseException], ...] = (*HfHubHTTPError.__bases__, OSError, ValueError, RuntimeError)
    try:
        yield
    except errors as error:
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise SaeError(f"{what} ({reason[:200]}): {remedy}") from None
