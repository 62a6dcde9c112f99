"""Where the time goes: function by function, or import by import."""

import pstats
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.harness import processes

ROWS = 20
IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \| +(\S+)")
WAITING = "select.epoll"
# Calls per request: the access log is written once for many requests.
RARELY = 0.01
# The fastest of several attempts is the least disturbed.
TRIES = 5


class Calls(NamedTuple):
    """How often a function was called, and its own time."""

    number: int
    seconds: float


def recorded(file: Path) -> dict[str, Calls]:
    """Read cProfile's figures of each function, except waiting for requests."""
    # typeshed does not declare the attribute with the recorded figures.
    stats = pstats.Stats(str(file)).stats  # type: ignore[attr-defined]
    found: dict[str, Calls] = defaultdict(lambda: Calls(0, 0))
    for (path, _, function), (_, number, own, _, _) in stats.items():
        if WAITING not in function:
            name = f"{module(path)}{function}"
            before = found[name]
            found[name] = Calls(before.number + number, before.seconds + own)
    return found


def per_request(idle: Path, loaded: Path, requests: int) -> dict[str, float]:
    """Return each function's own time in microseconds per request.

    The time of the start is subtracted, and functions that are not called for each
    request are left out.
    """
    begun = recorded(idle)
    times = {}
    for name, calls in recorded(loaded).items():
        number = calls.number - begun[name].number
        if number > requests * RARELY:
            seconds = max(0, calls.seconds - begun[name].seconds)
            times[name] = seconds / requests * 1_000_000
    return times


def module(path: str) -> str:
    """Shorten a source path to its distinctive end."""
    return "" if path == "~" else "/".join(Path(path).parts[-2:]) + " "


def import_times(
    python: Path, statement: str, *, env: dict[str, str], cwd: Path = processes.PROJECT
) -> dict[str, float]:
    """Return the own import time of each package in milliseconds.

    Our own modules are listed one by one, others are summed by package.
    """
    command = (python, "-I", "-X", "importtime", "-c", statement)
    said = processes.run(command, env=env, cwd=cwd).stderr
    times: dict[str, float] = defaultdict(float)
    for own, name in IMPORT.findall(said):
        ours = name.startswith("my_app")
        times[name if ours else name.partition(".")[0]] += int(own) / 1000
    return times


def imports(
    python: Path,
    *,
    ours: str,
    theirs: str,
    env: dict[str, str],
    cwd: Path = processes.PROJECT,
) -> str:
    """Compare what two statements import."""
    found = {
        statement: min(
            (import_times(python, statement, env=env, cwd=cwd) for _ in range(TRIES)),
            key=lambda times: sum(times.values()),
        )
        for statement in (ours, theirs)
    }
    return side_by_side(
        f"own time in ms of `{ours}`, by -X importtime, which slows everything down",
        ours=found[ours],
        theirs=found[theirs],
        peer=theirs,
    )


def side_by_side(
    title: str, *, ours: Mapping[str, float], theirs: Mapping[str, float], peer: str
) -> str:
    """List what costs more than in the peer, the largest difference first."""
    names = sorted(
        ours.keys() | theirs.keys(),
        key=lambda name: theirs.get(name, 0) - ours.get(name, 0),
    )
    lines = [title, f"{'ours':>9} {'peer':>9} {'more':>9}  (peer: {peer})"]
    lines.append(row("in all", sum(ours.values()), sum(theirs.values())))
    lines += [
        row(each, ours.get(each, 0), theirs.get(each, 0)) for each in names[:ROWS]
    ]
    return "\n".join(lines)


def row(name: str, ours: float, theirs: float) -> str:
    """Render one line of `side_by_side`."""
    return f"{ours:9.2f} {theirs:9.2f} {ours - theirs:+9.2f}  {name}"
