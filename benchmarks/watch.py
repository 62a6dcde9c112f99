"""From saving a file to the result of the tests, through `ptw`."""

import os
import re
import select
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep

from benchmarks import checkouts, processes, profiles
from benchmarks.benchmark import BenchmarkError, Comparison, UnavailableError
from benchmarks.samples import compared, interleaved

SAVED = Path("src", "my_app", "main.py")
COLOUR = re.compile(rb"\x1b\[[\d;]*[A-Za-z]")
VERDICT = re.compile(rb"(\d+ (?:passed|failed|errors?)[^\n]*?) in [\d.]+s")
# Printed before the first run and after each; a save before that is missed.
READY = re.compile(rb"Current runner args")
VERDICT_SECONDS = 60
SETTLE_SECONDS = 0.5
# pytest's exit code where tests failed.
RED = 1


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
            return found[found.lastindex or 0].decode()
        last = self.shown[-200:].decode(errors="replace").strip()
        raise BenchmarkError(
            f"expected ptw to show /{pattern.pattern.decode()}/ within "
            f"{VERDICT_SECONDS} s; last output: {last!r}"
        )


def run(rounds: int) -> list[Comparison]:
    """Save a file of a copy, and run one empty test in the same environment."""
    if sys.platform == "win32":
        raise UnavailableError("ptw is watched through a pseudo-terminal")
    verdicts: list[str] = []
    with checkouts.development() as copy, TemporaryDirectory() as folder:
        pytest = empty_test(copy, Path(folder))
        with watching(copy) as terminal:
            saved = partial(seconds, copy, terminal, verdicts)
            samples = interleaved(rounds, {"ptw": saved, "pytest": pytest})
    return [
        compared(
            f"save to verdict, ptw ({verdicts[-1]})",
            "s",
            peer="pytest, one empty test",
            ours=samples["ptw"],
            theirs=samples["pytest"],
        )
    ]


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
            terminal.read_until(READY)
            yield terminal
    finally:
        os.close(slave)
        os.close(master)


def seconds(copy: Path, terminal: Terminal, verdicts: list[str]) -> float:
    """Return the time from a save to the verdict, which is added to `verdicts`."""
    sleep(SETTLE_SECONDS)
    begun = perf_counter()
    with (copy / SAVED).open("a", encoding="utf-8") as file:
        file.write("# saved\n")
    verdicts.append(terminal.read_until(VERDICT))
    taken = perf_counter() - begun
    terminal.read_until(READY)
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
    arguments = settings["tool"].get("pytest-watcher", {}).get("runner_args", [])
    return [str(argument) for argument in arguments]
