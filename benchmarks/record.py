"""Writing a benchmark's figures down: with the command, the commit and the machine that produced them."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def record(name: str, figures: dict[str, Any], settings: dict[str, Any], encoder: str, part: str | None = None) -> Path:
    """Writes `benchmarks/NAME.json` and returns its path.

    Args:
        name: of the benchmark.
        figures: what was measured.
        settings: what it was measured with.
        encoder: fingerprint of the encoder.
        part: what of the benchmark these figures are; other parts in the file stay, each with its own command and date.
    """
    content: dict[str, Any] = {
        "benchmark": name,
        "figures": figures,
        "settings": settings,
        "encoder": encoder,
        "command": " ".join(["python", "-m", f"benchmarks.{name}", *sys.argv[1:]]),
        "commit": _commit(f"{name}.json"),
        "date": date.today().isoformat(),
        "machine": _machine(),
    }
    path = HERE / f"{name}.json"
    if part is not None:
        content = (json.loads(path.read_text()) if path.exists() else {}) | {part: content}
    path.write_text(json.dumps(content, indent=2) + "\n")
    return path


def share(hits: int, of: int) -> dict[str, Any]:
    """A share with its Wilson interval, as every table and JSON shows it."""
    from scipy.stats import binomtest

    interval = binomtest(hits, of).proportion_ci(method="wilson")
    return {"hits": hits, "of": of, "share": hits / of, "interval": [float(interval.low), float(interval.high)]}


def line(label: str, result: dict[str, Any]) -> str:
    """One printed row: label, hits, share with interval."""
    low, high = result["interval"]
    return f"  {label:<34} {result['hits']:>3} of {result['of']:<3} {result['share']:6.1%}  ({low:.0%} to {high:.0%})"


def _commit(written: str) -> str:
    """The commit, and whether anything differs from it but the file that is written."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=HERE, capture_output=True, text=True)
    dirty = subprocess.run(
        ["git", "status", "--porcelain", "-uno", ":/", f":!{written}"], cwd=HERE, capture_output=True, text=True
    )
    return head.stdout.strip() + (" with uncommitted changes" if dirty.stdout.strip() else "")


def _machine() -> dict[str, Any]:
    import torch

    return {
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "latentdiff": version("latentdiff"),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    names = [row for row in cpuinfo.read_text().splitlines() if "model name" in row] if cpuinfo.exists() else []
    return names[0].partition(":")[2].strip() if names else platform.processor()
