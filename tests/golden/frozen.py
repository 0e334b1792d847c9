"""A result as it is frozen: every number and word of it, but for what is of the run."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from latentdiff.report.wording import word_verdict
from latentdiff.result import ComparisonResult

RESULTS = Path(__file__).parent / "results"
KNOWN = ("naming", "concepts", "density", "language", "verify", "combine")  # sections of settings that are compared
DIGITS = 7  # that are kept of a number
RELATIVE, ABSOLUTE = 1e-4, 1e-6  # how far a number may lie from the frozen one: other processors sum in another order


def freeze(result: ComparisonResult) -> dict[str, Any]:
    """The result as plain types: what is in `result.json`, but for the run and the settings that cannot change it."""
    frozen = {"headline": word_verdict(result), **result.to_dict()}
    del frozen["run"]
    frozen["settings"] = {section: frozen["settings"][section] for section in KNOWN}
    del frozen["settings"]["language"]["llm"]["base_url"]  # its port is another one in every run
    return _rounded(json.loads(json.dumps(frozen)))


def write(name: str, frozen: dict[str, Any]) -> None:
    """Keeps an answer."""
    data = json.dumps(frozen, separators=(",", ":"), sort_keys=True).encode()
    (RESULTS / f"{name}.json.gz").write_bytes(gzip.compress(data, 9, mtime=0))


def read(name: str) -> dict[str, Any]:
    """The answer that was kept."""
    return json.loads(gzip.decompress((RESULTS / f"{name}.json.gz").read_bytes()))


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
