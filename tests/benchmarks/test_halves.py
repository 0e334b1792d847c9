"""The benchmark from end to end, small: every claim is counted in every run, and what is planted is seen."""

from __future__ import annotations

import re
import sys

import pytest

from benchmarks import halves


@pytest.mark.slow
def test_every_claim_is_counted_and_what_is_planted_is_seen(monkeypatch, capsys):
    monkeypatch.setattr(halves, "IMAGES", 150)
    monkeypatch.setattr(halves, "SHARE", 0.3)
    monkeypatch.setattr(sys, "argv", ["halves", "--seeds", "2", "--no-record"])
    halves.main()
    rows = re.findall(r"^  (.+?): (.+?) +(\d) of 2 ", capsys.readouterr().out, re.MULTILINE)
    hits = {(part, claim): int(count) for part, claim, count in rows}
    assert len(rows) == len(hits) == 8
    assert hits["5 % planted", "verdict"] == 2
    assert hits["halves of one set", "verdict"] < 2
