from __future__ import annotations

import pytest
from rich.console import Console

from latentdiff import progress as module
from latentdiff.progress import ProgressDisplay


def run_stages(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Two stages of ten steps, each step taking `seconds` on a clock that the test holds."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    with ProgressDisplay(Console(force_terminal=False)) as progress:
        for stage in ("embedding", "training"):
            for done in range(11):
                progress(stage, done, 10)
                now[0] += seconds


def test_what_is_quick_is_not_spoken_of(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run_stages(monkeypatch, 0.1)
    assert capsys.readouterr().err == ""


def test_a_log_gets_plain_lines_and_not_one_per_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_stages(monkeypatch, 2.5)
    lines = capsys.readouterr().err.splitlines()
    assert "embedding: 1 of 10" in lines
    assert "training: done in 28 s" in lines
    assert 4 <= len(lines) <= 10
