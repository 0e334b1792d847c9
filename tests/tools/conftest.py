from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def tools_on_the_path(monkeypatch):
    """The training program is run as a script: its files find each other by their bare names."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "tools" / "mini")
