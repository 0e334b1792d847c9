"""Our training of sparse autoencoders beside other tools': `make bench-sae` (ROWS=embeddings.npy for two of its parts).

`python -m benchmarks.sae speed memory` runs only these; each part is written down on its own in benchmarks/sae.json.
Times mean little on a machine that does anything else.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import sae_memory, sae_quality, sae_timing
from benchmarks.record import record
from benchmarks.sae_ours import OURS, superposed
from benchmarks.sae_peers import PEERS
from benchmarks.sae_quality import Field
from benchmarks.sae_tables import bar, show
from benchmarks.sae_timing import Bar, Shape, Times, ratio
from sae_training.pre_activations import has_fast_bf16
from sae_training.settings import TrainSettings

SETTINGS = TrainSettings()  # our defaults
SYNTHETIC = (20_000, 256)  # rows and width for fidelity, where no rows are given
FVU_LIMIT, L0_LIMIT, DEAD_LIMIT = 1.01, 0.02, 0.02
Figures = dict[str, Any]


def main() -> None:
    """Prints the tables and the bars, and writes benchmarks/sae.json."""
    options = read_options()
    field = Field(np.load(options.rows), SETTINGS, equal_steps=False) if options.rows else None
    for name in options.parts or PARTS:
        print(f"\n== {name}", flush=True)
        figures = PARTS[name](options, field)
        if figures and not options.no_record:
            said = {key: getattr(options, key) for key in ("rounds", "warmup", "steps")}
            said |= {"rows": options.rows.name if options.rows else "superposed", "peers": versions()}
            slow = name == "speed" and not has_fast_bf16(torch.device("cpu"))  # other bars can be looked at there
            record("sae", figures, said, "none: rows of numbers", part=name + ", no bf16 instructions" * slow)


def versions() -> dict[str, str]:
    """Of the other tools that are installed."""
    return {name: version(peer.package) for name, peer in PEERS.items() if peer.installed}


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all where none is named")
    parser.add_argument("--rows", type=Path, help="embeddings [n, d] as .npy: for defaults and seeds, and for fidelity")
    parser.add_argument("--rounds", type=int, default=15, help="steps of each tool that are timed")
    parser.add_argument("--warmup", type=int, default=3, help="steps of each tool before them")
    parser.add_argument("--steps", type=int, default=1000, help="of each training for fidelity")
    parser.add_argument("--no-record", action="store_true", help="print only")
    options = parser.parse_args()
    unknown = [name for name in options.parts if name not in PARTS]
    if unknown:
        parser.error(f"no part is called {', '.join(unknown)} (valid: {', '.join(PARTS)})")
    return options


def speed(options: argparse.Namespace, _: Field | None) -> Figures:
    """Steps at both shapes, on the processor; and at the first with Lightning around them."""
    found = {}
    for shape, bars in sae_timing.BARS.items():
        found[str(tuple(shape))] = timed(shape, sae_timing.steps_in_turn(shape, options.rounds, options.warmup), bars)
    shape = next(iter(sae_timing.BARS))
    times = sae_timing.lightning_and_bare(shape, options.rounds, options.warmup)
    return found | {"Lightning": timed(shape, times, sae_timing.LIGHTNING_BARS)}


def gpu(options: argparse.Namespace, _: Field | None) -> Figures:
    """Steps on a GPU."""
    if not torch.cuda.is_available():
        print("  skipped: there is no GPU here")
        return {}
    times = sae_timing.steps_in_turn(sae_timing.ON_GPU, options.rounds, options.warmup, "cuda")
    return {torch.cuda.get_device_name(): timed(sae_timing.ON_GPU, times, sae_timing.GPU_BARS)}


def timed(shape: Shape, times: Times, bars: Sequence[Bar]) -> Figures:
    """Prints and returns medians, ratios and bars."""
    bases = {"over the product": sae_timing.PRODUCT, "over ours": OURS, "over the bare loop": sae_timing.BARE}
    rows: dict[str, dict[str, float | None]] = {
        name: {"ms": 1000 * statistics.median(seconds)} for name, seconds in times.items()
    }
    for name, row in rows.items():
        row |= {title: ratio(times, name, base) for title, base in bases.items() if base in times}
    show(f"d {shape.d}, {shape.m} latents, {shape.rows} rows a step", rows)
    reached = [(one, ratio(times, one.above, one.below)) for one in bars]
    return {
        "steps": rows,
        "bars": [bar(f"{one.above} / {one.below}", value, one.limit, one.at_most) for one, value in reached],
    }


def memory(options: argparse.Namespace, _: Field | None) -> Figures:
    """The peak of each tool at the first shape."""
    shape = next(iter(sae_timing.BARS))
    found = sae_memory.peaks(shape, options.warmup, sae_timing.contenders(sae_timing.task_of(shape)))
    title = f"d {shape.d}, {shape.m} latents, {shape.rows} rows a step"
    show(title, {name: {"MiB": peak} for name, peak in found.items()})
    over = {name: found[OURS] / found[name] for name in PEERS if name in found}
    return {"MiB": found, "bars": [bar(f"{OURS} / {name}", over.get(name), 1.0) for name in PEERS]}


def fidelity(options: argparse.Namespace, field: Field | None) -> Figures:
    """FVU after the same batches, rate, schedule and steps."""
    source = field.source if field else superposed(*SYNTHETIC)
    found = sae_quality.fidelity(Field(source, replace(SETTINGS, steps=options.steps), equal_steps=True))
    show(f"rows {list(source.shape)}, {options.steps} steps each", found)
    over = {name: row["ours over it"] for name, row in found.items()}
    return {"tools": found, "bars": [bar(f"FVU, ours / {name}", over.get(name), FVU_LIMIT) for name in PEERS]}


def defaults(_: argparse.Namespace, field: Field | None) -> Figures:
    """Everyone's defaults in the time of ours."""
    if field is None:
        return without_rows()
    found, k = sae_quality.defaults(field), field.settings.k
    show(f"rows {list(field.source.shape)}, equal time", found)
    ours = found[sae_quality.OURS]
    bars = [bar(f"L0 on held-out rows, share off {k}", abs(ours["l0"] / k - 1), L0_LIMIT)]
    bars += [bar(f"{key} rows", ours[key], DEAD_LIMIT) for key in ("dead, held-out", "dead, training")]
    over = {name: ours["fvu"] / row["fvu"] for name, row in found.items()}
    return {"tools": found, "bars": bars + [bar(f"FVU, ours / {name}", over.get(name), 1.0) for name in PEERS]}


def seeds(_: argparse.Namespace, field: Field | None) -> Figures:
    """What two seeds agree on."""
    if field is None:
        return without_rows()
    found = sae_quality.seeds(field)
    show_agreement(found)
    return {"tools": found}


def agreement(_: argparse.Namespace, field: Field | None) -> Figures:
    """What makes two seeds of ours agree on more."""
    if field is None:
        return without_rows()
    found = sae_quality.what_raises(field.source, field.settings)
    show_agreement(found)
    return {"changes": found}


def show_agreement(found: Mapping[str, Mapping[str, Any]]) -> None:
    """Prints shares of latents."""
    print("  latents found with another seed too: of all that fire; and by tenths of these, the rarest first")
    for name, row in found.items():
        fvu = f"   FVU {row['fvu']:.4f}" if "fvu" in row else ""
        print(f"  {name:<34}{row['all']:>8.1%}   " + " ".join(f"{share:4.0%}" for share in row["by density"]) + fvu)


def without_rows() -> Figures:
    """Says that there is nothing to train on."""
    print("  skipped: name embeddings with --rows FILE.npy")
    return {}


PARTS: dict[str, Callable[[argparse.Namespace, Field | None], Figures]] = {
    "speed": speed,
    "memory": memory,
    "fidelity": fidelity,
    "defaults": defaults,
    "seeds": seeds,
    "agreement": agreement,
    "gpu": gpu,
}

if __name__ == "__main__":
    main()
