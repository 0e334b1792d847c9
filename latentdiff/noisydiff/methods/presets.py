"""The product's presets as rows of the same table: what each proposer says and the one list, in several settings.

`concept`, `density` and `combined` are what `compare` says with the benchmark's settings and the pool's SAE;
`paper-` in front takes the paper's choices (`method=paper`), `task-` an SAE trained on the two sets themselves.
One comparison answers all three of a setting.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from latentdiff.config import METHODS
from latentdiff.embeddings import EmbeddingSet
from latentdiff.hypotheses import SIDES, Finding, Status
from latentdiff.noisydiff.methods.predictions import TOP, Prediction, Role
from latentdiff.pipeline import CompareSettings, compare
from latentdiff.proposers import PROPOSERS
from latentdiff.report.wording import describe_sae
from latentdiff.result import ComparisonResult
from latentdiff.sae_source import FEWEST_TO_TRAIN, SaeSettings, resolve_sae

if TYPE_CHECKING:
    from latentdiff.encoders import Encoder
    from sae_training import SparseAutoencoder

CLAIMED = (Status.SHIFT, Status.LEADS)  # what a report's headline is made of
ROLE_OF: Mapping[Status, Role] = {Status.SHIFT: "shift", Status.LEADS: "lead", Status.TRAVELS: "travels"}
SHIFT = "overall_shift"  # who proposes the shift's words
EXEMPLARS = 2  # images of a finding that the page shows
PRESETS = ("default", "paper")  # of config.METHODS: those whose parts are rows
PARTS = ("concept", "density", "combined")
PROPOSER_OF = {"concept": "sae_latents", "density": "density_ratio"}


@dataclass(frozen=True)
class PresetMethod:
    """A part of a preset, as a method of the benchmark."""

    part: str  # of PARTS
    preset: str  # of PRESETS
    task: bool  # whether the SAE is trained on the two sets


PRESET_METHODS: dict[str, PresetMethod] = {
    ("task-" if task else "") + ("" if preset == "default" else f"{preset}-") + part: PresetMethod(part, preset, task)
    for task in (False, True)
    for preset in PRESETS
    for part in PARTS
}
TASK_METHODS = tuple(name for name, method in PRESET_METHODS.items() if method.task)


def preset_settings(base: CompareSettings, preset: str) -> CompareSettings:
    """The settings with a preset's choices, but the language settings of the benchmark: all methods share them."""
    settings = CompareSettings(**{item.name: getattr(base, item.name) for item in fields(CompareSettings)})
    for key, value in METHODS[preset].items():
        section, _, name = key.partition(".")
        if section != "language":
            settings = replace(settings, **{section: replace(getattr(settings, section), **{name: value})})
    return settings


def predict_presets(
    a: EmbeddingSet,
    b: EmbeddingSet,
    methods: Iterable[str],
    settings: CompareSettings,
    encoder: Encoder,
    sae: SparseAutoencoder | None,
    device: str = "auto",
) -> dict[str, Prediction]:
    """What presets say of two sets, with the seconds that each method would need alone.

    Args:
        a: the first set.
        b: the second set.
        methods: names in `PRESET_METHODS`.
        settings: the benchmark's; presets go on top.
        encoder: of the sets.
        sae: the pool's; may be None where no method needs it.
        device: where a captioning model runs.
    """
    chosen = {name: PRESET_METHODS[name] for name in methods}
    predictions: dict[str, Prediction] = {}
    task_sae, training = None, 0.0
    if any(row.task for row in chosen.values()):
        started = time.perf_counter()
        task_sae = _task_sae(a, b, encoder, settings)
        training = time.perf_counter() - started
    for preset, task in dict.fromkeys((row.preset, row.task) for row in chosen.values()):
        if sae is None and not task:
            raise ValueError("the pool's SAE is missing")
        names = {name: row.part for name, row in chosen.items() if (row.preset, row.task) == (preset, task)}
        chosen_sae = task_sae if task else sae
        if chosen_sae is None:
            why = f"fewer than {FEWEST_TO_TRAIN} images to train an SAE on"
            predictions |= dict.fromkeys(names, Prediction(abstained=True, details={"why": why}))
            continue
        asked = preset_settings(settings, preset)
        result = compare(a, b, encoder=encoder, sae=chosen_sae, settings=asked, device=device)
        for name, part in names.items():
            extra = training if task and part != "density" else 0.0
            predictions[name] = replace(_predict(result, part), seconds=_seconds(result, part) + extra)
    return predictions


def _task_sae(
    a: EmbeddingSet, b: EmbeddingSet, encoder: Encoder, settings: CompareSettings
) -> SparseAutoencoder | None:
    """An SAE trained on the two sets, whatever else is at hand; None where they are too few."""
    if a.n + b.n < FEWEST_TO_TRAIN:
        return None
    return resolve_sae(None, a, b, encoder, on_the_sets(settings.sae), settings.embed)[0]


def on_the_sets(sae: SaeSettings) -> SaeSettings:
    """The settings with which an SAE is always trained on the two sets."""
    return replace(sae, path=None, data=None, minimum_rows=0)


def _seconds(result: ComparisonResult, part: str) -> float:
    """What a part of a comparison would need alone."""
    proposers = list(result.proposers) if part == "combined" else [PROPOSER_OF[part]]
    latents = ("codes", "names") if any(PROPOSERS[name].needs_latents for name in proposers) else ()
    return sum(result.run["seconds"][stage] for stage in (*latents, *proposers, "verification"))


def _predict(result: ComparisonResult, part: str) -> Prediction:
    findings, abstained = _in_order(result), not result.different
    if part != "combined":
        told = (PROPOSER_OF[part], *((SHIFT,) if part == "concept" else ()))
        findings = [one for one in findings if one.hypothesis.proposer in told]
        findings = findings if part == "concept" else sorted(findings, key=lambda one: -_advantage(one))
        abstained = not _found_something(result, part)
    density = result.artefact("density_ratio")
    sides = {side: [f for f in findings if f.side == side] for side in SIDES}
    verified = bool(result.settings["verify"]["enabled"])
    return Prediction(
        findings={side: tuple(f.words for f in own) for side, own in sides.items()},
        confirmed={side: tuple(f.status in CLAIMED for f in own) for side, own in sides.items() if verified},
        roles={side: tuple(ROLE_OF.get(f.status, "") for f in own) for side, own in sides.items() if verified},
        shown={side: tuple(tuple(ref.id for ref in f.hypothesis.images) for f in own) for side, own in sides.items()},
        abstained=abstained,
        captioned=len(density.extreme) if density and part != "concept" else 0,
        details={
            "sae": describe_sae(result.sae) if result.sae else "none",
            "images": {
                side: [ref.id for f in sides[side][:TOP] for ref in f.hypothesis.images[:EXEMPLARS]] for side in SIDES
            },
            "evidence": {side: {f"{i}": _describe(f) for i, f in enumerate(sides[side][:TOP], 1)} for side in SIDES},
        },
    )


def _in_order(result: ComparisonResult) -> Sequence[Finding]:
    """Every finding: those that lead a place of the one list, then what travels with them, then what says the same."""
    travelling = [one for place in result.ranking for one in place.travelling]
    return [*result.findings, *travelling, *(one for place in result.ranking for one in place.alike)]


def _advantage(finding: Finding) -> float:
    if finding.verification is None:
        return 0.0
    return finding.verification.evidence.difference * (1 if finding.side == "a" else -1)


def _found_something(result: ComparisonResult, part: str) -> bool:
    found = result.artefact(PROPOSER_OF[part])
    if found is None:
        return False
    return found.significant > 0 if part == "concept" else found.different


def _describe(finding: Finding) -> str:
    """A finding and what speaks for it, in one line for the page."""
    said, evidence = f"{', '.join(finding.words)}: {finding.status}", finding.evidence
    if evidence is None:  # of the overall shift nothing is counted
        return said
    return f"{said}, {evidence.prevalence_a:.1%} of A and {evidence.prevalence_b:.1%} of B, q {evidence.q_value:.2g}"
