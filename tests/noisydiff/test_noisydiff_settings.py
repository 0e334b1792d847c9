from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from latentdiff.errors import LatentDiffError
from latentdiff.noisydiff import __main__ as command
from latentdiff.noisydiff.methods.baseline import Baseline
from latentdiff.noisydiff.methods.registry import BASELINES
from latentdiff.noisydiff.run.harness import _facts
from latentdiff.noisydiff.settings import Settings, located, read_settings, read_variants, to_yaml

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs").glob("noisydiff-*.yaml"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "benchmark.yaml"
    path.write_text(
        "methods: [concept, gsclip]\n"
        "sets:\n"
        "  scenes: {images: 'world:everyday?images=50', builder: worlds, column: labels, worlds: {pairs: 2}}\n"
        "  photos: {images: photos/*.tar, builder: classes, scarcities: [0.05, 0.02]}\n"
    )
    return path


def refusal(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> str:
    """The one line that a mistake gets."""
    with pytest.raises(SystemExit) as stop:
        command.main(arguments)
    shown = capsys.readouterr().err
    assert stop.value.code == 2, shown
    assert "Traceback" not in shown
    lines = [line for line in shown.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_benchmark_in_the_repository_is_valid_and_shows_its_command(path: Path) -> None:
    assert read_settings(str(path)).sets
    varied = "\nvary:" in path.read_text()
    assert f"python -m latentdiff.noisydiff {'sweep' if varied else 'run'} --config {path.name}" in path.read_text()
    if varied:
        assert read_variants(str(path))[1]


def test_what_the_command_varies_takes_the_place_of_what_the_file_varies() -> None:
    _, variants = read_variants("noisydiff-study.yaml", ["vary.sae.k=[10,40]"])
    assert [(variant.key, variant.value) for variant in variants] == [("sae.k", 10), ("sae.k", 40)]
    _, all_of_them = read_variants("noisydiff-study.yaml")
    assert len({variant.key for variant in all_of_them}) > 10


def test_there_are_benchmarks_to_check() -> None:
    assert {"noisydiff-worlds.yaml", "noisydiff-photos.yaml", "noisydiff-paper.yaml"} <= {p.name for p in CONFIGS}


def test_sets_are_read_by_name_and_overrides_reach_into_them(file: Path) -> None:
    settings = read_settings(str(file), ["sets.scenes.worlds.size=100", "data.root=007", "sae.k=5"])
    scenes, photos = settings.sets
    assert (scenes.name, scenes.worlds.pairs, scenes.worlds.size) == ("scenes", 2, 100)
    assert photos.scarcities == (0.05, 0.02)
    assert settings.data.root == "007"
    assert settings.sae.k == 5


def test_what_is_written_beside_the_results_reads_back_the_same(file: Path, tmp_path: Path) -> None:
    settings = read_settings(str(file))
    (tmp_path / "config.yaml").write_text(to_yaml(settings))
    assert read_settings(str(tmp_path / "config.yaml")) == settings


def test_only_one_set_is_run_where_one_is_named(file: Path) -> None:
    assert [one.name for one in read_settings(str(file), ["only=photos"]).chosen_sets()] == ["photos"]
    with pytest.raises(LatentDiffError, match="photos, scenes"):
        read_settings(str(file), ["only=phtos"]).chosen_sets()


def test_an_unknown_method_lists_all_of_them(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refusal(capsys, ["run", "--config", str(file), "methods=[gsclop]"])
    assert all(name in line for name in ("gsclip", "task-paper-combined", "visdiff", "random-latents"))


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("sets.photos.buider=x", "'builder'"),
        ("sets.photos.builder=clases", "classes"),
        ("sets.photos=3", "sets.NAME.KEY"),
        ("sae.data=photos", "sets.NAME.pool"),
        ("sets.photos.builder=closed", "scarcities change nothing"),
        ("sets.scenes.worlds.size=1", "size"),
        ("sets.new.builder=classes", "has no images"),
        ("sets.photos.classes.pairs=0", "sets.photos: classes: pairs is 0"),
        ("methods=[gsclip,gsclip]", "each once"),
        ("proposers=[density_ratio]", "add sae_latents to proposers"),
        ("processes=-1", "processes"),
        ("pairs=0", "pairs"),
        ("concepts.rnk=gap", "concepts.rank"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(file: Path, override: str, part: str) -> None:
    with pytest.raises(LatentDiffError) as caught:
        read_settings(str(file), [override])
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["sets: [1\n", "- a\n- list\n", "sets: {x: 3}\n"])
def test_a_file_that_is_no_benchmark_is_refused_in_one_line(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    refusal(capsys, ["run", "--config", str(tmp_path / "bad.yaml")])


def test_a_set_without_images_is_named_where_there_is_no_file() -> None:
    with pytest.raises(LatentDiffError, match=r"^the set 'photos' has no images"):
        read_settings(None, ["sets.photos.part=all"])


def test_a_benchmark_without_images_says_how_to_name_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert "sets.NAME.images" in refusal(capsys, ["build"])


def test_the_pools_sae_is_needed_by_our_methods_without_task() -> None:
    assert Settings(methods=("concept",)).needs_pool
    assert Settings(methods=("random-latents",)).needs_pool
    assert not Settings(methods=("task-concept", "gsclip")).needs_pool


def test_a_baseline_needs_the_pools_sae_where_its_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    given = Settings(methods=("gsclip",))
    assert _facts("gsclip", given, "one SAE") == _facts("gsclip", given, "another")
    monkeypatch.setitem(BASELINES, "gsclip", Baseline(BASELINES["gsclip"].predict, needs_latents=True))
    assert given.needs_pool
    assert _facts("gsclip", given, "one SAE") != _facts("gsclip", given, "another")


def test_names_that_look_like_numbers_stay_names() -> None:
    settings = read_settings(None, ["sets.x.images=2024_01", "sets.x.column=007"])
    assert (settings.sets[0].images, settings.sets[0].column) == ("2024_01", "007")


def test_relative_sources_lie_in_the_root_and_others_where_they_say() -> None:
    assert located("photos/*.tar", "/data") == "/data/photos/*.tar"
    assert located("/else/photos", "/data") == "/else/photos"
    assert located("world:everyday?images=5", "/data") == "world:everyday?images=5"


def test_help_does_not_wait_for_torch() -> None:
    code = (
        "import sys, runpy; sys.argv = ['x', '--help']\n"
        "try: runpy.run_module('latentdiff.noisydiff', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print('torch' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "noisydiff-worlds.yaml" in shown.stdout
    assert shown.stdout.endswith("False\n")


def test_a_bug_keeps_its_traceback_and_exits_with_70(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(command, "_do", broken)
    with pytest.raises(SystemExit) as stop:
        command.main(["run"])
    assert stop.value.code == 70
    assert "RuntimeError: a bug" in capsys.readouterr().err
