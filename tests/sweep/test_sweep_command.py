"""A real sweep by the command: killed in the middle, continued, and not taken for finished when anything changed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import sae_training
from latentdiff import cli

ROOT = Path(__file__).parents[2]
QUICK = [
    *("sae.steps=25", "sae.batch_size=32"),
    *("naming.words=200", "naming.phrases=false", "naming.things=0", "naming.templates=['{}']"),
]
SWEPT = ["--sweep", "sae.k=2,6", "sae.expansion_factor=1,2"]


def arguments(out: Path, images: int = 110) -> list[str]:
    return ["--data", f"world:everyday?images={images}&seed=6", "--out", str(out), *QUICK, *SWEPT]


def times(out: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in (out / "points").glob("*.json")}


def kill_after_a_point(out: Path) -> None:
    process = subprocess.Popen([sys.executable, "train_sae.py", *arguments(out)], cwd=ROOT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    while not times(out) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def without_seconds(out: Path) -> list[dict]:
    rows = json.loads((out / "sweep.json").read_text())["sweep"]["rows"]
    return [{key: value for key, value in row.items() if key != "time"} for row in rows]


@pytest.mark.slow
def test_a_killed_sweep_goes_on_where_it_was_and_ends_as_if_it_had_not_been_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, trained = tmp_path / "sweep", []
    real = sae_training.train
    monkeypatch.setattr(sae_training, "train", lambda *a, **k: trained.append(a[1]) or real(*a, **k))

    kill_after_a_point(out)
    before = times(out)
    assert 1 <= len(before) < 4

    cli.train_command(arguments(out))
    assert f"Page: {out}/sweep.html" in capsys.readouterr().out
    after = times(out)
    assert len(after) == 4
    assert {name: after[name] for name in before} == before
    assert len(trained) == 2 * (4 - len(before))
    assert {settings.seed for settings in trained} == {0, 1}
    table = pq.read_table(out / "sweep.parquet").to_pylist()
    assert [(row["sae.k"], row["sae.expansion_factor"]) for row in table] == [(2, 1), (2, 2), (6, 1), (6, 2)]
    assert all(0 <= row["agreement"] <= 1 and 0 <= row["named"] <= 1 and row["time"] > 0 for row in table)
    assert "| sae.k | sae.expansion" in (out / "sweep.md").read_text()

    trained.clear()
    cli.train_command(arguments(out))
    assert trained == []

    whole = tmp_path / "whole"
    cli.train_command(["--data", str(out / "embeddings"), "--out", str(whole), *QUICK, *SWEPT])
    assert without_seconds(whole) == without_seconds(out)

    trained.clear()
    cli.train_command([*arguments(out)[:-1], "sae.dead_window=0.1"])  # other settings
    assert len(trained) == 4
    trained.clear()
    cli.train_command([*arguments(out, images=105)[:-1], "sae.dead_window=0.1"])  # other images
    assert len(trained) == 4


@pytest.mark.slow
def test_each_point_is_scored_by_a_benchmark_with_its_own_sae(tmp_path: Path) -> None:
    benchmark = tmp_path / "benchmark.yaml"
    benchmark.write_text(
        f"""
processes: 0
similarity: none
cache: {tmp_path / "cache"}
naming: {{words: 300, phrases: false, templates: ['{{}}']}}
sets:
  everyday:
    images: world:everyday?images=150&seed=77
    builder: worlds
    column: labels
    scarcities: [0.1]
    worlds: {{pairs: 1, size: 60}}
"""
    )
    out = tmp_path / "sweep"
    command = ["--data", "world:everyday?images=110&seed=6", "--out", str(out), *QUICK]
    cli.train_command([*command, "--sweep", "sae.k=2,6", "sweep.seeds=1", f"sweep.noisydiff={benchmark}"])
    rows = json.loads((out / "sweep.json").read_text())["sweep"]["rows"]
    assert [row["sae.k"] for row in rows] == [2, 6]
    assert all(0 <= row["Noisy-Diff"] <= 1 and row["Noisy-Diff pairs"] == 1 for row in rows)
    answers = list((out / "noisydiff" / "everyday" / "answers").glob("*/*.json"))
    assert len({file.parent for file in answers}) == len(answers) == 2
    told = [json.loads(file.read_text())[0]["method"] for file in answers]
    assert told == ["concept", "concept"]


def test_faults_exit_with_2_before_anything_is_written(tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    with pytest.raises(SystemExit) as stop:
        cli.train_command([*arguments(out), "--sweep", "sae.k=2,9999"])
    assert stop.value.code == 2
    assert not os.path.exists(out)
