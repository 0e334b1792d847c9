"""How much memory a process may use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from sae_training import memory

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
V1 = "memory/{}memory.limit_in_bytes"


def limited(monkeypatch: pytest.MonkeyPatch, folder: Path, groups: str, limits: Mapping[str, str]) -> int:
    monkeypatch.setattr(memory, "PROCESS_CGROUPS", folder / "groups")
    monkeypatch.setattr(memory, "CGROUP_ROOT", folder / "tree")
    (folder / "groups").write_text(groups)
    for name, text in limits.items():
        file = folder / "tree" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return memory.machine_memory()


@pytest.mark.parametrize(
    ("groups", "limits", "expected"),
    [
        ("0::/\n", {"memory.max": "1000\n"}, 1000),
        ("0::/slurm/job_7/step_0\n", {"slurm/job_7/memory.max": "700", "slurm/job_7/step_0/memory.max": "max"}, 700),
        ("0::/job\n", {"memory.max": "400", "job/memory.max": "900"}, 400),
        ("0::/job\n", {"other/memory.max": "5", "memory.max": "900"}, 900),
        ("5:cpu:/x\n4:memory,hugetlb:/docker/abc\n", {V1.format("docker/abc/"): "600", "x/memory.max": "5"}, 600),
        ("4:memory:/elsewhere\n", {V1.format(""): "500"}, 500),  # the container's own group, seen as the root
    ],
)
def test_the_smallest_limit_of_the_groups_around_a_process_counts(
    groups: str, limits: Mapping[str, str], expected: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert limited(monkeypatch, tmp_path, groups, limits) == expected


@pytest.mark.parametrize("text", ["max", "9223372036854771712", "", "-1"])
def test_without_a_limit_the_memory_is_that_of_the_machine(
    text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert limited(monkeypatch, tmp_path, "0::/job\nodd line\n", {"job/memory.max": text}) == MACHINE


def test_a_system_without_control_groups_has_what_the_machine_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(memory, "PROCESS_CGROUPS", tmp_path / "missing")
    monkeypatch.setattr(memory, "CGROUP_ROOT", tmp_path / "missing")
    assert memory.machine_memory() == MACHINE
