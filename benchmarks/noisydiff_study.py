"""Which settings win: `python -m benchmarks.noisydiff_study --data folder`, one set with `only=tiny_imagenet`.

Some settings alone go by a name of their own into the same file: `--part naming 'vary.naming.source=[decoder]'`.

Pairs of training images answered again with one setting changed at a time (configs/noisydiff-study.yaml); what was
chosen by it stands in benchmarks/noisydiff.md, and what the chosen settings reach on held-out images in noisydiff.json.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.noisydiff import read_options, short
from benchmarks.record import record
from latentdiff.encoders import load_encoder
from latentdiff.noisydiff.settings import read_variants
from latentdiff.noisydiff.sweep import sweep_all
from latentdiff.progress import Progress

CONFIG = "noisydiff-study.yaml"


def main() -> None:
    """Runs what is not answered yet, and writes benchmarks/noisydiff_study.json."""
    options = read_options(__doc__)
    settings, variants = read_variants(CONFIG, [f"data.root={options.data}", *options.settings])
    with Progress(Console(stderr=True)) as progress:
        print("\n".join(sweep_all(settings, variants, progress)))
    figures: dict[str, Any] = {}
    for one in settings.chosen_sets():
        tables = json.loads((Path(settings.out) / one.name / "sweep" / "tables.json").read_text(encoding="utf-8"))
        figures[one.name] = {table["title"]: [short(row) for row in table["rows"]] for table in tables.values()}
    if not options.no_record:
        said = {"config": CONFIG, "settings": options.settings}
        record("noisydiff_study", figures, said, load_encoder(settings.encoder).fingerprint, options.part)


if __name__ == "__main__":
    main()
