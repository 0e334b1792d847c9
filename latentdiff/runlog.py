"""What a run was: command, versions, times and memory, for `run.json`."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("latentdiff", "torch", "lightning", "open_clip_torch", "numpy", "scipy", "transformers")


class RunLog:
    """Collects the times of a run's stages.

    Args:
        command: what to type to repeat the run; "" for a call from Python.
    """

    def __init__(self, command: str) -> None:
        self._command = command
        self._started = datetime.now(UTC)
        self._clock = time.perf_counter()
        self._seconds: dict[str, float] = {}

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Counts the block's seconds for a stage."""
        start = time.perf_counter()
        yield
        self._seconds[stage] = round(time.perf_counter() - start, 3)

    def finish(self, **facts: Any) -> Mapping[str, Any]:
        """Plain values for JSON; times in seconds, memory in bytes."""
        return {
            "command": self._command,
            "started": self._started.isoformat(timespec="seconds"),
            "seconds": {**self._seconds, "total": round(time.perf_counter() - self._clock, 3)},
            "peak_memory": _peak_memory(),
            "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
            "platform": platform.platform(terse=True),
            **facts,
        }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _peak_memory() -> int:
    """Of this process; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
