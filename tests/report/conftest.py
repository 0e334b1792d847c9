"""A comparison as it comes out of the program, of two sets of beach pictures drawn with Pillow."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import stats

from latentdiff.hypotheses import (
    Counted,
    Evidence,
    Finding,
    Given,
    Hypothesis,
    ImageRef,
    Interval,
    Part,
    RankedFinding,
    Side,
    Status,
    Verification,
)
from latentdiff.metadata import ColumnSummary, Kind, MetadataDifference
from latentdiff.proposers.density_ratio import DensityRatio
from latentdiff.proposers.sae_latents import LatentDifferences
from latentdiff.result import (
    ComparisonResult,
    EncoderUsed,
    NegativeControls,
    OverallShift,
    ProposerOutcome,
    SaeOrigin,
    SaeSource,
    SetSummary,
)
from latentdiff.verdict import Verdict, VerdictKind

MakeFinding = Callable[..., Finding]
MakeResult = Callable[..., ComparisonResult]


def evidence_of(count_a: int, count_b: int, n_a: int = 1240, n_b: int = 1238) -> Evidence:
    share_a, share_b = count_a / n_a, count_b / n_b
    wilson = [stats.binomtest(c, n).proportion_ci(method="wilson") for c, n in ((count_a, n_a), (count_b, n_b))]
    interval_a, interval_b = (Interval(float(ci.low), float(ci.high)) for ci in wilson)
    difference = share_a - share_b
    below = math.hypot(share_a - interval_a.low, interval_b.high - share_b)
    above = math.hypot(interval_a.high - share_a, share_b - interval_b.low)
    cells = [count_a + 0.5, n_a - count_a + 0.5, count_b + 0.5, n_b - count_b + 0.5]
    odds = cells[0] * cells[3] / (cells[1] * cells[2])
    spread = 1.96 * math.sqrt(sum(1 / c for c in cells))
    p = float(stats.fisher_exact([[count_a, n_a - count_a], [count_b, n_b - count_b]])[1])
    return Evidence(
        count_a=count_a,
        count_b=count_b,
        n_a=n_a,
        n_b=n_b,
        prevalence_a=share_a,
        prevalence_b=share_b,
        prevalence_a_interval=interval_a,
        prevalence_b_interval=interval_b,
        difference=difference,
        difference_interval=Interval(difference - below, difference + above),
        odds_ratio=odds,
        odds_ratio_interval=Interval(odds * math.exp(-spread), odds * math.exp(spread)),
        p_value=p,
        q_value=min(1.0, p * 60),
    )


def refs(stem: str, side: Side, count: int, caption: str = "") -> tuple[ImageRef, ...]:
    return tuple(
        ImageRef(side, i, f"{stem}/{i:04d}.jpg", f"/data/{side}/{stem}/{i:04d}.jpg", 3.0 - 0.2 * i, caption)
        for i in range(count)
    )


@pytest.fixture
def make_finding() -> MakeFinding:
    return build_finding


@pytest.fixture
def make_phrase() -> MakeFinding:
    return build_phrase


@pytest.fixture
def make_word() -> MakeFinding:
    return build_word


@pytest.fixture
def make_evidence() -> Callable[..., Evidence]:
    return evidence_of


@pytest.fixture(scope="session")
def a_finding() -> Finding:
    return build_finding()


def build_finding(
    words: tuple[str, ...] = ("surfboard", "surf", "surfer", "wave", "wetsuit"),
    side: Side = "a",
    counts: tuple[int, int] = (52, 4),
    status: str = "leads",
    taken: float = 0.0,
    vanishes_given: tuple[str, ...] = (),
    name_holds: bool = True,
    **changes: Any,
) -> Finding:
    """A finding of the SAE's latents; `changes` are fields of its hypothesis."""
    stem = words[0].replace(" ", "-")[:20] if words else "unnamed"
    other: Side = "b" if side == "a" else "a"
    values: dict[str, Any] = {
        "side": side,
        "proposer": "sae_latents",
        "words": words,
        "name_found": True,
        "score": 0.031,
        "part": Part.ALL,
        "label_blind": True,
        "evidence": evidence_of(*counts),
        "images": refs(stem, side, 6),
        "near_misses": refs(f"near-{stem}", other, 2),
        "latent": 412 + len(stem),
        "cut": 0.001,
        "members": (88, 1031),
        "details": {"jsd": 0.0213, "gap": 0.118, "ms": 0.61, "name_cosine": 0.34, "name_fidelity": 0.93},
    }
    hypothesis = Hypothesis(**(values | changes))
    parted = status in ("leads", "travels")
    tested = hypothesis.latent is None and hypothesis.part is Part.DISCOVERY and status != "not checked"
    check = evidence_of(*(round(c / 2) for c in counts), n_a=611, n_b=624)
    return Finding(
        hypothesis,
        Status(status),
        Verification(0.214, check) if tested else None,
        Given(0.0004 if status == "leads" else 0.4, taken, vanishes_given) if parted else None,
        name_holds,
    )


def build_phrase(*arguments: Any, **changes: Any) -> Finding:
    """A finding of the density ratio."""
    values = {
        **{"proposer": "density_ratio", "counted": Counted.CAPTIONS, "part": Part.DISCOVERY, "label_blind": False},
        **{"latent": None, "cut": 0.001, "members": (), "details": {}},
    }
    return build_finding(*arguments, **(values | changes))


def build_word(*arguments: Any, **changes: Any) -> Finding:
    """A word along the mean shift that nothing tested: nobody counted anything."""
    values = {"proposer": "mean_shift", "evidence": None, "latent": None, "members": (), "details": {}}
    return build_finding(*arguments, **({"status": "not checked"} | values | changes))


@pytest.fixture
def make_shift() -> MakeFinding:
    return build_shift


def build_shift(words: tuple[str, ...] = ("photograph", "camera"), side: Side = "a") -> Finding:
    """One end of an overall shift."""
    return build_word(words, side, status="overall shift", proposer="overall_shift", label_blind=True)


@pytest.fixture
def make_metadata() -> Callable[..., MetadataDifference]:
    return build_metadata


def build_metadata(column: str = "width", **changes: Any) -> MetadataDifference:
    """Numbers that are larger in A."""
    values: dict[str, Any] = {
        **{"kind": Kind.NUMBER, "auroc": 0.712, "auroc_interval": Interval(0.68, 0.741), "p_value": 1e-9},
        **{"q_value": 2e-9, "differs": True, "side": "a"},
        **{"a": ColumnSummary(0, median=640.0), "b": ColumnSummary(3, median=480.0)},
    }
    return MetadataDifference(column, **(values | changes))


@pytest.fixture
def make_result() -> MakeResult:
    return build_result


@pytest.fixture(scope="session")
def a_result() -> ComparisonResult:
    return build_result()


def build_result(
    findings: Sequence[Finding | RankedFinding] | None = None,
    kind: VerdictKind = VerdictKind.DIFFERENT,
    p_value: float = 3.1e-9,
    smallest_detectable: float | None = 0.0123,
    proposers: Mapping[str, ProposerOutcome | None] | None = None,
    **changes: Any,
) -> ComparisonResult:
    """A result of both default proposers.

    Args:
        findings: what leads the one list, A's before B's; by default eight; one stands behind the first, and two
            travel with it.
        kind: of the verdict.
        p_value: of the verdict.
        smallest_detectable: of the verdict.
        proposers: outcomes in place of the default ones; None takes one out.
        changes: further fields.
    """
    ranking = default_ranking() if findings is None else [as_ranked(one) for one in findings]
    outcomes: dict[str, ProposerOutcome | None] = {
        "sae_latents": ProposerOutcome(p_value / 3, latent_differences()),
        "density_ratio": ProposerOutcome(0.00002, density()),
    }
    values: dict[str, Any] = {
        "verdict": Verdict(kind, p_value, 0 if kind is VerdictKind.NOT_TESTED else 3, 0.05, smallest_detectable),
        "a": summary("beach in June", "/data/a", 3, 0.58, 1240),
        "b": summary("beach in September", "world:everyday?images=1238&seed=2&umbrella=0.06", 0, 0.49, 1238),
        "encoder": EncoderUsed("mini", "mini@0123456789abcdef"),
        "sae": SaeOrigin(SaeSource.SETS, 2048, 16),
        "shift": OverallShift(0.583, Interval(0.561, 0.605), 0.55),
        "controls": NegativeControls(500, 0.124, 0.018),
        "metadata": (build_metadata(), build_metadata("height", auroc=0.51, auroc_interval=None, differs=False)),
        "ranking": tuple(ranking),
        "proposers": {name: one for name, one in (outcomes | dict(proposers or {})).items() if one},
        "settings": {
            "seed": 0,
            "concepts": {"rank": "jsd_gap", "level": 0.05, "hide_top": None},
            "density": {"head": "linear", "folds": 5, "weight_decay": [0.01, 0.1, 1.0]},
            "report": {"thumbnails": True},
        },
        "run": {
            "command": "python compare.py --a /data/a --b 'world:everyday?images=1238&seed=2&umbrella=0.06' --out out",
            "seconds": {"embed": 41.2, "train the SAE": 96.4, "sae_latents": 1.21, "density_ratio": 12.9},
            "peak_memory": 1_240_000_000,
            "versions": {"latentdiff": "0.1.0", "python": "3.11.9", "torch": "2.15.0"},
            "hashes": {"a": "9f2c1d0b7a", "b": "03ad77e1c2"},
        },
    }
    return ComparisonResult(**(values | changes))


def as_ranked(finding: Finding | RankedFinding) -> RankedFinding:
    return finding if isinstance(finding, RankedFinding) else RankedFinding(finding)


def default_ranking() -> tuple[RankedFinding, ...]:
    kite = build_finding(("kite",), "a", (34, 9), "travels", 0.87, latent=7, members=(), images=(), near_misses=())
    towel = build_phrase(("a towel",), "b", (4, 30), "travels", 0.61, ("width",))
    leads = (
        build_finding(("sailing boat", "yacht", "mast", "harbour", "sail"), "a", (38, 9)),
        build_finding(("blond", "hair", "blonde", "curls", "ponytail"), "a", (74, 41), "weak"),
        build_finding(("teal", "stripe", "grid"), "a", (60, 8), name_found=False),
        build_phrase(("a dog on wet sand",), "a", (22, 12), "refuted"),
        build_finding(("sun umbrella", "parasol", "umbrella", "shade", "canopy"), "b", (7, 71)),
        build_finding(("deck chair", "lounger", "chair", "towel", "stripes"), "b", (0, 24)),
        build_phrase(("people under umbrellas",), "b", (11, 44)),
    )
    first = RankedFinding(build_finding(), (build_phrase(("a surfboard",), "a", (6, 0)),), (kite, towel))
    return (first, *map(RankedFinding, leads))


def latent_differences(**changes: Any) -> LatentDifferences:
    values: dict[str, Any] = {
        "tested": 1480,
        "significant": 12,
        "listed": 9,
        "hidden": {"among the top 10 % most active": 148, "lower half by monosemanticity": 0},
        "volcano": cloud(),
    }
    return LatentDifferences(**(values | changes))


def summary(name: str, source: str, skipped: int, brightness: float, embedded: int = 1240) -> SetSummary:
    examples = (
        ("/data/a/IMG_0412.jpg", "truncated after 12,288 of 48,120 bytes"),
        ("/data/a/notes.jpg", "not an image: starts with '# Notes'"),
        ("/data/a/IMG_1999.png", "empty file"),
    )
    return SetSummary(
        name=name,
        source=source,
        images=embedded + skipped,
        embedded=embedded,
        skipped=skipped,
        skipped_examples=examples[:skipped],
        duplicates_within=4,
        duplicates_across=2,
        width_median=640,
        height_median=480,
        brightness_median=brightness,
    )


def cloud() -> tuple[tuple[float, float], ...]:
    random = np.random.default_rng(0)
    difference = random.normal(0, 0.006, 1480)
    chance = 2 * stats.norm.sf(np.abs(difference / 0.006 + random.normal(0, 0.4, 1480)))
    return tuple((float(d), float(min(1, 3 * q))) for d, q in zip(difference, chance, strict=True))


def density(**changes: Any) -> DensityRatio:
    random = np.random.default_rng(1)
    edges = np.linspace(-5, 5, 41)
    a = np.histogram(np.concatenate([random.normal(0.15, 0.9, 1190), random.normal(3.1, 0.6, 50)]), edges)[0]
    b = np.histogram(np.concatenate([random.normal(-0.15, 0.9, 1180), random.normal(-2.9, 0.7, 58)]), edges)[0]
    captions = {"a": "a surfboard, a beach, a person, waves", "b": "a sun umbrella, people, sand, a deck chair"}
    extreme = [ref for side in ("a", "b") for ref in refs(f"extreme-{side}", side, 10, captions[side])]  # type: ignore[arg-type]
    values: dict[str, Any] = {
        "different": True,
        "p_value": 0.00002,
        "p_value_a": 0.00001,
        "p_value_b": 0.0117,
        "auroc": 0.612,
        "auroc_interval": Interval(0.589, 0.634),
        "histogram_edges": tuple(map(float, edges)),
        "histogram_a": tuple(map(int, a)),
        "histogram_b": tuple(map(int, b)),
        "extreme": tuple(extreme),
        "n_a": 1240,
        "n_b": 1238,
    }
    return DensityRatio(**(values | changes))


@pytest.fixture
def make_images() -> Callable[[ComparisonResult], dict[str, bytes]]:
    return draw_images


def draw_images(result: ComparisonResult) -> dict[str, bytes]:
    """A picture for every image the result speaks of, but one."""
    uris = [r.uri for f in result.findings for r in (*f.hypothesis.images, *f.hypothesis.near_misses)]
    found = result.artefact("density_ratio")
    uris += [r.uri for r in found.extreme] if found else []
    return {uri: draw(uri, seed) for seed, uri in enumerate(dict.fromkeys(uris)) if not uri.endswith("boat/0004.jpg")}


def draw(uri: str, seed: int) -> bytes:
    random = np.random.default_rng(seed)
    width, height = ((160, 120), (120, 150), (128, 128))[seed % 3]
    image = Image.new("RGB", (width, height), (150 + int(random.integers(60)), 195, 235))
    pen = ImageDraw.Draw(image)
    sea, sand = height * random.uniform(0.3, 0.5), height * random.uniform(0.6, 0.75)
    pen.rectangle((0, sea, width, height), fill=(40, 110 + int(random.integers(50)), 165))
    pen.rectangle((0, sand, width, height), fill=(222, 196 + int(random.integers(20)), 150))
    x, y = random.uniform(0.25, 0.75) * width, random.uniform(0.5, 0.8) * height
    colour = tuple(int(v) for v in random.integers(40, 240, 3))
    size = random.uniform(0.18, 0.3) * height
    if "umbrella" in uri or "extreme-b" in uri:
        pen.pieslice((x - size, y - size, x + size, y + size), 180, 360, fill=colour)
        pen.line((x, y, x, y + size), fill=(90, 60, 30), width=3)
    elif "boat" in uri:
        pen.polygon([(x, sea - size), (x, sea + 8), (x + size, sea + 8)], fill=(250, 250, 245))
        pen.polygon([(x - size, sea + 10), (x + size, sea + 10), (x, sea + 22)], fill=colour)
    elif "chair" in uri:
        pen.line((x - size, y - size, x, y, x + size, y), fill=colour, width=6)
    else:
        pen.ellipse((x - size / 3, y - size, x + size / 3, y + size), fill=colour, outline=(250, 250, 250), width=2)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()
