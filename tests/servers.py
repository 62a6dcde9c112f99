"""Real server processes, for tests that need one."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE = 180
NUDGE = 5


class Program:
    """A running program whose output can be awaited."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self.output = output

    def said(self) -> str:
        """Return the output so far."""
        return self.output.read_text(errors="replace")

    def wait_for(self, pattern: str, *, saved: Path | None = None) -> re.Match[str]:
        """Wait until the output matches.

        A file that was saved is touched again every few seconds: a watcher may not
        have been watching yet.

        Raises:
            AssertionError: it ended before, or said nothing of the kind.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            if found := re.search(pattern, self.said()):
                return found
            assert not ended, f"ended with {self.process.returncode}: {self.said()}"
            if saved and time.time() - saved.stat().st_mtime > NUDGE:
                saved.touch()
            time.sleep(0.02)
        raise AssertionError(f"never said {pattern!r}: {self.said()}")


@contextmanager
def running(
    arguments: Sequence[str | Path],
    output: Path,
    variables: Mapping[str, str],
    *,
    cwd: Path = ROOT,
) -> Iterator[Program]:
    """Run a program in its own session, and kill all of it at the end."""
    with output.open("wb") as stream:
        process = subprocess.Popen(
            arguments,
            cwd=cwd,
            env=clean_environment() | dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Program(process, output)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def clean_environment() -> dict[str, str]:
    """Return the environment without variables of the service or its tests."""
    foreign = ("APP_", "ENABLE_", "SENTRY_", "OTEL_", "PYTEST_", "COV_", "COVERAGE_")
    kept = [name for name in os.environ if not name.startswith(foreign)]
    return {name: os.environ[name] for name in kept} | {"PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def serving(
    output: Path, *options: str, **variables: str
) -> Iterator[tuple[Program, int]]:
    """Run the server as in staging, beside its output; yield it and its free port."""
    port = free_port()
    variables.setdefault("APP_ENVIRONMENT", "staging")
    command = [
        sys.executable,
        "-m",
        "my_app",
        "--port",
        str(port),
        *options,
    ]
    with running(command, output, variables, cwd=output.parent) as program:
        program.wait_for("Uvicorn running on")
        program.wait_for("Application startup complete")
        yield program, port
