"""What the loop shows, and the keys that it reads, on a terminal or without one."""

import os
import select
import sys
import termios
import time
import tty

KEYS = "Enter runs all again · f the failed · p the failed with pdb · q quits"
CLEAR = b"\x1b[2J\x1b[H"
COLOURS = {"green": "\x1b[1;32m", "red": "\x1b[1;31m"}


class Screen:
    """The terminal of the loop; without one only the output is left."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self.colours = sys.stdout.isatty()
        self.keys = sys.stdin.fileno() if sys.stdin and sys.stdin.isatty() else None
        self._mode = None if self.keys is None else termios.tcgetattr(self.keys)

    def wait(self, seconds: float) -> bytes:
        """Wait for a key and return it; nothing if none was pressed."""
        if self.keys is None:
            time.sleep(seconds)
        elif select.select([self.keys], [], [], seconds)[0]:
            if typed := os.read(self.keys, 1):
                return typed
            raise KeyboardInterrupt  # The terminal is gone.
        return b""

    def open(self) -> None:
        """Read keys one by one; Ctrl-C still interrupts."""
        if self.keys is not None:
            tty.setcbreak(self.keys)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self.keys is not None and self._mode and os.getpid() == self._pid:
            termios.tcsetattr(self.keys, termios.TCSADRAIN, self._mode)

    def clear(self) -> None:
        """Remove the last verdict, if this is a terminal."""
        if self.colours:
            self.write(CLEAR)

    def write(self, output: bytes) -> None:
        """Pass on the output of a run."""
        while output:
            output = output[os.write(sys.stdout.fileno(), output) :]

    def verdict(self, colour: str, text: str) -> None:
        """Show a verdict in its colour."""
        end = "\x1b[0m" if self.colours else ""
        begin = COLOURS.get(colour, "") if self.colours else ""
        self.write(f"{begin}{colour}{end}: {text}\n".encode())

    def note(self, text: str) -> None:
        """Show a line of the loop itself."""
        self.write(f"{text}\n".encode())
