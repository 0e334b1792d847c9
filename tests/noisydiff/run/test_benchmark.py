"""The whole way, small: rendered scenes to pairs, answers, tables and the page, by the command."""

from __future__ import annotations

import json
import re
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
    "naming.things=0",
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


def test_a_page_of_no_answers_says_so_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        command.main(["page", "--config", "noisydiff-worlds.yaml", *QUICK, f"out={tmp_path / 'out'}"])
    assert stop.value.code == 2
    assert "no answers in" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_sweep_answers_the_same_pairs_with_one_setting_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = [f"out={tmp_path / 'out'}", f"cache={tmp_path / 'cache'}", "methods=[concept,random-latents]"]
    vary = ["vary.concepts.rank=[jsd_gap,jsd]", "vary.naming.words_per_latent=[1]"]
    command.main(["sweep", "--config", "noisydiff-worlds.yaml", *QUICK, *places, *vary])
    folder = tmp_path / "out" / "everyday" / "sweep"
    assert f"everyday: 3 changes; {folder}/tables.md" in capsys.readouterr().out
    tables = json.loads((folder / "tables.json").read_text())
    assert [row["value"] for row in tables["concepts-rank"]["rows"]] == ["jsd_gap (as set)", "jsd"]
    assert [row["value"] for row in tables["naming-words_per_latent"]["rows"]] == ["5 (as set)", "1"]
    assert (folder / "naming-words_per_latent.svg").is_file()
    assert len(list((folder / "answers").iterdir())) == 2


@pytest.mark.parametrize(
    ("vary", "says"),
    [
        ([], "nothing to vary"),
        (["vary.concepts.rank=jsd"], r"write vary\.KEY=\[VALUE,\.\.\.\]"),
        (["vary.out=[x]"], "with a key of encoder, level, .*sae"),
        (["vary.concepts.rank=[nosuch]"], "nosuch"),
        (["vary.sae.k=[5]"], r"sae\.k changes nothing for 'everyday'"),
    ],
)
def test_a_sweep_says_what_it_cannot_vary(vary: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["sweep", "--config", "noisydiff-worlds.yaml", *vary])
    assert ended.value.code == 2
    assert re.search(says, capsys.readouterr().err)
