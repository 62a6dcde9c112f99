"""Run the tests that mirror a saved file, then the others; start over at each save."""

import copy
import os
import time
from collections.abc import Generator
from dataclasses import dataclass

import pytest

from trunkline.loop.files import Files, changes, forget_bytecode, need_restart
from trunkline.loop.libraries import imported_libraries, warm_up
from trunkline.loop.mirrors import is_test, mirrors
from trunkline.loop.screen import KEYS, Screen
from trunkline.loop.trial import Fork, Trial, begin

# Seconds between two looks at the files, and the share of the time that looking takes.
TICK = 0.05
SHARE = 0.05
NO_TESTS = 5
# A run that is stopped so many times in a row says so: its tests may write the files.
OFTEN = 3


class RestartNeeded(BaseException):
    """The loop itself holds what was saved."""


@dataclass(frozen=True)
class Part:
    """A run of tests, by the arguments that pytest gets in addition."""

    name: str
    arguments: tuple[str, ...] = ()
    first: bool = False


ALL = Part("all quick tests")
FAILED = Part("the failed tests", ("--last-failed",))
DEBUGGED = Part("the failed tests", ("--last-failed", "--pdb"))
BY_KEY = {b"\r": ALL, b"\n": ALL, b"f": FAILED, b"p": DEBUGGED}


class Watcher:
    """A plugin that holds pytest before it loads anything of the project.

    From there each run is forked: pytest, its plugins and the libraries are imported,
    the project is not.
    """

    def __init__(self, files: Files, screen: Screen, *, narrowed: bool) -> None:
        self.fork: Fork | None = None
        self._files = files
        self._screen = screen
        self._narrowed = narrowed
        self._folders: tuple[str, ...] = ()
        self._state = files.settled()
        self._saved: set[str] = set()
        self._parts = [ALL]
        self._red: list[str] = []
        self._since = time.monotonic()
        self._stops = 0
        self._tick = TICK
        self._looked = 0.0
        self._cold: list[str] = []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(
        self, early_config: pytest.Config, parser: pytest.Parser, args: list[str]
    ) -> Generator[None]:
        """Run tests until interrupted; let pytest go on in each fork."""
        paths = early_config.getini("testpaths") or ["."]
        self._folders = tuple(
            f"{early_config.rootpath / path}{os.sep}" for path in paths
        )
        args += self._serve().arguments
        if not self._screen.colours:
            args.append("--color=no")
        early_config.known_args_namespace = parser.parse_known_args(
            args, namespace=copy.copy(early_config.option)
        )
        return (yield)

    def finish(self) -> None:
        """Tell the loop, from a fork, which libraries the run has imported."""
        if self.fork:
            self.fork.leave(imported_libraries())

    def _serve(self) -> Part:
        """Run tests until interrupted; returns in each fork what it has to run."""
        while True:
            if not self._parts:
                self._cold = warm_up(self._cold, seconds=self._tick)
                self._wait()
                continue
            part = self._parts[0]
            started = begin()
            if isinstance(started, Fork):
                self.fork = started
                return part
            try:
                code = self._follow(started)
            finally:
                started.stop()
            if code is not None:
                self._judge(part, code)
                self._cold = started.libraries()

    def _wait(self) -> None:
        """Wait a moment for a key or a save."""
        typed = self._screen.wait(0 if self._cold else self._tick)
        if typed == b"q":
            raise SystemExit(0)
        if typed in BY_KEY:
            self._plan([BY_KEY[typed]])
        elif self._changed():
            self._screen.clear()
            self._start_over()

    def _follow(self, trial: Trial) -> int | None:
        """Show a run until it ends; returns None if a save has stopped it.

        Nothing is shown before a look at the files that is later than it.
        """
        code = None
        while code is None:
            if typed := trial.read(self._tick, self._screen.keys):
                os.write(trial.terminal, typed)
            code = trial.code()
            if code is None and time.monotonic() - self._looked < self._tick:
                continue
            if self._changed():
                self._screen.clear()
                trial.stop()
                self._start_over()
                return None
            self._screen.write(trial.take())
        return code

    def _changed(self) -> bool:
        """Look at the files, less often the longer it takes."""
        begun = time.monotonic()
        changed = self._files.scan() != self._state
        self._looked = time.monotonic()
        self._tick = max(TICK, (self._looked - begun) / SHARE)
        return changed

    def _start_over(self) -> None:
        """Plan the runs for what was saved; raises RestartNeeded."""
        now = self._files.settled()
        saved = changes(self._state, now)
        self._state = now
        if need_restart(saved):
            raise RestartNeeded
        forget_bytecode(saved)
        self._saved |= saved
        self._stops += len(self._parts) > 0
        if self._stops >= OFTEN:
            last = ", ".join(sorted(saved))
            self._screen.note(f"stopped {self._stops} times in a row, now by {last}")
        if saved:
            self._plan(self._parts_for_saved())

    def _parts_for_saved(self) -> list[Part]:
        tests = [path for path in self._state if path.startswith(self._folders)]
        found = mirrors(self._saved, filter(is_test, tests))
        first = tuple(os.path.relpath(path) for path in found)
        if self._narrowed or not first:
            return [ALL]
        others = tuple(f"--ignore={path}" for path in first)
        return [
            Part(" ".join(first), first, first=True),
            Part("all other quick tests", others),
        ]

    def _plan(self, parts: list[Part]) -> None:
        self._parts = parts
        self._red = []
        self._since = time.monotonic()

    def _judge(self, part: Part, code: int) -> None:
        """Show the verdict of a run that has ended."""
        self._parts = self._parts[1:]
        self._saved.clear()
        self._stops = 0
        if code == NO_TESTS and part.first:
            return  # It has slow tests alone.
        if code not in {0, NO_TESTS}:
            ended = f" (ended by signal {-code})" if code < 0 else ""
            self._red.append(f"{part.name}{ended}")
        if self._red:
            colour, name = "red", ", ".join(self._red)
        else:
            colour, name = "green", part.name if part.first else ALL.name
        seconds = f"{time.monotonic() - self._since:.1f} s"
        keys = "" if self._parts or self._screen.keys is None else f" · {KEYS}"
        self._screen.verdict(colour, f"{name} · {seconds}{keys}")
