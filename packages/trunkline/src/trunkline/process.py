"""Start programs. No other module does."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trunkline.errors import FailedError


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


def run(  # noqa: PLR0913 - the options of a process, by keyword
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
