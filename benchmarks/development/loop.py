"""From a save to the verdicts that `ptw` shows, and whether any of them is stale."""

import os
import re
import select
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep

from benchmarks.harness import checkouts, processes, profiles
from benchmarks.harness.benchmark import (
    BenchmarkError,
    Bound,
    Comparison,
    UnavailableError,
)
from benchmarks.harness.samples import compared, interleaved

SAVED = Path("src", "my_app", "core", "billing", "pricing.py")
COLOUR = re.compile(rb"\x1b\[[\d;]*[A-Za-z]")
FIRST = re.compile(rb"(green|red): tests/core/billing/test_pricing\.py ")
# The keys of the loop follow the last verdict after a save.
LAST = re.compile(rb"(green|red): [^\n]* s \xc2\xb7 Enter")
VERDICT_SECONDS = 120
SETTLE_SECONDS = 0.5
# How long after a save the next one falls into its run.
MID_RUN_SECONDS = 0.6
SAVES = 20
SHORT_SAVES = 6
# Rounds of a quick run of the suite.
QUICK = 3
RED = 1
BROKEN = "\nraise RuntimeError\n"


class Terminal:
    """The output of a program on its own terminal."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.shown = b""

    def read_until(self, pattern: re.Pattern[bytes]) -> str:
        """Return what matched as soon as it is printed; the rest is kept.

        Raises:
            BenchmarkError: it was not printed within a minute.
        """
        limit = perf_counter() + VERDICT_SECONDS
        while not (found := pattern.search(self.shown)):
            left = max(0, limit - perf_counter())
            if not select.select([self.descriptor], [], [], left)[0]:
                break
            self.shown += COLOUR.sub(b"", os.read(self.descriptor, 65536))
        else:
            self.shown = self.shown[found.end() :]
            return found[1].decode()
        last = self.shown[-200:].decode(errors="replace").strip()
        raise BenchmarkError(
            f"expected ptw to show /{pattern.pattern.decode()}/ within "
            f"{VERDICT_SECONDS} s; last output: {last!r}"
        )

    def forget(self) -> None:
        """Drop what has been shown so far."""
        while select.select([self.descriptor], [], [], 0)[0]:
            os.read(self.descriptor, 65536)
        self.shown = b""


def run(rounds: int) -> list[Comparison]:
    """Save a file of a copy, and run one empty test in the same environment."""
    if sys.platform == "win32":
        raise UnavailableError("ptw is watched through a pseudo-terminal")
    saves = SAVES if rounds > QUICK else SHORT_SAVES
    with checkouts.development() as copy, TemporaryDirectory() as folder:
        pytest = empty_test(copy, Path(folder))
        with watching(copy) as terminal:
            sleep(SETTLE_SECONDS)
            measures = {
                name: partial(seconds, copy / SAVED, terminal, pattern)
                for name, pattern in (("first", FIRST), ("whole", LAST))
            }
            samples = interleaved(rounds, measures | {"pytest": pytest})
            stale = {
                when: stale_verdicts(copy / SAVED, terminal, saves, pause=pause)
                for when, pause in (("after", 0.0), ("in", MID_RUN_SECONDS))
            }
    peer = "pytest, one empty test"
    verdicts = {
        "first": ("verdict of the mirroring tests", Bound(1.2)),
        "whole": ("verdict of all quick tests", Bound(3)),
    }
    return [
        *(
            replace(
                compared(
                    f"save to {what}",
                    "s",
                    peer=peer,
                    ours=samples[name],
                    theirs=samples["pytest"],
                ),
                bound=bound,
            )
            for name, (what, bound) in verdicts.items()
        ),
        *(
            Comparison(
                what=f"stale verdicts in {saves} saves {when} a run",
                unit="",
                ours=count,
                bound=Bound(0),
            )
            for when, count in stale.items()
        ),
    ]


def stale_verdicts(file: Path, terminal: Terminal, saves: int, *, pause: float) -> int:
    """Save a file wrong and right in turns; count the verdicts that do not fit.

    With a pause each save is followed, so many seconds later, by the opposite one: the
    verdict of the first is never to be shown.
    """
    right = file.read_text(encoding="utf-8")
    stale = 0
    for number in range(saves):
        texts = {"red": right + BROKEN, "green": right}
        expected = ("red", "green")[number % 2]
        if pause:
            file.write_text(texts["green" if expected == "red" else "red"])
            sleep(pause)
            terminal.forget()
        file.write_text(texts[expected], encoding="utf-8")
        stale += terminal.read_until(LAST) != expected
    file.write_text(right, encoding="utf-8")
    return stale


def empty_test(copy: Path, folder: Path) -> "partial[float]":
    """Return a function that measures pytest with one empty test."""
    test = "def test_empty() -> None:\n    pass\n"
    (folder / "test_empty.py").write_text(test, encoding="utf-8")
    return partial(processes.seconds_of, (copy / ".venv/bin/pytest",), cwd=folder)


@contextmanager
def watching(copy: Path) -> Iterator[Terminal]:
    """Run `ptw .` as `uv run` would, on a terminal."""
    master, slave = os.openpty()
    tools = copy / ".venv/bin"
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    env = processes.environment(PATH=path, TERM="xterm", COLUMNS="100")
    command = (tools / "ptw", ".")
    try:
        with processes.started(command, cwd=copy, env=env, stdin=slave, output=slave):
            terminal = Terminal(master)
            terminal.read_until(LAST)
            yield terminal
    finally:
        os.close(slave)
        os.close(master)


def seconds(file: Path, terminal: Terminal, pattern: re.Pattern[bytes]) -> float:
    """Return the time from a save to a verdict; wait for the last one as well."""
    sleep(SETTLE_SECONDS)
    begun = perf_counter()
    with file.open("a", encoding="utf-8") as opened:
        opened.write("# saved\n")
    terminal.read_until(pattern)
    taken = perf_counter() - begun
    if pattern is not LAST:
        terminal.read_until(LAST)
    return taken


def profile() -> str:
    """Show what importing costs before the first test, then the slowest tests."""
    with checkouts.development() as copy:
        python = copy / ".venv/bin/python"
        env = processes.environment()
        # Without -s pytest captures the interpreter's report about imports.
        collect = "import pytest; pytest.main(['-s', '-q', '--co', '--no-cov'])"
        imported = profiles.imports(
            python, ours=collect, theirs="import pytest", env=env, cwd=copy
        )
        durations = ("--durations=15", "--durations-min=0.01", *runner_arguments(copy))
        tests = processes.run(
            (python, "-m", "pytest", *durations), cwd=copy, env=env, accepted=(0, RED)
        )
    return f"{imported}\n\n{tests.stdout}"


def runner_arguments(copy: Path) -> list[str]:
    """Return what ptw passes to pytest."""
    settings = tomllib.loads((copy / "pyproject.toml").read_text(encoding="utf-8"))
    arguments = settings["tool"]["trunkline"].get("loop_arguments", [])
    return [str(argument) for argument in arguments]
