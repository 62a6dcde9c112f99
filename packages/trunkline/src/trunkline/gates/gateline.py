"""The line of a gate: what runs and for how long, then its outcome."""

import re
import shutil
import time
from collections.abc import Sequence
from typing import TextIO

NAME_WIDTH = 12
OUTCOME_WIDTH = 11
# Colours and other control sequences in the output of programs.
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_COLOURS = {"passed": "32", "failed": "31", "not checked": "33"}


class GateLine:
    """A line that is redrawn while a gate runs; without a terminal it is written once.

    Without a terminal the name is written first and the outcome when it is known, so
    that the log of a job that hangs shows where.
    """

    def __init__(self, stream: TextIO, name: str, command: Sequence[str]) -> None:
        self.stream = stream
        self.name = name
        self.command = " ".join(command)
        self.live = stream.isatty()
        self.start = time.monotonic()
        if not self.live:
            self._write(f"{name:<{NAME_WIDTH}} ")

    def draw(self) -> None:
        """Show the elapsed seconds."""
        if self.live:
            self._write(self._fit(self._row("…", self.command)))

    def end(self, outcome: str, output: str) -> None:
        """Replace the line by the outcome; without a pass the output follows."""
        lines = [line for line in _plain(output).splitlines() if line.strip()]
        note = lines[-1].strip() if lines and outcome == "passed" else self.command
        if self.live:
            row = self._fit(self._row(outcome, note))
            colour = _COLOURS[outcome]
            row = row.replace(outcome, f"\x1b[{colour}m{outcome}\x1b[0m", 1)
            self._write(f"{row}\n")
        else:
            written = max(NAME_WIDTH, len(self.name)) + 1
            self._write(f"{self._row(outcome, note)[written:]}\n")
        if outcome != "passed":
            self._write(f"\n{output}\n\n")

    def _row(self, outcome: str, note: str) -> str:
        seconds = time.monotonic() - self.start
        return (
            f"{self.name:<{NAME_WIDTH}} {outcome:<{OUTCOME_WIDTH}} {seconds:6.1f} s"
            f"  {note}"
        )

    def _fit(self, row: str) -> str:
        """Cut to the width of the terminal: a wrapped line cannot be redrawn."""
        return f"\r\x1b[2K{row[: shutil.get_terminal_size().columns - 1]}"

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def _plain(text: str) -> str:
    return _ESCAPE.sub("", text)
