"""Callbacks of a run: progress, early end, and checkpoints from which it resumes to the same bits."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import torch

from sae_training import distributed
from sae_training.errors import SaeError
from sae_training.files import replacing
from sae_training.progress import Progress

MINIMUM_FVU_IMPROVEMENT = 1e-4
MAXIMUM_DIFFERENCES_SHOWN = 3
log = logging.getLogger(__name__)


class ProgressCallback(lightning.Callback):
    """Tells `progress` how many steps are done."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def on_train_batch_end(self, trainer: Any, module: Any, *_: Any) -> None:
        """After each step."""
        self.progress("training the sparse autoencoder", trainer.global_step, module.end)


class PatienceCallback(lightning.Callback):
    """Ends a run whose held-out FVU stops improving, at the next validation check; until then the rate falls to 0.

    The rate falls first because a model taken at full rate keeps the noise of its last steps.

    Args:
        checks: validation checks without a better FVU.
    """

    def __init__(self, checks: int) -> None:
        self.checks, self.waited, self.best = checks, 0, math.inf
        self.ending: tuple[int, int] | None = None  # the steps between which the rate falls early

    def on_train_start(self, trainer: Any, module: Any) -> None:
        """A resumed run may be ending already."""
        if self.ending:
            module.end_early(*self.ending)

    def on_validation_end(self, trainer: Any, module: Any) -> None:
        """Compare the FVU with the best so far, and start the end where it has not improved for long enough."""
        step, fvu = trainer.global_step, float(trainer.callback_metrics["held_out/fvu"])
        better = fvu < self.best - MINIMUM_FVU_IMPROVEMENT
        self.best, self.waited = (fvu, 0) if better else (self.best, self.waited + 1)
        last = step + trainer.val_check_batch
        if last < module.end and distributed.anywhere(torch.tensor(self.waited >= self.checks, device=module.device)):
            self.ending = (step, last)
            module.end_early(*self.ending)

    def on_train_batch_end(self, trainer: Any, module: Any, *_: Any) -> None:
        """Stop at the early end."""
        if trainer.global_step >= module.end:
            trainer.should_stop = True

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {"waited": self.waited, "best": self.best, "ending": self.ending}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore it."""
        self.waited, self.best, self.ending = (state_dict[name] for name in ("waited", "best", "ending"))


class CheckpointCallback(lightning.Callback):
    """Writes a checkpoint every `every` steps over the one before; a full disk leaves that one intact.

    Args:
        path: of the file.
        every: steps.
    """

    def __init__(self, path: Path, every: int) -> None:
        self.path, self.every, self.written = path, every, 0

    def on_train_start(self, trainer: Any, *_: Any) -> None:
        """Count from the step at which a run starts or resumes."""
        self.written = trainer.global_step

    def on_train_batch_end(self, trainer: Any, module: Any, *_: Any) -> None:
        """Write when due; not after the last step, nor before a validation check, which a resumed run would skip."""
        step = trainer.global_step
        if step < self.written + self.every or step % trainer.val_check_batch == 0 or step >= module.end:
            return
        self.written = step
        if not trainer.is_global_zero:
            trainer.save_checkpoint(self.path)  # writes nothing, but every process must take part
            return
        try:
            with replacing(self.path) as temporary:
                trainer.save_checkpoint(temporary)
        except (OSError, RuntimeError) as error:  # torch says RuntimeError where the disk is full
            kept = "the one before is kept" if self.path.exists() else "there is none before it"
            raise SaeError(
                f"cannot write the checkpoint {self.path} at step {step} ({_reason(error)}), {kept}: "
                "make space, then give the same command again"
            ) from None


def find_checkpoint(path: Path, run: Mapping[str, Any]) -> Path | None:
    """The checkpoint from which a run resumes, if there is one.

    Args:
        path: where it would be.
        run: `rows`, `steps` and `settings` of this run.

    Raises:
        SaeError: it is damaged, or of another run; says what differs. The file is left as it is.
    """
    if not path.exists():
        return None
    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)["run"]
    except Exception as error:  # a damaged or unrelated file can make the reader raise anything
        raise SaeError(
            f"cannot read the checkpoint {path} ({_reason(error)}): remove it to train from the start"
        ) from None
    if differing := _differing(found, run):
        hidden = len(differing) - MAXIMUM_DIFFERENCES_SHOWN
        shown = differing[:MAXIMUM_DIFFERENCES_SHOWN] + ([f"{hidden} more"] if hidden > 0 else [])
        raise SaeError(
            f"{path} is the checkpoint of another run ({'; '.join(shown)}): "
            "remove it to train from the start, or choose another folder"
        )
    log.info("training goes on from %s", path)
    return path


def _differing(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """The differences between two runs, in words."""
    a, b = ({**run.get("settings", {}), "steps": run.get("steps")} for run in (there, here))
    keys = sorted(key for key in {*a, *b} if (key in a) != (key in b) or a.get(key) != b.get(key))
    rows = ["other rows"] if there.get("rows") != here.get("rows") else []
    return rows + [f"{key}: {_shown(a, key)} there, {_shown(b, key)} here" for key in keys]


def _shown(settings: Mapping[str, Any], key: str) -> str:
    return repr(settings[key]) if key in settings else "unknown"  # a setting that the other version does not have


def _reason(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
