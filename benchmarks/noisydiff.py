"""Noisy-Diff on scenes and photographs, with its rivals: `make bench-noisydiff DATA=folder`.

Runs configs/noisydiff-worlds.yaml and configs/noisydiff-photos.yaml, and records the tables that count: hits,
differences on the same pairs, scarcity, mixes of the branches, false alarms, cost. Each set goes into the JSON by its
name, with its own command, commit and date; `--only NAME` runs one.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.record import record
from latentdiff.encoders import load_encoder
from latentdiff.noisydiff.benchmark import run_all
from latentdiff.noisydiff.settings import read_settings
from latentdiff.progress import Progress

CONFIGS = ("noisydiff-worlds.yaml", "noisydiff-photos.yaml")
TABLES = ("hits-synonym", "scarcity", "differences-concept", "differences-combined", "mixtures", "false-alarms")
TABLES += ("cost", "said")


def main() -> None:
    """Runs what is not answered yet, and writes benchmarks/noisydiff.json."""
    options = read_options(__doc__)
    for config in CONFIGS:
        if options.only and options.only not in {one.name for one in read_settings(config, []).sets}:
            continue
        chosen_set = [f"only={options.only}"] if options.only else []
        settings = read_settings(config, [f"data.root={options.data}", *chosen_set, *options.settings])
        for one in settings.chosen_sets():
            with Progress(Console(stderr=True)) as progress:
                lines = run_all(replace(settings, only=one.name), progress=progress)
            print("\n".join(lines), flush=True)
            tables = json.loads((Path(settings.out) / one.name / "tables.json").read_text(encoding="utf-8"))
            if not options.no_record:
                said = {"config": config, "settings": options.settings}
                record("noisydiff", chosen(tables), said, load_encoder(settings.encoder).fingerprint, one.name)


def read_options(about: str | None) -> argparse.Namespace:
    """The command line of this benchmark and of its study: data, no_record, settings."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0] if about else None)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder of shards a data set")
    parser.add_argument("--no-record", action="store_true", help="print only")
    parser.add_argument("--only", metavar="SET", help="run this set of images alone")
    parser.add_argument("--part", default="all settings", help="of the study: what its figures are called in the JSON")
    parser.add_argument("settings", nargs="*", help="over those of the files, as processes=2 pairs=5")
    return parser.parse_args()


def chosen(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The rows of the tables that count."""
    return {name: [short(row) for row in tables[name]["rows"]] for name in TABLES if name in tables}


def short(row: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers to four digits; chance has rows of its own."""
    kept = {key: value for key, value in row.items() if " chance, " not in key and not key.endswith(" pairs")}
    return {key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in kept.items()}


if __name__ == "__main__":
    main()
