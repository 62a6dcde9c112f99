"""Start programs; no other module does."""

import fcntl
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE
from typing import IO

from trunkline.errors import FailedError
from trunkline.signals import kept_interrupts

# Seconds between two ticks of a watched program, between two looks whether it has
# ended, and to let it end after a signal.
TICK = 0.1
MOMENT = 0.02
GRACE = 3.0


class ProcessError(FailedError):
    """A program could not be started, timed out, or failed where it must succeed."""


class TimedOutError(ProcessError):
    """A program took too long and was killed."""

    def __init__(self, message: str, written: bytes) -> None:
        """`written` is what it had written to standard error."""
        super().__init__(message)
        self.written = written


@dataclass(frozen=True, slots=True)
class Completed:
    """How a program ended; output that was not captured is empty."""

    argv: tuple[str, ...]
    code: int
    stdout: bytes
    stderr: bytes

    @property
    def ok(self) -> bool:
        """Whether the program ended with exit code 0."""
        return self.code == 0

    @property
    def text(self) -> str:
        """Standard output as text, without the trailing newline."""
        return self.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    @property
    def complaint(self) -> str:
        """What the program wrote to standard error, or else its exit code."""
        said = self.stderr.decode("utf-8", "replace").strip()
        return said or f"exit code {self.code}"

    def required(self) -> "Completed":
        """Return this object; raises ProcessError if the program failed."""
        if not self.ok:
            raise ProcessError(f"`{' '.join(self.argv)}` failed: {self.complaint}")
        return self


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str | None] | None = None,
    stdin: bytes | None = None,
    timeout: float = 60,
    capture: bool = True,
    show_errors: bool = False,
    check: bool = False,
    inherit: Sequence[int] = (),
    group: bool = False,
) -> Completed:
    """Run a program and wait for it; a `group` of its own ends with the wait.

    `env`: see `environment`. Descriptors in `inherit` stay open. Without `stdin` a
    program whose output is captured reads nothing. Raises TimedOutError after `timeout`
    seconds, and ProcessError if it cannot be started or, with `check`, fails.
    """
    piped, unread = (PIPE, subprocess.DEVNULL) if capture else (None, None)
    try:
        child = subprocess.Popen(  # noqa: S603 - an argument list, no shell
            list(argv),
            cwd=cwd,
            env=environment(env or {}),
            stdin=unread if stdin is None else PIPE,
            stdout=piped,
            stderr=None if show_errors else piped,
            pass_fds=inherit,
            process_group=0 if group else None,
        )
        with child, _ended_early(child, group=group):
            outputs = child.communicate(stdin, timeout)
    except FileNotFoundError as error:
        raise ProcessError(f"`{argv[0]}` was not found; expected it on PATH") from error
    except subprocess.TimeoutExpired as error:
        late = f"`{' '.join(argv)}` had not finished after {timeout:g} seconds"
        raise TimedOutError(late, error.stderr or b"") from error
    completed = Completed(tuple(argv), child.returncode, *(it or b"" for it in outputs))
    return completed.required() if check else completed


@contextmanager
def _ended_early(child: subprocess.Popen[bytes], *, group: bool) -> Iterator[None]:
    """End a program whose wait is interrupted, or takes too long."""
    try:
        yield
    except BaseException:
        end_group(child) if group else child.kill()
        raise


def environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return this process's environment, changed; None takes a variable out."""
    changed = {**os.environ, **changes}
    return {name: value for name, value in changed.items() if value is not None}


def uv(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> Completed:
    """Run uv: the one that started this process, or else the one on PATH."""
    # `uv run` sets $UV to its own path.
    argv = [os.environ.get("UV", "uv"), *arguments]
    return run(argv, cwd=cwd, env=env, timeout=300)


def watch(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], tick: Callable[[], None]
) -> Completed:
    """Run a program in its own process group and call `tick` until it ends.

    `stdout` of the result holds both outputs in the order in which they were written.
    If the wait is interrupted, the whole process group is ended first. Raises
    ProcessError if the program cannot be started.
    """
    with tempfile.TemporaryFile() as output:
        child = None
        try:
            with kept_interrupts():
                child = _group(argv, cwd, env, output)
            while not _ended(child):
                tick()
        except BaseException:
            if child is not None:
                end_group(child)
            raise
        output.seek(0)
        return Completed(tuple(argv), child.returncode, output.read(), b"")


def launch(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    output: Path,
    pid: Path,
    alive: Path,
) -> None:
    """Start a program that outlives this process.

    It writes its number to `pid` itself, and holds the kernel's lock on `alive` until
    it ends: see `launched`. `env` is its whole environment.
    """
    with output.open("ab") as log, alive.open("ab") as lock:
        # Whoever asks at this moment whether it runs has the lock, and lets go of it.
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.Popen(  # noqa: S603 - an argument list
            ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(pid), *argv],
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock.fileno(),),
            start_new_session=True,
        ).returncode = 0  # Nobody waits for it; say so to Python.


def launched(alive: Path) -> bool:
    """Whether the program that was launched with this lock file still runs."""
    try:
        with alive.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def end_launched(alive: Path, pid: Path, *, patience: float) -> None:
    """Ask a launched program to end, and kill its group after `patience` seconds."""
    end = time.monotonic() + patience
    asked = False
    while launched(alive):
        late = time.monotonic() > end
        number = pid.read_text().strip() if pid.exists() else ""
        if number and (late or not asked):
            with suppress(ProcessLookupError):
                os.killpg(int(number), signal.SIGKILL if late else signal.SIGTERM)
            asked = True
        time.sleep(TICK)


def end_group(child: subprocess.Popen[bytes]) -> None:
    """End the process group of `child` by SIGINT, SIGTERM and at last SIGKILL.

    On return the whole group is gone, including what `child` has left running.
    """
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            end = time.monotonic() + GRACE
            os.killpg(child.pid, number)
            while time.monotonic() < end:
                _ended(child)
                os.killpg(child.pid, 0)
                time.sleep(MOMENT)
    except ProcessLookupError:
        return
    except KeyboardInterrupt:
        pass  # A second Ctrl-C: do not wait any longer.
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    while not _ended(child):
        pass


def _group(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], output: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start a program in its own process group, with both outputs to one file."""
    try:
        return subprocess.Popen(  # noqa: S603 - an argument list, no shell
            list(argv),
            cwd=cwd,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
    except OSError as error:
        raise ProcessError(f"`{argv[0]}` cannot be started: {error}") from error


def _ended(child: subprocess.Popen[bytes]) -> bool:
    """Wait a tick and return whether the program has ended.

    Not by `Popen.wait`, which a signal can leave with its lock taken: for good.
    """
    end = time.monotonic() + TICK
    while child.returncode is None and time.monotonic() < end:
        try:
            number, status = os.waitpid(child.pid, os.WNOHANG)
        except ChildProcessError:  # A signal came with its end; nobody asks how.
            child.returncode = 1
        else:
            if number:
                child.returncode = os.waitstatus_to_exitcode(status)
            else:
                time.sleep(MOMENT)
    return child.returncode is not None
