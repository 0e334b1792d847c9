"""The whole way, small: rendered scenes to pairs, answers, tables and the page, by the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from latentdiff.noisydiff import __main__ as command

QUICK = [
    "methods=[concept,density,combined,mean-shift,random-latents,parent]",
    "sets.everyday.images=world:everyday?images=260&seed=77",
    "sets.everyday.scarcities=[0.1]",
    "sets.everyday.worlds.pairs=2",
    "sets.everyday.worlds.size=100",
    "sets.everyday.halves=1",
    "sets.everyday.halves_size=100",
    "naming.words=300",
    "naming.phrases=false",
    "naming.templates=['{}']",
    "density.iterations=3",
    "similarity=none",
    "processes=0",
]


@pytest.mark.slow
def test_the_worlds_run_from_pairs_to_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = [f"out={tmp_path / 'out'}", f"cache={tmp_path / 'cache'}"]
    settings = ["--config", "noisydiff-worlds.yaml", *QUICK, *places]
    command.main(["build", *settings])
    assert "everyday: 3 pairs in" in capsys.readouterr().out
    command.main(["run", *settings])
    folder = tmp_path / "out" / "everyday"
    assert f"everyday: 3 pairs, 6 methods; {folder}/page.html" in capsys.readouterr().out
    assert len(list((folder / "answers").glob("*.json"))) == 3
    table = (folder / "tables.md").read_text()
    assert all(method in table for method in ("concept", "combined", "mean-shift", "random-latents"))
    page = (folder / "page.html").read_text()
    (folder / "page.html").unlink()
    command.main(["page", *settings])
    assert "everyday/" in page
    assert (folder / "page.html").is_file()
