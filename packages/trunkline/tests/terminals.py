"""A program on a terminal of its own, as a developer sees it."""

import os
import pty
import re
import select
import signal
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE = 120
COLOUR = re.compile(r"\x1b\[[\d;]*[A-Za-z]")


class Terminal:
    """What a program has shown, and the keys that it gets."""

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid = pid
        self.descriptor = descriptor
        self.shown = ""

    def until(self, pattern: str) -> str:
        """Wait for the pattern; return what was shown up to it, and forget that."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.shown)):
            assert time.monotonic() < deadline, f"no {pattern!r}: {self.shown}"
            if select.select([self.descriptor], [], [], 0.1)[0]:
                try:
                    output = os.read(self.descriptor, 65536)
                except OSError as error:
                    raise AssertionError(f"it ended: {self.shown}") from error
                self.shown += COLOUR.sub("", output.decode(errors="replace"))
        past, self.shown = self.shown[: found.end()], self.shown[found.end() :]
        return past

    def type(self, keys: str) -> None:
        os.write(self.descriptor, keys.encode())

    def ended(self) -> int:
        """Wait for the end; return the exit code."""
        deadline = time.monotonic() + PATIENCE
        output = b"-"
        with suppress(OSError):
            while output:
                assert time.monotonic() < deadline, f"it goes on: {self.shown}"
                if select.select([self.descriptor], [], [], 0.1)[0]:
                    output = os.read(self.descriptor, 65536)
                    self.shown += output.decode(errors="replace")
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def line_mode(self) -> bool:
        """Whether the terminal waits for whole lines, as a shell expects."""
        return bool(termios.tcgetattr(self.descriptor)[3] & termios.ICANON)


@contextmanager
def on_terminal(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str]
) -> Iterator[Terminal]:
    """Run a program on a terminal; what is left of it at the end is killed."""
    pid, descriptor = pty.fork()
    if pid == 0:  # pragma: no cover - the child
        os.chdir(cwd)
        os.execvpe(command[0], [*command], env)  # noqa: S606
    try:
        yield Terminal(pid, descriptor)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
        os.close(descriptor)


def beside_python(name: str) -> str:
    """Return the path of a script of this environment."""
    return str(Path(sys.executable).with_name(name))
