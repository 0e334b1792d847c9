"""How much memory this process may use: the machine's, or less in a container or a cluster job."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

PROCESS_CGROUPS = Path("/proc/self/cgroup")  # lines of number:controllers:group; no controllers in cgroup v2
CGROUP_ROOT = Path("/sys/fs/cgroup")


def machine_memory() -> int:
    """Bytes: the smallest memory limit of this process's control groups, or the machine's memory.

    Above such a limit the system ends the process, however much memory is free.
    """
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *(limit for file in _limit_files() if (limit := _limit(file)))])


def _limit_files() -> Iterator[Path]:
    """Limit files of cgroup v2 and v1: of the process's own group and of those around it, up to the container's."""
    roots = {"": (CGROUP_ROOT, "memory.max"), "memory": (CGROUP_ROOT / "memory", "memory.limit_in_bytes")}
    groups = [":", ":memory:"]  # a container may see its own group as the root, under another name
    for line in (*groups, *_lines(PROCESS_CGROUPS)):
        _, controllers, group = (*line.split(":", 2), "", "")[:3]
        for controller in roots.keys() & set(controllers.split(",")):
            root, name = roots[controller]
            inside = Path(group.lstrip("/"))
            yield from (root / part / name for part in (inside, *inside.parents))


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []


def _limit(file: Path) -> int | None:
    text = "".join(_lines(file)).strip()
    return int(text) if text.isdecimal() else None  # "max": none
