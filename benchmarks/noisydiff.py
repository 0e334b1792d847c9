"""Noisy-Diff on scenes and photographs, with its baselines: `make bench-noisydiff DATA=folder`.

Runs configs/noisydiff-worlds.yaml, -photos.yaml, -task.yaml and -shifts.yaml, and records the tables that count: hits,
differences on the same pairs, scarcity, mixes of the branches, truth of claims, leads, shifts, false alarms, cost. Each
set goes into the JSON by its name, with its own command, commit and date; `--only NAME` runs one.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.record import record
from latentdiff.encoders import load_encoder
from latentdiff.noisydiff.run.benchmark import run_all
from latentdiff.noisydiff.settings import read_settings
from latentdiff.progress import ProgressDisplay

CONFIGS = ("noisydiff-worlds.yaml", "noisydiff-photos.yaml", "noisydiff-task.yaml", "noisydiff-shifts.yaml")
TABLES = (
    "hits-synonym", "scarcity", "mixtures", "false-alarms", "precision", "claims", "leads", "shifts", "cost", "said",
)  # fmt: skip
AGAINST = "differences-"  # what the names of tables begin with that set one method against the others


def main() -> None:
    """Runs what is not answered yet, and writes benchmarks/noisydiff.json."""
    config_of = {one.name: config for config in CONFIGS for one in read_settings(config).sets}
    parser = command_line(__doc__)
    parser.add_argument("--only", metavar="SET", choices=list(config_of), help=f"of {', '.join(config_of)}")
    options = parser.parse_args()
    for name in [options.only] if options.only else config_of:
        given = [f"data.root={options.data}", *options.settings, f"only={name}"]
        settings = read_settings(config_of[name], given)
        with ProgressDisplay(Console(stderr=True)) as progress:
            print("\n".join(run_all(settings, progress=progress)), flush=True)
        tables = json.loads((Path(settings.out) / name / "tables.json").read_text(encoding="utf-8"))
        if not options.no_record:
            said = {"config": config_of[name], "settings": options.settings}
            record("noisydiff", chosen(tables), said, load_encoder(settings.encoder).fingerprint, name)


def command_line(about: str | None) -> argparse.ArgumentParser:
    """What this benchmark and its study are told: data, no_record, settings."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0] if about else None)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder of shards a data set")
    parser.add_argument("--no-record", action="store_true", help="print only")
    parser.add_argument("settings", nargs="*", help="over those of the files, as processes=2 pairs=5")
    return parser


def chosen(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The rows of the tables that count."""
    counts = {name: table for name, table in tables.items() if name in TABLES or name.startswith(AGAINST)}
    return {name: [short(row) for row in table["rows"]] for name, table in counts.items()}


def short(row: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers to four digits; chance has rows of its own."""
    kept = {key: value for key, value in row.items() if " chance, " not in key and not key.endswith(" pairs")}
    return {key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in kept.items()}


if __name__ == "__main__":
    main()
