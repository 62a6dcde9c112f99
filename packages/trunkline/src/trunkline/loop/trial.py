"""One run of the tests, in a process forked from this one, on a terminal of its own.

The terminal goes with the loop, however that ends, and takes the run along.
"""

import json
import os
import pty
import select
import signal
import sys
import tempfile
import termios
import time
import warnings
from contextlib import suppress
from typing import IO

from trunkline.signals import postponed_signals

# Seconds that interrupted tests have to clean up.
GRACE = 1.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Trial:
    """A run that can be stopped; its output waits until it may be shown."""

    def __init__(self, pid: int, terminal: int, notes: IO[bytes]) -> None:
        self.pid = pid
        self.terminal = terminal
        self._output = b""
        self._notes = notes
        self._ended = False

    def read(self, seconds: float, keys: int | None) -> bytes:
        """Wait for output; returns what was typed in the meantime."""
        typed = b""
        watched = [self.terminal, *([] if keys is None else [keys])]
        ready = select.select(watched, [], [], seconds)[0]
        if self.terminal in ready:
            try:
                self._output += os.read(self.terminal, 65536)
            except OSError:  # Linux's way to say that nobody holds the other end.
                time.sleep(0.001)
        if keys in ready and not (typed := os.read(keys, 1024)):
            raise KeyboardInterrupt
        return typed

    def take(self) -> bytes:
        """Return the output since the last call."""
        output, self._output = self._output, b""
        return output

    def code(self) -> int | None:
        """Return the exit code, or the negative signal; None while the tests run."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            return None
        self._clean_up()
        return os.waitstatus_to_exitcode(status)

    def stop(self) -> None:
        """End the run, if it has not ended, and all that it has started."""
        if self._ended:
            return
        end = time.monotonic() + GRACE
        self._signal(signal.SIGINT)
        while not os.waitpid(self.pid, os.WNOHANG)[0]:
            self.read(0.01, None)
            if time.monotonic() > end:
                self._signal(signal.SIGKILL)
        self._clean_up()

    def libraries(self) -> list[str]:
        """Return what a run that has ended by itself has left by `leave`."""
        self._notes.seek(0)
        found: list[str] = json.loads(self._notes.read() or b"[]")
        return found

    def _signal(self, number: int) -> None:
        for send in (os.killpg, os.kill):  # Until it has a group of its own.
            with suppress(ProcessLookupError):
                send(self.pid, number)
                return

    def _clean_up(self) -> None:
        self._ended = True
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        with suppress(OSError):
            while select.select([self.terminal], [], [], 0)[0]:
                self._output += os.read(self.terminal, 65536)
        os.close(self.terminal)


class Fork:
    """Where a run leaves a note for the loop."""

    def __init__(self, notes: IO[bytes]) -> None:
        self._notes = notes

    def leave(self, libraries: list[str]) -> None:
        """Tell the loop what to import before the next run."""
        self._notes.write(json.dumps(libraries).encode())
        self._notes.flush()


def begin() -> Trial | Fork:
    """Fork; returns a Fork in the new process."""
    ours, theirs = pty.openpty()
    mode = termios.tcgetattr(theirs)
    mode[1] &= ~termios.OPOST  # Our own terminal, or file, has line ends of its own.
    termios.tcsetattr(theirs, termios.TCSANOW, mode)
    if sys.stdout.isatty():
        termios.tcsetwinsize(theirs, termios.tcgetwinsize(sys.stdout))
    notes = tempfile.TemporaryFile()  # noqa: SIM115 - both processes need it
    sys.stdout.flush()
    sys.stderr.flush()
    with postponed_signals(SIGNALS), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # on threads of a library
        pid = os.fork()
        if pid:
            os.close(theirs)
            return Trial(pid, ours, notes)
        os.close(ours)
        os.login_tty(theirs)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return Fork(notes)
