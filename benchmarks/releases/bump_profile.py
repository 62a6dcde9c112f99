"""Where `cz bump` spends its time: git processes and Python functions."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.harness import processes, profiles
from benchmarks.releases.clones import Clone

MILLISECONDS = 1000
# The tool sets it for each git that it starts, commitizen does not.
MARK = "GIT_OPTIONAL_LOCKS"
REST = "everything else: Python, and starting processes"
# The fastest of several attempts is the least disturbed.
TRIES = 5


def processes_of(mine: Clone, other: Clone, *, ours: str, theirs: str) -> str:
    """Compare the git processes of `cz bump` in two clones, by who started them."""
    return profiles.side_by_side(
        f"git processes of `cz bump` in ms, by trace2: {ours}",
        ours=quickest(git_times, mine),
        theirs=quickest(git_times, other),
        peer=theirs,
    )


def functions_of(mine: Clone, other: Clone, *, ours: str, theirs: str) -> str:
    """Compare commitizen's functions in two clones, including waiting for git."""
    return profiles.side_by_side(
        f"own time in ms of Python in cz, by cProfile, which slows it down: {ours}",
        ours=quickest(function_times, mine),
        theirs=quickest(function_times, other),
        peer=theirs,
    )


def quickest(
    measure: Callable[[Clone], Mapping[str, float]], where: Clone
) -> Mapping[str, float]:
    """Measure several times and return the attempt with the smallest sum."""
    return min((measure(where) for _ in range(TRIES)), key=lambda it: sum(it.values()))


def git_times(where: Clone) -> dict[str, float]:
    """Return the milliseconds of each git process and of everything else."""
    with TemporaryDirectory(prefix="benchmark-") as folder:
        whole = where.bump_by(
            processes.TOOLS / "cz", GIT_TRACE2_EVENT=folder, GIT_TRACE2_ENV_VARS=MARK
        )
        traces = [read_events(file) for file in Path(folder).iterdir()]
    times: dict[str, float] = {}
    seen: Counter[str] = Counter()
    for events in sorted(traces, key=lambda events: str(events[0]["time"])):
        # Processes that git starts itself are part of its time.
        if "/" not in events[0]["sid"]:
            name = named(events)
            seen[name] += 1
            label = f"{name} ({seen[name]})"
            times[label] = events[-1]["t_abs"] * MILLISECONDS
    times[REST] = whole * MILLISECONDS - sum(times.values())
    return times


def read_events(file: Path) -> list[dict[str, Any]]:
    """Read the trace of one git process, one JSON object per line."""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def named(events: list[dict[str, Any]]) -> str:
    """Name the program that started a git process, and its command."""
    told = {event["event"]: event for event in events}
    _, *words = told["start"]["argv"]
    # commitizen writes `git -c KEY=VALUE log`.
    command = words[2] if words[0] == "-c" else words[0]
    return f"{'guard' if 'def_param' in told else 'cz'}: git {command}"


def function_times(where: Clone) -> dict[str, float]:
    """Return the own time of each Python function of one `cz bump`."""
    with TemporaryDirectory(prefix="benchmark-") as folder:
        file = Path(folder, "profile")
        where.bump_by(
            sys.executable, "-m", "cProfile", "-o", str(file), "-m", "commitizen.cli"
        )
        found = profiles.recorded(file)
    return {name: calls.seconds * MILLISECONDS for name, calls in found.items()}
