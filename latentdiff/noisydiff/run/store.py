"""The predictions for a pair as one file, each with the key of all that it was made from.

No prediction is made twice, or taken over from other settings, and a killed run goes on where it was.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from latentdiff.keys import key_of
from latentdiff.noisydiff.methods.predictions import Prediction
from sae_training.files import replacing

log = logging.getLogger(__name__)

Kept = dict[str, tuple[str, Prediction]]  # method -> key, prediction


def file_of(folder: Path, pair: str) -> Path:
    """Where the predictions for a pair lie; ids of pairs may hold anything."""
    return folder / f"{re.sub(r'[^a-zA-Z0-9-]+', '_', pair)[:80]}-{key_of(pair)[:8]}.json"


def read_predictions(file: Path) -> Kept:
    """The predictions in a file; none where there is no file, or where it cannot be read."""
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        return {row["method"]: (row.pop("key"), _prediction(row)) for row in rows}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s cannot be read (%s); its pair is answered anew", file, error)
        return {}


def write_predictions(file: Path, kept: Kept) -> None:
    """Writes all predictions for a pair, whole or not at all."""
    rows = [{"key": key, **asdict(prediction)} for key, prediction in kept.values()]
    with replacing(file) as temporary:
        temporary.write_text(json.dumps(rows, ensure_ascii=False) + "\n", encoding="utf-8")


def missing(file: Path, keys: Mapping[str, str]) -> list[str]:
    """The methods whose prediction is missing or has another key than it should have now."""
    kept = read_predictions(file)
    return [method for method, key in keys.items() if method not in kept or kept[method][0] != key]


def _prediction(row: Mapping[str, Any]) -> Prediction:
    findings = {side: tuple(tuple(finding) for finding in said) for side, said in row["findings"].items()}
    confirmed = {side: tuple(held) for side, held in row["confirmed"].items()}
    roles = {side: tuple(of) for side, of in row.get("roles", {}).items()}
    shown = {side: tuple(tuple(ids) for ids in of) for side, of in row.get("shown", {}).items()}
    return Prediction(**{**row, "findings": findings, "confirmed": confirmed, "roles": roles, "shown": shown})
