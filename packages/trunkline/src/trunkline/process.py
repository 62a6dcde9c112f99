"""Start programs. No other module does."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from trunkline.errors import FailedError

NOT_FOUND = 127
# Seconds between two looks at a program that is watched, and those that it gets to
# end itself after each signal.
TICK = 0.1
GRACE = 3.0


class ProcessError(FailedError):
    """A program could not be started, took too long, or failed where it must not."""


@dataclass(frozen=True, slots=True)
class Completed:
    """How a program ended; what was not captured is empty."""

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
        """Standard output as text without the last newline."""
        return self.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    @property
    def complaint(self) -> str:
        """Say what the program said on standard error, or its exit code."""
        said = self.stderr.decode("utf-8", "replace").strip()
        return said or f"exit code {self.code}"

    def required(self) -> "Completed":
        """Return itself; raises ProcessError if the program failed."""
        if not self.ok:
            raise ProcessError(f"`{' '.join(self.argv)}` failed: {self.complaint}")
        return self


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float = 60,
    capture: bool = True,
    check: bool = False,
    inherit: Sequence[int] = (),
) -> Completed:
    """Run a program and wait for it; `env` is added to the present environment
    and `inherit` names descriptors that stay open in it.

    Without `stdin` the program reads nothing when its output is captured, and the
    terminal otherwise. Raises ProcessError when it cannot be started, is not done
    after `timeout` seconds, or, with `check`, ends with another code than 0.
    """
    try:
        done = subprocess.run(  # noqa: S603 - an argument list, no shell
            list(argv),
            cwd=cwd,
            env={**os.environ, **env} if env else None,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None and capture else None,
            stdout=subprocess.PIPE if capture else None,
            stderr=subprocess.PIPE if capture else None,
            timeout=timeout,
            check=False,
            pass_fds=inherit,
        )
    except FileNotFoundError as error:
        raise ProcessError(f"`{argv[0]}` was not found; expected it on PATH") from error
    except subprocess.TimeoutExpired as error:
        late = f"was not done after {timeout:g} seconds"
        raise ProcessError(f"`{' '.join(argv)}` {late}") from error
    completed = Completed(
        tuple(argv), done.returncode, done.stdout or b"", done.stderr or b""
    )
    return completed.required() if check else completed


def watch(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    tick: Callable[[], None],
) -> Completed:
    """Run a program in a process group of its own and call `tick` until it ends.

    Both outputs come back, in the order written, as `stdout`. Whatever interrupts the
    wait ends the whole group first, with what the program has started. Raises
    ProcessError when the program cannot be started.
    """
    with tempfile.TemporaryFile() as output:
        try:
            child = subprocess.Popen(  # noqa: S603 - an argument list, no shell
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
        try:
            while not _ended(child):
                tick()
        except BaseException:
            end_group(child)
            raise
        output.seek(0)
        return Completed(tuple(argv), child.returncode, output.read(), b"")


def end_group(child: subprocess.Popen[bytes]) -> None:
    """End the process group that `child` leads: ask, ask again, then force.

    The group is gone on return, also what `child` has started and left behind.
    """
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            end = time.monotonic() + GRACE
            os.killpg(child.pid, number)
            while time.monotonic() < end:
                _ended(child)
                os.killpg(child.pid, 0)
    except ProcessLookupError:
        return
    except KeyboardInterrupt:
        pass  # Somebody will not wait.
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _ended(child: subprocess.Popen[bytes]) -> bool:
    """Wait a moment; tell whether the program has ended."""
    try:
        child.wait(TICK)
    except subprocess.TimeoutExpired:
        return False
    return True
