"""Seconds of the concept stage beside another checkout's: `python -m benchmarks.concept_stage --beside CHECKOUT`.

2 x 100,000 rows of width 384, the bundled SAE, no density ratio. The stage is all that follows "codes": names, the
latents compared, words, verification. The two checkouts answer in turn, each in a process of its own; the ratio of
the medians counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import latentdiff
from benchmarks.record import record

ROWS, SCENES, NOISE, PLANTED = 100_000, 2_000, 0.5, 0.01
BEFORE = ("embedding", "sparse autoencoder", "codes", "total")  # stages of `run.json` that are not the concept stage

_COMPARE = """
import json, sys
from dataclasses import replace
import numpy as np
import latentdiff
settings = latentdiff.CompareSettings()
if hasattr(settings.density, "enabled"):
    settings = replace(settings, density=replace(settings.density, enabled=False))
else:
    settings = replace(settings, proposers=("sae_latents",))
encoder = latentdiff.load_encoder("mini")
sets = [latentdiff.from_arrays(np.load(path, mmap_mode="r"), encoder=encoder.fingerprint) for path in sys.argv[1:3]]
settings = replace(settings, sae=replace(settings.sae, minimum_rows=10**9))  # the bundled one
result = latentdiff.compare(*sets, encoder=encoder, settings=settings)
words = [[f.side, list(f.words)] for f in result.findings]
print(json.dumps({"seconds": result.run["seconds"], "peak_memory": result.run["peak_memory"], "words": words}))
"""


def main() -> None:
    """Runs both, prints the figures, writes benchmarks/concept_stage.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--beside", type=Path, required=True, help="a checkout of the commit to compare with")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-record", action="store_true", help="print only")
    options = parser.parse_args()
    checkouts = {"here": Path.cwd(), "beside": options.beside}
    answers: dict[str, list[dict]] = {name: [] for name in checkouts}
    with tempfile.TemporaryDirectory() as folder:
        files = write_rows(Path(folder))
        for number in range(options.rounds):
            for name, checkout in checkouts.items():
                command = [sys.executable, "-c", _COMPARE, *map(str, files)]
                done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True)
                answers[name].append(json.loads(done.stdout.splitlines()[-1]))
                seconds = answers[name][-1]["seconds"]
                print(f"round {number + 1}, {name}: {stage(seconds):.1f} s of the concept stage {seconds}", flush=True)
    figures = {
        name: {
            "concept stage, seconds": statistics.median(stage(one["seconds"]) for one in own),
            "stages": own[-1]["seconds"],
            "peak memory, MB": round(statistics.median(one["peak_memory"] for one in own) / 1e6),
        }
        for name, own in answers.items()
    }
    ratio = figures["here"]["concept stage, seconds"] / figures["beside"]["concept stage, seconds"]
    same = answers["here"][-1]["words"] == answers["beside"][-1]["words"]
    print(f"here / beside: {ratio:.2f}; the same words: {same}")
    if not options.no_record:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=options.beside, capture_output=True, text=True)
        sys.argv = [word if word != str(options.beside) else "CHECKOUT" for word in sys.argv]
        measured = {**figures, "ratio": round(ratio, 3), "the same words": same}
        settings = {"rows a side": ROWS, "beside": head.stdout.strip(), "rounds": options.rounds}
        record("concept_stage", measured, settings, latentdiff.load_encoder("mini").fingerprint)


def stage(seconds: dict[str, float]) -> float:
    """Seconds of all that follows "codes"."""
    return sum(value for key, value in seconds.items() if key not in BEFORE)


def write_rows(folder: Path) -> list[Path]:
    """Two sets of rows near those of rendered scenes; one scene in 1 % more of each, another one for each."""
    encoder = latentdiff.load_encoder("mini")
    scenes = latentdiff.embed(f"world:everyday?images={SCENES}&seed=9", encoder).rows(slice(None))
    spread = scenes.std(0)
    files = []
    for side in range(2):
        draw = np.random.default_rng(side)
        chosen = draw.integers(0, SCENES, ROWS)
        chosen[: int(PLANTED * ROWS)] = side
        rows = scenes[chosen] + NOISE * spread * draw.standard_normal((ROWS, scenes.shape[1]), dtype=np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        files.append(folder / f"{side}.npy")
        np.save(files[-1], rows.astype(np.float32))
    return files


if __name__ == "__main__":
    main()
