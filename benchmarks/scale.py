"""Large sets: is a rare class found among half a million rows a side? `python -m benchmarks.scale --data FOLDER`.

A row is the embedding of a held-out tiny_imagenet image, drawn with replacement, plus Gaussian noise, brought to unit
length. In A a small share of the rows is of one class, in B of another, and all others are of neither. With `--null`
both sides are drawn as A is: whatever leads then is wrong. The SAE is trained on the other four fifths.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

import latentdiff
from benchmarks.judge import accepted_words, hit
from benchmarks.photos import pool_sae
from benchmarks.record import line, record, share
from benchmarks.shards import embedded, folder
from latentdiff.embeddings import EmbeddingSet
from latentdiff.hypotheses import SIDES, Finding, Side, Status
from latentdiff.noisydiff.run.sae_pool import held_out
from latentdiff.pipeline import CompareSettings
from latentdiff.result import ComparisonResult

NOISE = 0.3  # length of the noise, of a unit vector
SEED = 0
BLOCK = 8192  # rows made at once


@dataclass(frozen=True)
class Lead:
    """A finding that leads: what it says, and the class that most of its images show."""

    side: Side
    words: tuple[str, ...]
    wnid: str
    share: float  # of its images, that show this class
    planted: bool  # whether half of its images or more show the class that is planted on its side


@dataclass(frozen=True)
class Answer:
    """What one comparison says."""

    truth: dict[Side, str]
    leads: tuple[Lead, ...]  # the first on top
    travelling: int  # findings
    auroc: float  # of the overall shift
    seconds: dict[str, float]
    peak_memory: int  # of the process so far, in bytes


def main() -> None:
    """Runs the benchmark, prints the figures, writes them to benchmarks/scale.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds tiny_imagenet/")
    parser.add_argument("--cache", type=Path, default=Path("runs/benchmarks"), help="where embeddings and SAE are kept")
    parser.add_argument("--pairs", type=int, default=20, help="with a class planted on each side")
    parser.add_argument("--null", type=int, default=0, help="pairs without a difference, in place of those with one")
    parser.add_argument("--rows", type=int, default=500_000, help="a side")
    parser.add_argument("--share", type=float, default=0.005, help="of a side's rows, that are of its class")
    parser.add_argument("--no-record", action="store_true", help="print only")
    options = parser.parse_args()
    encoder = latentdiff.load_encoder("mini")
    images = embedded(options.data, "tiny_imagenet", encoder, options.cache)
    unseen = held_out(images)
    kept = folder(options.cache, encoder.fingerprint) / "tiny_imagenet-sae"
    sae = pool_sae(images.select(np.flatnonzero(~unseen)), kept)
    images = images.select(np.flatnonzero(unseen))
    settings = replace(CompareSettings(), proposers=("sae_latents",))
    answers = []
    for number in range(options.null or options.pairs):
        a, b, truth = make_pair(images, number, options.rows, options.share, planted=not options.null)
        answers.append(judge(latentdiff.compare(a, b, sae=sae, encoder=encoder, settings=settings), truth))
        print(f"pair {number + 1}: {_told(answers[-1])}", flush=True)
    figures = summarise(answers, planted=not options.null)
    for title, result in figures.items():
        print(line(title, result) if "hits" in result else f"  {title}: {result}")
    if not options.no_record:
        measured = {**figures, "pairs": [asdict(one) for one in answers], "sae": sae.metadata.measures}
        made = {"rows": options.rows, "share": options.share, "noise": NOISE, "seed": SEED}
        record("scale", measured, made, encoder.fingerprint, part="null" if options.null else "planted")


def make_pair(
    images: EmbeddingSet, number: int, rows: int, portion: float, planted: bool = True
) -> tuple[EmbeddingSet, EmbeddingSet, dict[Side, str]]:
    """Two sets, and the class planted in each.

    Args:
        images: labelled by `wnid`.
        number: of the pair; another one has other classes, images and noise.
        rows: a side.
        portion: of a side's rows, that are of its class.
        planted: whether the sides have different classes; else both are drawn as the first is.
    """
    draw = np.random.default_rng((SEED, number))
    wnids = np.array(images.table.column("wnid").to_pylist())
    first, second = draw.permutation(np.unique(wnids))[:2]
    others = np.flatnonzero((wnids != first) & (wnids != second))
    truth: dict[Side, str] = {"a": str(first), "b": str(second if planted else first)}
    sets = []
    for side in SIDES:
        few = round(portion * rows)
        own = draw.choice(np.flatnonzero(wnids == truth[side]), few)
        chosen = draw.permutation(np.concatenate([own, draw.choice(others, rows - few)]))
        ids = [f"{wnid}_{row}" for row, wnid in enumerate(wnids[chosen].tolist())]
        sets.append(latentdiff.from_arrays(add_noise(images, chosen, draw), ids, images.fingerprint, source=side))
    return sets[0], sets[1], truth


def add_noise(
    images: EmbeddingSet, chosen: npt.NDArray[np.int64], draw: np.random.Generator
) -> npt.NDArray[np.float16]:
    """Embeddings of some images [k, d], unit length, each with noise of its own."""
    made = np.empty((len(chosen), images.d), np.float16)
    for start in range(0, len(chosen), BLOCK):
        clean = images.rows(chosen[start : start + BLOCK])
        noisy = clean + NOISE / np.sqrt(images.d) * draw.standard_normal(clean.shape, dtype=np.float32)
        made[start : start + BLOCK] = noisy / np.linalg.norm(noisy, axis=1, keepdims=True)
    return made


def judge(result: ComparisonResult, truth: dict[Side, str]) -> Answer:
    """What a comparison says, by the classes of the images that it shows."""
    leads = [one for one in result.findings if one.status is Status.LEADS]
    return Answer(
        truth=truth,
        leads=tuple(_lead(one, truth) for one in leads),
        travelling=sum(one.status is Status.TRAVELS for one in result.findings),
        auroc=result.shift.auroc if result.shift else float("nan"),
        seconds=dict(result.run["seconds"]),
        peak_memory=result.run["peak_memory"],
    )


def _lead(finding: Finding, truth: dict[Side, str]) -> Lead:
    shown = [image.id.partition("_")[0] for image in finding.hypothesis.images if image.side == finding.side]
    wnid, count = Counter(shown).most_common(1)[0]
    planted = 2 * shown.count(truth[finding.side]) >= len(shown)
    return Lead(finding.side, finding.words, wnid, count / len(shown), planted)


def summarise(answers: Sequence[Answer], planted: bool) -> dict[str, dict[str, Any]]:
    """Shares with intervals, seconds and memory.

    Args:
        answers: one a pair.
        planted: whether a class was planted on each side.
    """
    figures: dict[str, dict[str, Any]] = {}
    if planted:
        of = [[lead for lead in one.leads if lead.side == side] for one in answers for side in SIDES]
        truths = [one.truth[side] for one in answers for side in SIDES]
        named = [
            bool(leads) and hit(leads[0].words, accepted_words(wnid)) for leads, wnid in zip(of, truths, strict=True)
        ]
        figures["the planted class leads"] = _share([any(lead.planted for lead in leads) for leads in of])
        figures["the first lead is of it"] = _share([bool(leads) and leads[0].planted for leads in of])
        figures["the first lead names it"] = _share(named)
        figures["leads that are not of it"] = _share([not lead.planted for leads in of for lead in leads])
        figures["sides with such a lead"] = _share([any(not lead.planted for lead in leads) for leads in of])
    else:
        figures["pairs with any lead"] = _share([bool(one.leads) for one in answers])
    stages = {stage: median(one.seconds[stage] for one in answers) for stage in answers[0].seconds}
    figures["seconds, median"] = stages
    figures["peak memory, GB"] = {"most": round(max(one.peak_memory for one in answers) / 1e9, 2)}
    return figures


def _share(hits: Sequence[bool]) -> dict[str, Any]:
    return share(sum(hits), len(hits)) if hits else {"none": 0}


def _told(answer: Answer) -> str:
    leads = [
        f"{one.side}{'*' if one.planted else ''} {'/'.join(one.words[:2])} ({one.wnid} {one.share:.0%})"
        for one in answer.leads
    ]
    seconds = ", ".join(f"{stage} {value:.0f}" for stage, value in answer.seconds.items())
    truth = " and ".join(answer.truth.values())
    return f"{truth}; leads: {', '.join(leads) or 'none'}; {seconds} s; {answer.peak_memory / 1e9:.1f} GB"


if __name__ == "__main__":
    main()
