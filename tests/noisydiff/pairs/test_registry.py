"""A builder of pairs is one file and one line: a toy one is read from a configuration, built, kept and rebuilt."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from latentdiff.embeddings import from_arrays
from latentdiff.errors import LatentDiffError
from latentdiff.noisydiff import settings as settings_file
from latentdiff.noisydiff.pairs.builder import Builder, SetSource
from latentdiff.noisydiff.pairs.pair import Pair
from latentdiff.noisydiff.pairs.rebuild import rebuild
from latentdiff.noisydiff.pairs.registry import BUILDERS
from latentdiff.noisydiff.pairs.sampling import truth_of
from latentdiff.noisydiff.run.inputs import open_pairs


@dataclasses.dataclass(frozen=True)
class ToySettings:
    """Where the alphabet is cut."""

    at: int = 2
    scarcity: float | None = None

    def __post_init__(self) -> None:
        if self.at < 1:
            raise LatentDiffError(f"at is {self.at}; use 1 or more")


def toy_pair(ids: list[str], at: int, scarcity: float | None, seed: int = 0) -> Pair:
    first, rest = sorted(ids)[:at], sorted(ids)[at:]
    recipe = {"builder": "toy", "at": at, "scarcity": scarcity}
    return Pair("toy", "", tuple(first), tuple(rest), {"a": truth_of("dog")}, scarcity or 1.0, seed, recipe)


def build(source: SetSource, settings: ToySettings) -> list[Pair]:
    return [toy_pair(source.table.column("id").to_pylist(), settings.at, settings.scarcity)]


TOY = Builder("toy", build, lambda ids, recipe, seed: toy_pair(ids, **recipe, seed=seed), ToySettings)


@pytest.fixture
def with_toy(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The settings, read anew after the line in the registry was written."""
    monkeypatch.setitem(BUILDERS, "toy", TOY)
    spec = importlib.util.spec_from_file_location("settings_with_toy", settings_file.__file__)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def read(module: ModuleType, tmp_path: Path, **toy: Any) -> Any:
    overrides = [f"sets.letters.toy.{key}={value}" for key, value in toy.items()]
    settings = module.read_settings(
        None, ["sets.letters.images=letters", "sets.letters.builder=toy", f"out={tmp_path}", *overrides]
    )
    return settings, settings.sets[0]


def test_a_toy_builder_takes_its_settings_from_the_configuration_and_its_pairs_are_rebuilt(
    with_toy: ModuleType, tmp_path: Path
) -> None:
    images = from_arrays(np.eye(5), list("ebdca"))
    settings, letters = read(with_toy, tmp_path, at=3)
    (pair,) = open_pairs(letters, settings, images)
    assert (pair.a, pair.b) == (("a", "b", "c"), ("d", "e"))
    assert open_pairs(letters, settings, images) == [pair]  # from its file
    assert rebuild(pair, list("abcde")) == pair


def test_a_toy_builder_is_built_at_every_scarcity_where_its_settings_have_one(
    with_toy: ModuleType, tmp_path: Path
) -> None:
    settings, letters = read(with_toy, tmp_path)
    pairs = open_pairs(
        dataclasses.replace(letters, scarcities=(0.1, 0.2)), settings, from_arrays(np.eye(3), list("abc"))
    )
    assert [(pair.id, pair.scarcity) for pair in pairs] == [("toy@0.1", 0.1), ("toy@0.2", 0.2)]


def test_faults_in_the_settings_of_a_toy_builder_name_its_section(with_toy: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(LatentDiffError, match=r"sets\.letters: toy: at is 0; use 1 or more"):
        read(with_toy, tmp_path, at=0)
    with pytest.raises(LatentDiffError, match=r"unknown key 'toy.att', did you mean 'toy.at'\?"):
        read(with_toy, tmp_path, att=1)


def test_every_builder_goes_by_its_own_name_and_the_sections_of_a_set_are_theirs() -> None:
    assert [builder.name for builder in BUILDERS.values()] == list(BUILDERS)
    sections = {item.name: item.type for item in dataclasses.fields(settings_file.SetSettings)}
    for name, builder in BUILDERS.items():
        assert sections.get(name) is builder.settings
