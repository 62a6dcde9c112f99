"""A deploy of the branch `last`, taken back in its window or killed on its way."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter, sleep

from benchmarks.harness.benchmark import BenchmarkError

DEPLOY = ("deploy", "last", "--to", "staging")


class Last:
    """The branch `last` of a clone, which another one serves beside."""

    def __init__(self, clone: Path, variables: Mapping[str, str]) -> None:
        self.clone, self.variables = clone, variables

    def taken_back(self, asked: Callable[[], str]) -> float:
        """Return the time from `rollback` in its window to an old answer."""
        old = asked()
        with self._run(*DEPLOY) as deploying:
            _await(deploying, "watch")
            begun = perf_counter()
            with self._run("rollback", "staging") as back:
                while asked() != old:
                    sleep(0.005)
                took = perf_counter() - begun
                back.communicate()
            deploying.communicate()
        return took

    def recovered(self, step: str, verdict: str) -> float:
        """Return the time from the command after a kill until it has settled it."""
        with self._run(*DEPLOY) as deploying:
            _await(deploying, step)
            os.killpg(deploying.pid, signal.SIGKILL)
        begun = perf_counter()
        with self._run("deploy", "one", "--to", "staging", "--wait") as after:
            _await(after, f"the interrupted deploy ended: {verdict}")
            took = perf_counter() - begun
            after.communicate()
        return took

    def _run(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "trunkline", *words],
            cwd=self.clone,
            env=self.variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def _await(command: "subprocess.Popen[str]", line: str) -> None:
    """Read what a command says up to a line."""
    said = ""
    for one in command.stderr or ():
        said += one
        if one.startswith(line):
            return
    raise BenchmarkError(f"expected {line!r} in: {said[-500:]}")
