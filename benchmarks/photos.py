"""Real photographs: is the planted class named? `make bench-photos DATA=folder`.

A = 20 held-out images of each of 60 tiny_imagenet classes + 40 of one other class; B = 20 others of the same 60 + 40 of
a different class. The held-out fifth is fixed by the hash of each image's source id; the SAE is trained on the rest.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

import latentdiff
from benchmarks.judge import accepted_words, hit, nameable
from benchmarks.record import line, record, share
from benchmarks.shards import embedded, folder
from latentdiff.embeddings import EmbeddingSet
from latentdiff.hypotheses import SIDES, Finding, Side
from latentdiff.noisydiff.run.sae_pool import held_out
from latentdiff.pipeline import CompareSettings
from latentdiff.result import ComparisonResult
from latentdiff.verification import VerifySettings
from sae_training import SparseAutoencoder, TrainSettings, train

BACKGROUND, EACH, PLANTED = 60, 20, 40
TOP = 5  # findings looked at on each side


@dataclass
class Tally:
    """Hits of one method: in its top five, and with its first finding alone."""

    top: list[bool] = field(default_factory=list)
    first: list[bool] = field(default_factory=list)
    nameable: list[bool] = field(default_factory=list)


def main() -> None:
    """Runs the benchmark, prints the table, writes benchmarks/photos.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds tiny_imagenet/")
    parser.add_argument("--cache", type=Path, default=Path("runs/benchmarks"), help="where embeddings and SAE are kept")
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--no-record", action="store_true", help="print only")
    options = parser.parse_args()
    encoder = latentdiff.load_encoder("mini")
    images = embedded(options.data, "tiny_imagenet", encoder, options.cache)
    unseen = held_out(images)
    kept = folder(options.cache, encoder.fingerprint) / "tiny_imagenet-sae"
    sae = pool_sae(images.select(np.flatnonzero(~unseen)), kept)
    tallies = evaluate(images, np.flatnonzero(unseen), sae, options.pairs)
    figures = summarise(tallies)
    for title, rows in figures.items():
        print(title)
        for method, result in rows.items():
            print(line(method, result))
    paired = paired_difference(tallies["concept branch"].top, tallies["difference of means, 25 words"].top)
    gain, low, high = paired
    print(f"concept branch minus difference of means, equal words: {gain:+.1%} ({low:+.1%} to {high:+.1%})")
    if not options.no_record:
        settings = {
            "pairs": options.pairs,
            "background": BACKGROUND,
            "each": EACH,
            "planted": PLANTED,
        }
        measured = {**figures, "concept minus means": paired, "sae": sae.metadata.measures}
        record("photos", measured, settings, encoder.fingerprint)


def pool_sae(pool: EmbeddingSet, path: Path) -> SparseAutoencoder:
    """The SAE trained on the pool with the default settings, kept in `path`."""
    from sae_training import load

    if not path.is_dir():
        described = "tiny_imagenet, four fifths"
        train(pool, TrainSettings(), fingerprint=pool.fingerprint, description=described).save(path)
    return load(path)


def pairs(
    wnids: np.ndarray, rows: np.ndarray, count: int, seed: int = 0
) -> Iterator[tuple[dict[Side, np.ndarray], dict[Side, str]]]:
    """Rows of each side and the class planted in it."""
    draw = np.random.default_rng(seed)
    classes = np.unique(wnids)
    for _ in range(count):
        chosen = draw.permutation(classes)[: BACKGROUND + 2]
        sides: dict[Side, list[int]] = {"a": [], "b": []}
        for wnid in chosen[:BACKGROUND]:
            shuffled = draw.permutation(rows[wnids[rows] == wnid])
            sides["a"] += list(shuffled[:EACH])
            sides["b"] += list(shuffled[EACH : 2 * EACH])
        truth: dict[Side, str] = {"a": str(chosen[-2]), "b": str(chosen[-1])}
        for side in SIDES:
            sides[side] += list(draw.permutation(rows[wnids[rows] == truth[side]])[:PLANTED])
        yield {side: np.array(sides[side]) for side in SIDES}, truth


def evaluate(images: EmbeddingSet, rows: np.ndarray, sae: SparseAutoencoder, count: int) -> dict[str, Tally]:
    """Every method's hits over `count` pairs, two sides each."""
    settings = CompareSettings()
    plain_words = replace(settings.naming, phrases=False, things=0)
    words_only = replace(settings, proposers=("sae_latents",), naming=plain_words, verify=VerifySettings(enabled=False))
    encoder = latentdiff.load_encoder("mini")
    words = latentdiff.naming.embed_vocabulary(
        latentdiff.naming.build_vocabulary(settings.naming), encoder, settings.naming
    )
    decoder = sae.W_dec.detach().numpy()
    names = latentdiff.naming.make_namer(decoder, words, settings.naming).name(decoder)
    tallies: dict[str, Tally] = {}
    wnids = np.array(images.table.column("wnid").to_pylist())
    draw = np.random.default_rng(1)
    for number, (chosen, truth) in enumerate(pairs(wnids, rows, count)):
        a, b = images.select(chosen["a"]), images.select(chosen["b"])
        result = latentdiff.compare(a, b, sae=sae, encoder=encoder, settings=settings)
        plain = latentdiff.compare(a, b, sae=sae, encoder=encoder, settings=words_only)
        for side in SIDES:
            predictions = methods(result, side)
            predictions["concept branch, 20,000 words alone"] = methods(plain, side)["concept branch"]
            predictions["random latents"] = [names[j].words for j in draw.integers(sae.num_latents, size=TOP)]
            ranked = mean_shift(a, b, words, side)
            predictions["difference of means, 5 words"] = [(w,) for w in ranked[:TOP]]
            predictions["difference of means, 25 words"] = [tuple(ranked[i : i + 5]) for i in range(0, 25, 5)]
            score(tallies, predictions, truth[side], words.words)
        print(
            f"pair {number + 1}/{count}: " + ", ".join(f"{m} {sum(t.top)}/{len(t.top)}" for m, t in tallies.items()),
            flush=True,
        )
    return tallies


def methods(result: ComparisonResult, side: Side) -> dict[str, list[tuple[str, ...]]]:
    """What each part of a comparison says of one side, best finding first."""

    def top(findings: Sequence[Finding]) -> list[tuple[str, ...]]:
        return [f.words for f in findings if f.side == side][:TOP]

    return {
        "concept branch": top(result.proposed_by("sae_latents")),
        "density branch": top(result.proposed_by("density_ratio")),
        "combined list": top(result.findings),
    }


def mean_shift(a: EmbeddingSet, b: EmbeddingSet, words: latentdiff.naming.WordVectors, side: Side) -> list[str]:
    """The baseline without an SAE: words nearest to the difference of the sets' means."""
    shift = a.rows(slice(None)).mean(0) - b.rows(slice(None)).mean(0)
    order = np.argsort(-(words.vectors @ (shift if side == "a" else -shift)))
    return [words.words[i] for i in order[:25]]


def score(
    tallies: dict[str, Tally], predictions: dict[str, list[tuple[str, ...]]], wnid: str, vocabulary: Sequence[str]
) -> None:
    """Adds one side's hits to every method's tally."""
    accepted = accepted_words(wnid)
    has_word = nameable(wnid, vocabulary)
    for method, said in predictions.items():
        tally = tallies.setdefault(method, Tally())
        tally.top.append(hit([w for words in said for w in words], accepted))
        tally.first.append(bool(said) and hit(said[0], accepted))
        tally.nameable.append(has_word)


def summarise(tallies: dict[str, Tally]) -> dict[str, dict[str, dict]]:
    """Shares by method: top five and first, over all sides and over those whose class has a word."""
    tables: dict[str, dict[str, dict]] = {}
    for title, kind, only in (
        ("named in the top 5, all sides", "top", False),
        ("named in the top 5, class has a word in the vocabulary", "top", True),
        ("named by the first finding, all sides", "first", False),
        ("named by the first finding, class has a word in the vocabulary", "first", True),
    ):
        tables[title] = {}
        for method, tally in tallies.items():
            kept = [h for h, n in zip(getattr(tally, kind), tally.nameable, strict=True) if n or not only]
            tables[title][method] = share(sum(kept), len(kept))
    return tables


def paired_difference(ours: Sequence[bool], theirs: Sequence[bool], draws: int = 10_000) -> list[float]:
    """Difference of hit rates on the same sides with its 95 % bootstrap interval."""
    difference = np.array(ours, float) - np.array(theirs, float)
    rng = np.random.default_rng(0)
    means = rng.choice(difference, (draws, len(difference))).mean(1)
    return [float(difference.mean()), *(float(q) for q in np.quantile(means, (0.025, 0.975)))]


if __name__ == "__main__":
    main()
