"""The wheel holds all that the packages read, and its commands run where there is no repository."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

import latentdiff

ROOT = Path(__file__).parents[1]

TRAIN_AND_COMPARE = """
import sys
from importlib.metadata import distribution
from latentdiff.config import find_config

commands = {entry.name: entry.load() for entry in distribution("latentdiff").entry_points}
# few images, few steps, few words
sets = [f"--{side}=world:radiographs?images=120&seed={seed}" for side, seed in (("a", 2), ("b", 3))]
words = ["naming.words=200", "naming.things=0"]
quick = ["sae.steps=3", "sae.expansion_factor=2", "sae.k=4", *words, "density.iterations=3"]
commands["latentdiff-train-sae"](["--config=medical.yaml", "--data=world:radiographs?images=120&seed=1", *quick])
commands["latentdiff-compare"](["--config=medical.yaml", *sets, *quick])
print(*(find_config(name) for name in sys.argv[1:]), sep="\\n")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with the backend of this environment: nothing is fetched."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an installation unpacks, with nothing of the repository near it."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_wheel_holds_every_file_of_the_packages_and_every_configuration(installed: Path) -> None:
    def files(folder: Path) -> set[str]:
        found = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
        return {str(file) for file in found if "__pycache__" not in file.parts}

    assert files(installed / "latentdiff" / "configs") == files(ROOT / "configs")
    assert files(installed / "latentdiff") == files(ROOT / "latentdiff") | {
        f"configs/{name}" for name in files(ROOT / "configs")
    }
    assert files(installed / "sae_training") == files(ROOT / "sae_training")
    assert {"latentdiff/py.typed", "sae_training/py.typed"} <= files(installed)
    assert {name.partition("/")[0] for name in files(installed)} == {
        *("latentdiff", "sae_training", f"latentdiff-{latentdiff.__version__}.dist-info")
    }


def test_the_wheel_has_the_version_and_the_licences(installed: Path) -> None:
    (about,) = installed.glob("*.dist-info")
    assert message_from_string((about / "METADATA").read_text())["Version"] == latentdiff.__version__
    licences = {file.name for file in (about / "licenses").rglob("*") if file.is_file()}
    assert licences == {"LICENSE", "WORDNET_LICENSE.txt"}


def test_the_installed_commands_train_and_compare_with_a_configuration_by_name(installed: Path, tmp_path: Path) -> None:
    names = sorted(file.name for file in (ROOT / "configs").glob("*.yaml"))
    done = subprocess.run(
        [sys.executable, "-c", TRAIN_AND_COMPARE, *names],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "medical-report" / "report.html").exists()
    assert done.stdout.splitlines()[-len(names) :] == [str(installed / "latentdiff" / "configs" / n) for n in names]
