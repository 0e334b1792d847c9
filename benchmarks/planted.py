"""Rendered worlds: is the planted concept named? `make bench-planted`.

Twenty pairs of 1,000 everyday scenes a side, drawn by seed: one concept in 4 % of A only, another in 4 % of B only.
A side counts as right when any of the five words of one of its top five findings names the concept.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import latentdiff
from benchmarks.record import line, record, share
from latentdiff.hypotheses import SIDES, Finding, Side
from latentdiff.images.worlds import WORLDS
from latentdiff.naming.fold import fold
from latentdiff.result import ComparisonResult

IMAGES, SHARE, TOP = 1000, 0.04, 5


@dataclass(frozen=True)
class Pair:
    """The two set specifications and what is planted in each."""

    specs: dict[Side, str]
    planted: dict[Side, str]


def main() -> None:
    """Runs the benchmark, prints the table, writes benchmarks/planted.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--no-record", action="store_true", help="print only")
    options = parser.parse_args()
    encoder = latentdiff.load_encoder("mini")
    hits: dict[str, list[bool]] = {}
    for number in range(options.pairs):
        pair = draw_pair(number)
        result = latentdiff.compare(pair.specs["a"], pair.specs["b"], encoder=encoder)
        for side in SIDES:
            for label, right in judge(result, side, pair.planted[side]).items():
                hits.setdefault(label, []).append(right)
        said = "; ".join(f"{pair.planted[s]}: {_first(result, s)}" for s in SIDES)
        print(f"pair {number + 1}/{options.pairs}: {said}", flush=True)
    figures = {label: share(sum(right), len(right)) for label, right in hits.items()}
    for label, result_row in figures.items():
        print(line(label, result_row))
    if not options.no_record:
        record(
            "planted",
            figures,
            {"pairs": options.pairs, "images": IMAGES, "share": SHARE},
            encoder.fingerprint,
        )


def draw_pair(seed: int) -> Pair:
    """Two sets of everyday scenes with different random attributes planted; the same seed gives the same pair."""
    attributes = [c.name for c in WORLDS["everyday"].concepts if not c.is_parent]
    chosen = np.random.default_rng([seed, 2024]).permutation(attributes)[:2]
    planted: dict[Side, str] = {"a": str(chosen[0]), "b": str(chosen[1])}
    specs: dict[Side, str] = {}
    for side, other in (("a", "b"), ("b", "a")):
        here, there = planted[side].replace(" ", "_"), planted[other].replace(" ", "_")  # type: ignore[index]
        source_seed = 10_000 + 2 * seed + (side == "b")
        specs[side] = f"world:everyday?images={IMAGES}&seed={source_seed}&{here}={SHARE}&{there}=0"  # type: ignore[index]
    return Pair(specs, planted)


def judge(result: ComparisonResult, side: Side, concept: str) -> dict[str, bool]:
    """Whether each list's top five names the concept: with any of its words, and with the first word alone."""
    accepted = {fold(w) for c in WORLDS["everyday"].concepts if c.name == concept for w in c.words}

    def names_it(findings: Sequence[Finding], words: int | None) -> bool:
        said = [fold(w) for f in findings if f.side == side for w in f.words[:words]][: TOP * (words or 5)]
        return bool(accepted.intersection(said))

    def top(findings: Sequence[Finding]) -> list[Finding]:
        return [f for f in findings if f.side == side][:TOP]

    return {
        "concept branch, any of five words": names_it(top(result.proposed_by("sae_latents")), None),
        "concept branch, first word": names_it(top(result.proposed_by("sae_latents")), 1),
        "combined list, any of five words": names_it(top(result.findings), None),
        "combined list, first word": names_it(top(result.findings), 1),
    }


def _first(result: ComparisonResult, side: Side) -> str:
    return next((", ".join(f.words[:3]) for f in result.proposed_by("sae_latents") if f.side == side), "nothing")


if __name__ == "__main__":
    main()
