"""Error control: random halves of one set, and the same sizes with something planted. `make bench-halves`.

Fifty times 2,000 everyday scenes are cut into random halves: how often does each branch claim a difference? Then, at
the same size, one concept is in 5 % of one half only, a different one each time: how often is that seen?
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

import latentdiff
from benchmarks.record import line, record, share
from latentdiff.hypotheses import Status
from latentdiff.images.worlds import WORLDS
from latentdiff.naming import NamingSettings
from latentdiff.pipeline import CompareSettings
from latentdiff.result import ComparisonResult
from latentdiff.verification import VerifySettings

IMAGES, SHARE = 1000, 0.05


def main() -> None:
    """Runs the benchmark, prints the table, writes benchmarks/halves.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--no-record", action="store_true", help="print only")
    options = parser.parse_args()
    encoder = latentdiff.load_encoder("mini")
    pool = latentdiff.embed(f"world:everyday?images={2 * IMAGES}&seed=5000", encoder)
    rich = latentdiff.embed(f"world:everyday?images={4 * IMAGES}&seed=6000", encoder)
    held_back = replace(CompareSettings(), naming=NamingSettings(words=500, things=0))
    everything = replace(held_back, verify=VerifySettings(enabled=False))
    claims: dict[str, list[bool]] = {}
    for title, pairs in (
        ("halves of one set", halves(pool, options.seeds)),
        ("5 % planted", planted(rich, options.seeds)),
    ):
        for a, b in pairs:
            plain = latentdiff.compare(a, b, encoder=encoder, settings=everything)
            verified = latentdiff.compare(a, b, encoder=encoder, settings=held_back)
            for label, claim in claimed(plain, verified).items():
                claims.setdefault(f"{title}: {label}", []).append(claim)
    figures = {label: share(sum(made), len(made)) for label, made in claims.items()}
    for label, made in figures.items():
        print(line(label, made))
    if not options.no_record:
        record(
            "halves",
            figures,
            {"seeds": options.seeds, "images": IMAGES, "share": SHARE},
            encoder.fingerprint,
        )


def halves(
    pool: latentdiff.EmbeddingSet, seeds: int
) -> Iterator[tuple[latentdiff.EmbeddingSet, latentdiff.EmbeddingSet]]:
    """Random halves of one set."""
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(pool.n)
        yield pool.select(order[:IMAGES]), pool.select(order[IMAGES:])


def planted(
    rich: latentdiff.EmbeddingSet, seeds: int
) -> Iterator[tuple[latentdiff.EmbeddingSet, latentdiff.EmbeddingSet]]:
    """Two random samples without a concept, 5 % of the first replaced by images that show it."""
    attributes = [c.name for c in WORLDS["everyday"].concepts if not c.is_parent]
    labels = rich.table.column("labels").to_pylist()
    for seed in range(seeds):
        draw = np.random.default_rng(seed)
        shows = np.array([attributes[seed % len(attributes)] in one for one in labels])
        without, with_it = draw.permutation(np.flatnonzero(~shows)), draw.permutation(np.flatnonzero(shows))
        few = round(SHARE * IMAGES)
        a = np.concatenate([with_it[:few], without[: IMAGES - few]])
        yield rich.select(a), rich.select(without[IMAGES - few : 2 * IMAGES - few])


def claimed(plain: ComparisonResult, verified: ComparisonResult) -> dict[str, bool]:
    """Who says that the sets differ."""
    leads = [f for f in verified.findings if f.status is Status.LEADS]
    latents, density = plain.artefact("sae_latents"), plain.artefact("density_ratio")
    return {
        "concept branch, any significant latent": latents.significant > 0,
        "density branch, p <= .05": density.different,
        "one list, any lead": bool(leads),
        "verdict": verified.different,
    }


if __name__ == "__main__":
    main()
