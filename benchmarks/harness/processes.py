"""Start processes, and end them with everything that they started."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import perf_counter, sleep
from typing import IO

from benchmarks.harness.benchmark import BenchmarkError

PROJECT = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent

# Variables of the caller that would change what is measured.
CLEARED = ("APP_", "ENABLE_", "PYTHON", "PYTEST", "COVERAGE", "MAKE", "MFLAGS")
CLEARED_NAMES = {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "UV_RUN_RECURSION_DEPTH"}

STOP_SECONDS = 5
START_SECONDS = 60
RUN_SECONDS = 1800


def environment(**variables: str) -> dict[str, str]:
    """Return the caller's environment without what would change the figures."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(CLEARED) and name not in CLEARED_NAMES
    }
    if venv := os.environ.get("VIRTUAL_ENV"):
        folders = clean["PATH"].split(os.pathsep)
        kept = [folder for folder in folders if Path(folder).parent != Path(venv)]
        clean["PATH"] = os.pathsep.join(kept)
    return clean | variables


@contextmanager
def started(
    command: Sequence[str | Path],
    *,
    cwd: Path = PROJECT,
    env: dict[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
    output: IO[bytes] | int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process in its own group, and kill the whole group at the end."""
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=cwd,
        env=environment() if env is None else env,
        stdin=stdin,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to stop, then kill the rest of its group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path = PROJECT,
    env: dict[str, str] | None = None,
    accepted: Sequence[int] = (0,),
    stdin: int = subprocess.DEVNULL,
) -> subprocess.CompletedProcess[str]:
    """Run a command, which must end with one of the `accepted` exit codes.

    Raises:
        BenchmarkError: it failed, with the end of its output, or timed out.
    """
    line = " ".join(str(part) for part in command)
    with started(
        command, cwd=cwd, env=env, stdin=stdin, output=subprocess.PIPE
    ) as process:
        try:
            said = process.communicate(timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise BenchmarkError(f"`{line}` took over {RUN_SECONDS} s") from error
    out, err = (text.decode(errors="replace") for text in said)
    if process.returncode not in accepted:
        last = " / ".join((out + err).strip().splitlines()[-5:])
        raise BenchmarkError(f"`{line}` ended with {process.returncode}: {last}")
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def seconds_of(
    command: Sequence[str | Path],
    *,
    cwd: Path = PROJECT,
    env: dict[str, str] | None = None,
) -> float:
    """Return the wall time of a command, which must succeed."""
    begun = perf_counter()
    run(command, cwd=cwd, env=env)
    return perf_counter() - begun


def uv() -> str:
    """Return the path of uv: the one that runs this, or the one on PATH."""
    found = os.environ.get("UV") or shutil.which("uv")
    if found is None:
        raise BenchmarkError("found no uv; start with `uv run python -m benchmarks`")
    return found


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def get(port: int, path: str, *, seconds: float = 2) -> bytes | None:
    """Return the body of a 200 response, None for anything else."""
    connection = HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
    return body if response.status == 200 else None  # noqa: PLR2004 - HTTP's OK


def wait_for(
    process: subprocess.Popen[bytes], port: int, path: str, *, body: bytes | None = None
) -> None:
    """Return as soon as `path` answers 200, with `body` if given.

    Raises:
        BenchmarkError: the process ended first, or a minute has passed.
    """
    limit = perf_counter() + START_SECONDS
    while perf_counter() < limit:
        found = get(port, path)
        if found is not None and body in (None, found):
            return
        if process.poll() is not None:
            break
        # Short compared to what is measured, long enough to leave the server the CPU.
        sleep(0.001)
    raise BenchmarkError(f"{process.args!r} never answered {path} as expected")
