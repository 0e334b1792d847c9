from __future__ import annotations

import json
from pathlib import Path

import pytest

from latentdiff.noisydiff.methods.predictions import Prediction
from latentdiff.noisydiff.run.store import missing, read_predictions, write_predictions

PREDICTION = Prediction(
    "combined",
    "person/tie",
    {"a": (("dog", "puppy"), ("grass",)), "b": ()},
    {"a": (True, False)},
    {"a": ("lead", "travels"), "b": ()},
    {"a": (("1.jpg", "7.jpg"), ()), "b": ()},
    details={"q": 0.5},
)


def test_a_prediction_is_read_as_it_was_written(tmp_path: Path) -> None:
    kept = {"combined": ("key", PREDICTION), "gsclip": ("other", Prediction("gsclip", "person/tie"))}
    write_predictions(tmp_path / "pair.json", kept)
    assert read_predictions(tmp_path / "pair.json") == kept


@pytest.mark.parametrize("roles", [{"a": ["lead"]}, {"a": ["lead", "follower"]}])
def test_a_file_whose_roles_fit_no_findings_is_answered_anew(tmp_path: Path, roles: dict[str, list[str]]) -> None:
    file = tmp_path / "pair.json"
    write_predictions(file, {"combined": ("key", PREDICTION)})
    (row,) = json.loads(file.read_text())
    file.write_text(json.dumps([{**row, "roles": roles}]))
    assert missing(file, {"combined": "key"}) == ["combined"]
