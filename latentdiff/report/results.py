"""The files for machines: `result.json` with everything, `findings.parquet` with one flat row per finding.

Both are described in `schema.md` beside this file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from latentdiff.hypotheses import Evidence, Interval, RankedFinding
from latentdiff.report.listing import numbered
from latentdiff.report.wording import word_verdict
from latentdiff.result import ComparisonResult
from sae_training.files import replacing

_TYPES = {"int": pa.int64(), "float": pa.float64()}


def write_results(result: ComparisonResult, folder: Path) -> None:
    """Writes `result.json` and `findings.parquet` into a folder, each whole or not at all.

    Args:
        result: the comparison.
        folder: made if it is not there; files of the same names are replaced.
    """
    with replacing(Path(folder) / "result.json") as temporary:
        temporary.write_text(to_json(result), encoding="utf-8")
    with replacing(Path(folder) / "findings.parquet") as temporary:
        pq.write_table(to_table(result), temporary)


def to_json(result: ComparisonResult) -> str:
    """The result as JSON that every parser reads: a number that is not finite is null."""
    return json.dumps(_plain(_record(result)), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def to_table(result: ComparisonResult) -> pa.Table:
    """One row per finding: the one list (`rank` from 1 on each side), then what says the same, then what travels."""
    places = {f"{ranked.side}{rank}": ranked for rank, ranked in numbered(result.ranking)}
    rows = [_row(ranked) | {"rank": int(place[1:])} for place, ranked in places.items()]
    for column, behind in (("behind", "alike"), ("travels_with", "travelling")):
        for place, ranked in places.items():
            rows += [_row(RankedFinding(one)) | {column: place} for one in getattr(ranked, behind)]
    details = sorted({column for row in rows for column in row if column.startswith("detail_")})
    schema = pa.schema([*_SCHEMA, *((column, pa.float64()) for column in details)])
    return pa.Table.from_pylist(_plain(rows), schema=schema)


def _record(result: ComparisonResult) -> dict[str, Any]:
    """The result with what people read first, the verdict's sentence."""
    return {"headline": word_verdict(result), **result.to_dict()}


def _evidence_columns(prefix: str) -> list[tuple[str, pa.DataType]]:
    columns = []
    for field in fields(Evidence):
        if field.type == "Interval":
            columns += [(f"{prefix}{field.name}_{end.name}", pa.float64()) for end in fields(Interval)]
        else:
            columns.append((f"{prefix}{field.name}", _TYPES[str(field.type)]))
    return columns


_SCHEMA: list[tuple[str, pa.DataType]] = [
    ("side", pa.string()),
    ("rank", pa.int64()),
    ("name", pa.string()),
    ("words", pa.list_(pa.string())),
    ("name_found", pa.bool_()),
    ("proposers", pa.list_(pa.string())),
    ("score", pa.float64()),
    *_evidence_columns(""),
    ("status", pa.string()),
    ("behind", pa.string()),
    ("travels_with", pa.string()),
    ("given_p_value", pa.float64()),
    ("taken", pa.float64()),
    ("vanishes_given", pa.list_(pa.string())),
    ("threshold", pa.float64()),
    *_evidence_columns("verified_"),
    ("latent", pa.int64()),
    ("latent_words", pa.list_(pa.string())),
    ("members", pa.list_(pa.int64())),
    ("images", pa.list_(pa.string())),
    ("near_misses", pa.list_(pa.string())),
]


def _row(ranked: RankedFinding) -> dict[str, Any]:
    finding, hypothesis, check = ranked.finding, ranked.finding.hypothesis, ranked.finding.verification
    return {
        "side": finding.side,
        "name": finding.words[0] if finding.words else None,
        "words": list(finding.words),
        "name_found": finding.name_found,
        "proposers": list(ranked.proposers),
        "score": hypothesis.score,
        **(_evidence_values(hypothesis.evidence, "") if hypothesis.evidence else {}),
        "status": finding.status,
        "given_p_value": finding.given.p_value if finding.given else None,
        "taken": finding.given.taken if finding.given else None,
        "vanishes_given": list(finding.given.vanishes_given) if finding.given else [],
        "threshold": check.threshold if check else None,
        **(_evidence_values(check.evidence, "verified_") if check else {}),
        "latent": ranked.latents[0] if ranked.latents else None,
        "latent_words": list(ranked.latent_words),
        "members": list(ranked.latents[1:]),
        "images": [ref.uri or ref.id for ref in hypothesis.images],
        "near_misses": [ref.uri or ref.id for ref in hypothesis.near_misses],
        **{f"detail_{key}": value for key, value in hypothesis.details.items()},
    }


def _evidence_values(evidence: Evidence, prefix: str) -> dict[str, float]:
    values: dict[str, float] = {}
    for field in fields(Evidence):
        value = getattr(evidence, field.name)
        ends = {"_low": value.low, "_high": value.high} if isinstance(value, Interval) else {"": value}
        values.update({f"{prefix}{field.name}{end}": number for end, number in ends.items()})
    return values


def _plain(value: Any) -> Any:
    """Plain types only: numpy scalars and paths come in with settings, halves of characters with file names."""
    if isinstance(value, Mapping):
        return {_plain(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int)):
        return value
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8")
