"""A result as it is frozen: every number and word of it, but for what is of the run."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from latentdiff.hypotheses import Finding, Interval, RankedFinding
from latentdiff.proposers.density_ratio import DensityRatio
from latentdiff.report.wording import describe_sae, word_verdict
from latentdiff.result import ComparisonResult, ProposerOutcome

RESULTS = Path(__file__).parent / "results"
BRANCHES = {"sae_latents": "concept", "density_ratio": "density"}
SAME = ("side", "words", "name_found", "images", "near_misses", "details")  # of a hypothesis, called as they were
KNOWN = ("naming", "concepts", "density", "language", "verify", "combine")  # sections of settings that are compared
DIGITS = 7  # that are kept of a number
RELATIVE, ABSOLUTE = 1e-4, 1e-6  # how far a number may lie from the frozen one: other processors sum in another order


def freeze(result: ComparisonResult) -> dict[str, Any]:
    """The result as plain types, in the form of schema version 1, in which the answers are kept.

    What was renamed since: `branches` are proposers, `judged` evidence is `Finding.evidence`, the verdict is a value
    that the report words, a lens that did not run is a `NotRun`.
    """
    latents, outcome = result.artefact("sae_latents"), result.proposers["density_ratio"]
    by_latents = [one for one in result.proposed_by("sae_latents") if one.hypothesis.rank_decides]
    frozen = {
        "different": result.different,
        "p_value": result.verdict.p_value,
        "verdict": word_verdict(result),
        "a": asdict(result.a),
        "b": asdict(result.b),
        "encoder": f"{result.encoder.name} ({result.encoder.fingerprint})",
        "sae": describe_sae(result.sae) if result.sae else None,
        "concepts": asdict(latents)
        | {
            "findings": [_finding(RankedFinding(one)) for one in by_latents],
            "smallest_detectable": result.verdict.smallest_detectable,
        },
        "density": _density(outcome) | {"hypotheses": _phrases(result.proposed_by("density_ratio"))},
        "findings": [_finding(one) for one in result.ranking],
        "settings": _settings(result),
    }
    return _rounded(json.loads(json.dumps(frozen)))


def _settings(result: ComparisonResult) -> dict[str, Any]:
    settings = {section: value for section, value in result.to_dict()["settings"].items() if section in KNOWN}
    settings["density"]["enabled"] = True
    del settings["language"]["llm"]["base_url"]  # its port is another one in every run
    return settings


def _finding(ranked: RankedFinding) -> dict[str, Any]:
    finding, hypothesis = ranked.finding, ranked.finding.hypothesis
    kept = asdict(hypothesis)
    return {key: kept[key] for key in SAME} | {
        "branches": sorted(BRANCHES[name] for name in ranked.proposers),
        "evidence": asdict(finding.proposed) if finding.proposed else None,
        "verification": asdict(finding.verification) if finding.verification else None,
        "score": hypothesis.score if hypothesis.latent is not None else _score_of_phrase(finding),
        "stability": "one seed" if hypothesis.latent is not None else "",
        "latent": ranked.latents[0] if ranked.latents else None,
        "latent_words": ranked.latent_words,
        "members": ranked.latents[1:],
    }


def _phrases(findings: tuple[Finding, ...]) -> list[dict[str, Any]]:
    """Where they were tested, the largest difference first within a side."""
    if any(one.verification for one in findings):
        findings = tuple(sorted(findings, key=lambda one: (one.side, -_score_of_phrase(one))))
    return [_finding(RankedFinding(one)) for one in findings]


def _score_of_phrase(finding: Finding) -> float:
    if finding.verification is None:
        return finding.hypothesis.score
    return finding.verification.evidence.difference * (1 if finding.side == "a" else -1)


def _density(outcome: ProposerOutcome) -> dict[str, Any]:
    if outcome.not_run is None:
        return asdict(outcome.artefact) | {"needed": 0}
    n_a, n_b, needed = outcome.not_run.n_a, outcome.not_run.n_b, outcome.not_run.needed
    nothing = DensityRatio(False, 1.0, 1.0, 1.0, 0.5, Interval(0.0, 1.0), (), (), (), (), n_a, n_b)
    return asdict(nothing) | {"needed": needed}


def write(name: str, frozen: dict[str, Any]) -> None:
    """Keeps an answer."""
    data = json.dumps(frozen, separators=(",", ":"), sort_keys=True).encode()
    (RESULTS / f"{name}.json.gz").write_bytes(gzip.compress(data, 9, mtime=0))


def read(name: str) -> dict[str, Any]:
    """The answer that was kept; where a merged latent was listed as shown with itself, which was a fault, it is not."""
    kept = json.loads(gzip.decompress((RESULTS / f"{name}.json.gz").read_bytes()))
    kept["settings"] = {section: value for section, value in kept["settings"].items() if section in KNOWN}
    for finding in kept["findings"]:
        finding["members"] = [latent for latent in finding["members"] if latent != finding["latent"]]
    return kept


def differences(kept: Any, found: Any, where: str = "") -> Iterator[str]:
    """Every place where two frozen results are not the same, in words."""
    if isinstance(kept, dict) and isinstance(found, dict):
        for key in sorted(kept.keys() | found.keys()):
            if key in kept and key in found:
                yield from differences(kept[key], found[key], f"{where}.{key}")
            else:
                yield f"{where}.{key} is {'missing' if key in kept else 'new'}"
    elif isinstance(kept, list) and isinstance(found, list):
        if len(kept) != len(found):
            yield f"{where} has {len(found)} entries, had {len(kept)}"
        for number, pair in enumerate(zip(kept, found, strict=False)):
            yield from differences(*pair, f"{where}[{number}]")
    elif isinstance(kept, (int, float)) and isinstance(found, (int, float)) and not isinstance(kept, bool):
        if not math.isclose(kept, found, rel_tol=RELATIVE, abs_tol=ABSOLUTE):
            yield f"{where} is {found}, was {kept}"
    elif kept != found:
        yield f"{where} is {found!r}, was {kept!r}"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _file(one) if key == "uri" else _rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) and math.isfinite(value) else value


def _file(uri: str) -> str:
    """An address without the folder, which is another one in every run."""
    return uri.rpartition("/")[2]
