"""Which settings win: `python -m benchmarks.noisydiff_study --data folder`, one set with `only=tiny_imagenet`.

Pairs of training images answered again with one setting changed at a time (configs/noisydiff-study.yaml; a part of it:
'vary.naming.source=[decoder]'). Each setting on each set goes into the JSON by their names, with its own command
and commit. What was chosen stands in benchmarks/noisydiff.md, what it reaches on held-out images in noisydiff.json.
"""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from benchmarks.noisydiff import command_line, short
from benchmarks.record import record
from latentdiff.encoders import load_encoder
from latentdiff.noisydiff.run.sweep import sweep_all
from latentdiff.noisydiff.settings import read_variants
from latentdiff.progress import ProgressDisplay

CONFIG = "noisydiff-study.yaml"


def main() -> None:
    """Runs what is not answered yet, and writes benchmarks/noisydiff_study.json."""
    options = command_line(__doc__).parse_args()
    settings, variants = read_variants(CONFIG, [f"data.root={options.data}", *options.settings])
    with ProgressDisplay(Console(stderr=True)) as progress:
        print("\n".join(sweep_all(settings, variants, progress)))
    if options.no_record:
        return
    said = {"config": CONFIG, "settings": options.settings}
    encoder = load_encoder(settings.encoder).fingerprint
    for one in settings.chosen_sets():
        tables = json.loads((Path(settings.out) / one.name / "sweep" / "tables.json").read_text(encoding="utf-8"))
        for table in tables.values():
            rows = [short(row) for row in table["rows"]]
            record("noisydiff_study", {"rows": rows}, said, encoder, f"{one.name}, {table['title']}")


if __name__ == "__main__":
    main()
