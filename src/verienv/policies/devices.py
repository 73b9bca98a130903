"""The memory that is free on a device, and bytes as people read them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def readable(size: int) -> str:
    """Return bytes in GB or, below one, in MB."""
    return f"{size / 10**9:,.1f} GB" if size >= 10**9 else f"{size / 10**6:,.1f} MB"


def available_memory(device: Any = "cpu", root: Path = Path("/")) -> int:
    """Bytes that are free on a device: of a GPU as its driver says, else of the machine and of this process's cgroup.

    ``root`` is where /proc and /sys are looked for.
    """
    if str(device).startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = (line.split() for line in (root / "proc/meminfo").read_text().splitlines())
        free = next(int(line[1]) * 1024 for line in lines if line[0] == "MemAvailable:")
    except (OSError, StopIteration):  # no Linux: what there is, free or not
        free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([free, *_left_in_cgroups(root)])


def _left_in_cgroups(root: Path) -> Iterator[int]:
    """Bytes to the limit of each cgroup, of either version, that this process is in; caches can be given up."""
    try:
        entries = [line.split(":", 2) for line in (root / "proc/self/cgroup").read_text().splitlines()]
    except OSError:
        return
    for _, controllers, inside in entries:
        if controllers not in ("", "memory"):
            continue
        top = root / "sys/fs/cgroup" / controllers
        limit, used = (
            ("memory.limit_in_bytes", "memory.usage_in_bytes") if controllers else ("memory.max", "memory.current")
        )
        folder = top / inside.lstrip("/")
        for at in {top, folder, *folder.parents} - {*top.parents}:
            try:
                most, taken = (at / limit).read_text().strip(), int((at / used).read_text())
                told = dict(line.split() for line in (at / "memory.stat").read_text().splitlines())
            except (OSError, ValueError):  # none here, or not a container's own
                continue
            if most.isdecimal():
                yield max(0, int(most) - taken + int(told.get("total_inactive_file", told.get("inactive_file", 0))))
