"""Where models run: a device by its name, as all settings called `device` give it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latentdiff.errors import LatentDiffError

if TYPE_CHECKING:
    import torch


def find_device(name: str) -> torch.device:
    """The device of that name; "auto" is a GPU where there is one, else the CPU.

    Raises:
        LatentDiffError: there is no such device here.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise LatentDiffError(f"device '{name}' cannot be used here ({reason}); take cpu or auto") from error
    return device
