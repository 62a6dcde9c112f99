"""From a fresh clone to a working environment."""

import os
from statistics import median
from time import perf_counter

from benchmarks import checkouts, processes
from benchmarks.benchmark import Comparison, UnavailableError

COMMAND = ("make", "setup")


def run(rounds: int) -> list[Comparison]:
    """Set up one fresh clone after another; the first only fills the cache."""
    _, *seconds = (set_up() for _ in range(rounds + 1))
    return [Comparison(what="make setup, warm cache", unit="s", ours=median(seconds))]


def set_up() -> float:
    """Return the seconds that `make setup` takes in a fresh clone."""
    with checkouts.copied() as copy:
        if not (copy / "Makefile").is_file():
            raise UnavailableError("found no Makefile")
        return processes.seconds_of(COMMAND, cwd=copy)


def profile() -> str:
    """Show what is printed, and when."""
    lines = []
    readable, writable = os.pipe()
    with checkouts.copied() as copy, os.fdopen(readable) as output:
        begun = perf_counter()
        with processes.started(COMMAND, cwd=copy, output=writable):
            os.close(writable)
            lines = [f"{perf_counter() - begun:7.2f} s  {line}" for line in output]
        lines.append(f"{perf_counter() - begun:7.2f} s  end")
    return "".join(lines)
