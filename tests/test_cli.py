from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from latentdiff import cli

ROOT = Path(__file__).parents[1]


def fails(capsys: pytest.CaptureFixture[str], arguments: list[str], command: str = "compare") -> str:
    """The one line that a mistake gets."""
    with pytest.raises(SystemExit) as stop:
        getattr(cli, f"{command}_command")(arguments)
    shown = capsys.readouterr().err
    assert stop.value.code == 2, shown
    assert "Traceback" not in shown
    lines = [line for line in shown.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize("script", ["compare.py", "train_sae.py"])
def test_help_does_not_wait_for_torch(script: str) -> None:
    code = (
        "import sys, runpy; sys.argv = [sys.argv[1], '--help']\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print('torch' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code, script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "examples:" in shown.stdout
    assert shown.stdout.endswith("False\n")


def test_one_set_alone_asks_for_the_other(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "name --b" in fails(capsys, ["--a", str(tmp_path)])
    assert "name --a and --b" in fails(capsys, ["--config", "clip.yaml"])


@pytest.mark.parametrize("name", ["2024_01", "007", "no", "12:30", "x #y"])
def test_the_name_of_a_folder_stays_as_it_was_typed(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert f"/{name}" in fails(capsys, ["--a", name, "--b", "other"])
    assert f"/{name}" in fails(capsys, [f"a={name}", "b=other"])


def test_a_missing_folder_is_named_and_nothing_is_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    line = fails(capsys, ["--a", "/nowhere/a", "--b", "/nowhere/b", "--out", str(out)])
    assert "/nowhere/a" in line
    line = fails(capsys, ["--a", "world:everyday?images=5", "--b", "/nowhere/b", "--out", str(out)])
    assert "/nowhere/b" in line
    assert not out.exists()


def test_an_unknown_key_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    line = fails(capsys, ["--a", "x", "--b", "y", "concepts.rnk=gap"])
    assert "concepts.rank" in line


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("proposers=[visdif]", "did you mean 'visdiff'"),
        ("proposers=[visdiff,visdiff]", "twice"),
        ("proposers=", "proposers"),
        ("density.enabled=false", "proposers=[sae_latents]"),
    ],
)
def test_who_proposes_is_checked_before_any_work(capsys: pytest.CaptureFixture[str], setting: str, says: str) -> None:
    assert says in fails(capsys, ["--a", "x", "--b", "y", setting])


def test_a_word_that_is_no_setting_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "key=value" in fails(capsys, ["--a", "x", "--b", "y", "fast"])
    assert "a set of images goes behind --a, --b or --data" in fails(capsys, [str(tmp_path)])


def test_a_missing_sae_says_how_to_train_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    world = "world:everyday?images=4&seed={}"
    line = fails(
        capsys,
        ["--a", world.format(1), "--b", world.format(2), "--sae", str(tmp_path / "no"), "--out", str(tmp_path / "o")],
    )
    assert "train_sae.py" in line
    assert not (tmp_path / "o").exists()


def test_a_set_of_one_image_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    sets = ["--a", "world:everyday?images=1&seed=1", "--b", "world:everyday?images=5&seed=2"]
    assert "at least two" in fails(capsys, [*sets, "--out", str(tmp_path)])


def test_a_manifest_with_three_groups_lists_them(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with (tmp_path / "sets.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([["path", "group_name"], ["1.png", "red"], ["2.png", "green"], ["3.png", "blue"]])
    line = fails(capsys, ["--sets", str(tmp_path / "sets.csv")])
    assert all(group in line for group in ("red", "green", "blue"))


def test_training_without_data_or_place_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--data" in fails(capsys, [], "train")
    assert "--out" in fails(capsys, ["--data", "world:everyday?images=10"], "train")


def test_a_bug_keeps_its_traceback_and_exits_with_70(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(options: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(cli, "_compare", broken)
    with pytest.raises(SystemExit) as stop:
        cli.compare_command([])
    assert stop.value.code == 70
    assert "ZeroDivisionError: a bug" in capsys.readouterr().err
