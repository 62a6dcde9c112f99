"""The machine: its CPUs, and the CPU time of a process."""

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple


class Cpus(NamedTuple):
    """The CPUs of server and client; None where they cannot be chosen."""

    server: set[int] | None
    client: set[int] | None


def cpus() -> Cpus:
    """Give the server one CPU to itself and the client the others."""
    if sys.platform == "linux":
        free = sorted(os.sched_getaffinity(0))
        if len(free) > 1:
            return Cpus({free[-1]}, set(free[:-1]))
    return Cpus(None, None)


@contextmanager
def pinned(chosen: set[int] | None) -> Iterator[None]:
    """Restrict processes that are started meanwhile to these CPUs."""
    if sys.platform != "linux" or chosen is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid: int) -> float | None:
    """Return the CPU time of a process so far, None if unknown."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return None
    # The name in brackets may contain spaces; field 3 of proc(5) comes after it.
    fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
    user, system = int(fields[11]), int(fields[12])
    return (user + system) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int | None:
    """Return how much memory of the machine a process has, None if unknown."""
    statm = Path(f"/proc/{pid}/statm")
    if not statm.exists():
        return None
    return int(statm.read_text(encoding="utf-8").split()[1]) * os.sysconf(
        "SC_PAGE_SIZE"
    )


def describe() -> str:
    """Describe where and when the figures were measured."""
    now = datetime.now(UTC).date().isoformat()
    return (
        f"{now}, {platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, "
        f"Python {platform.python_version()}"
    )
