"""Our own methods as rows of the same table: each branch and the combined list, in several settings.

`concept`, `density` and `combined` are what `compare` says with the benchmark's settings and the pool's SAE;
`paper-` in front takes the paper's choices (`method=paper`), `task-` an SAE trained on the two sets themselves.
One comparison answers all three branches of a setting.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from latentdiff.comparison import CompareSettings, compare
from latentdiff.config import METHODS
from latentdiff.dictionary import TOO_FEW, SaeSettings, find_sae
from latentdiff.embeddings import EmbeddingSet
from latentdiff.findings import SIDES, ComparisonResult, Finding
from latentdiff.noisydiff.methods.answer import Answer
from latentdiff.noisydiff.methods.predictions import TOP

if TYPE_CHECKING:
    from latentdiff.encoders import Encoder
    from sae_training import SparseAutoencoder

EACH = 2  # images of a finding that the page shows
BRANCHES = ("concept", "density", "combined")
_STAGES = {  # of RunLog, that a branch alone would need
    "concept": ("codes", "names", "concept branch", "verification"),
    "density": ("density branch", "verification"),
    "combined": ("codes", "names", "concept branch", "density branch", "verification"),
}


@dataclass(frozen=True)
class Own:
    """One of our rows."""

    branch: str  # of BRANCHES
    preset: str  # of config.METHODS
    task: bool  # whether the SAE is trained on the two sets


OWN: dict[str, Own] = {
    ("task-" if task else "") + ("" if preset == "default" else f"{preset}-") + branch: Own(branch, preset, task)
    for task in (False, True)
    for preset in METHODS
    for branch in BRANCHES
}


def preset_settings(base: CompareSettings, preset: str) -> CompareSettings:
    """The settings with a preset's choices, but the language settings of the benchmark: all methods share them."""
    settings = CompareSettings(**{item.name: getattr(base, item.name) for item in fields(CompareSettings)})
    for key, value in METHODS[preset].items():
        section, _, name = key.partition(".")
        if section != "language":
            settings = replace(settings, **{section: replace(getattr(settings, section), **{name: value})})
    return settings


def answer_own(
    a: EmbeddingSet,
    b: EmbeddingSet,
    methods: Iterable[str],
    settings: CompareSettings,
    encoder: Encoder,
    sae: SparseAutoencoder | None,
    device: str = "auto",
) -> dict[str, tuple[Answer, float]]:
    """What our methods say of two sets, and the seconds that each would need alone.

    Args:
        a: the first set.
        b: the second set.
        methods: names in `OWN`.
        settings: the benchmark's; presets go on top.
        encoder: of the sets.
        sae: the pool's; may be None where no method needs it.
        device: where a captioning model runs.
    """
    own = {name: OWN[name] for name in methods}
    answers: dict[str, tuple[Answer, float]] = {}
    task_sae, training = None, 0.0
    if any(row.task for row in own.values()):
        started = time.perf_counter()
        task_sae = _task_sae(a, b, encoder, settings)
        training = time.perf_counter() - started
    for preset, task in dict.fromkeys((row.preset, row.task) for row in own.values()):
        if sae is None and not task:
            raise ValueError("the pool's SAE is missing")
        names = {name: row.branch for name, row in own.items() if (row.preset, row.task) == (preset, task)}
        dictionary = task_sae if task else sae
        if dictionary is None:
            missing = Answer({}, abstained=True, details={"why": f"fewer than {TOO_FEW} images to train an SAE on"})
            answers |= {name: (missing, 0.0) for name in names}
            continue
        chosen = preset_settings(settings, preset)
        result = compare(a, b, encoder=encoder, sae=dictionary, settings=chosen, device=device)
        for name, branch in names.items():
            seconds = sum(result.run["seconds"][stage] for stage in _STAGES[branch])
            extra = training if task and branch != "density" else 0.0
            answers[name] = _answer(result, branch), seconds + extra
    return answers


def _task_sae(
    a: EmbeddingSet, b: EmbeddingSet, encoder: Encoder, settings: CompareSettings
) -> SparseAutoencoder | None:
    """An SAE trained on the two sets, whatever else is at hand; None where they are too few."""
    if a.n + b.n < TOO_FEW:
        return None
    return find_sae(None, a, b, encoder, on_the_sets(settings.sae), settings.embed)[0]


def on_the_sets(sae: SaeSettings) -> SaeSettings:
    """The settings with which an SAE is always trained on the two sets."""
    return replace(sae, path=None, data=None, minimum_rows=0)


def _answer(result: ComparisonResult, branch: str) -> Answer:
    density = result.density
    findings: Sequence[Finding] = result.findings
    abstained = not result.different
    verified = result.settings["verify"]["enabled"]
    if branch == "concept":
        findings = result.concepts.findings
        abstained = result.concepts.significant == 0
    elif branch == "density":
        findings = density.hypotheses if density else ()
        abstained = density is None or not density.different
    sides = {side: [f for f in findings if f.side == side] for side in SIDES}
    return Answer(
        findings={side: tuple(f.words for f in sides[side]) for side in SIDES},
        confirmed={side: tuple(map(_confirmed, sides[side])) for side in SIDES} if verified else {},
        abstained=abstained,
        captioned=len(density.extreme) if density and branch != "concept" else 0,
        details={
            "sae": result.sae,
            "images": {side: [ref.id for f in sides[side][:TOP] for ref in f.images[:EACH]] for side in SIDES},
            "evidence": {side: {f"{i}": _said(f) for i, f in enumerate(sides[side][:TOP], 1)} for side in SIDES},
        },
    )


def _confirmed(finding: Finding) -> bool:
    return finding.standing == "confirmed"


def _said(finding: Finding) -> str:
    """A finding and what speaks for it, in one line for the page."""
    evidence = finding.judged
    return (
        f"{', '.join(finding.words)}: {finding.standing}, {evidence.prevalence_a:.1%} of A and "
        f"{evidence.prevalence_b:.1%} of B, q {evidence.q_value:.2g}"
    )
