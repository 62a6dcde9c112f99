"""Run gates, each with its own environment and a line of its own on the terminal."""

import os
import re
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from trunkline import process
from trunkline.errors import FailedError
from trunkline.gates.gate import NOT_CHECKED, Gate
from trunkline.git import Repository
from trunkline.process import ProcessError, uv

Outcome = Literal["passed", "failed", "not checked", "not run"]
# Below it each dependency group that gates name has its own environment.
ENVIRONMENTS = Path(".tools")
NAME_WIDTH = 12
OUTCOME_WIDTH = 11
# Colours and other control sequences in the output of programs.
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_COLOURS = {"passed": "32", "failed": "31", "not checked": "33"}


@dataclass(frozen=True, slots=True)
class GateResult:
    """How one gate ended; `output` is everything that its program printed."""

    name: str
    outcome: Outcome
    command: tuple[str, ...]
    seconds: float = 0.0
    output: str = ""


def run_gates(
    repository: Repository, gates: Sequence[Gate], *, quiet: bool
) -> list[GateResult]:
    """Run gates until one fails; those after it are not run."""
    results: list[GateResult] = []
    for gate in gates:
        failed = any(result.outcome == "failed" for result in results)
        skipped = GateResult(gate.name, "not run", gate.command)
        results.append(skipped if failed else run_gate(repository, gate, quiet=quiet))
    return results


def run_gate(repository: Repository, gate: Gate, *, quiet: bool) -> GateResult:
    """Run a gate's command in the root of the repository."""
    line = GateLine(sys.stderr if quiet else sys.stdout, gate.name, gate.command)
    outcome: Outcome = "failed"
    try:
        files = matching_files(repository, gate.files)
        if gate.files and not files:
            outcome, output = "passed", "no file matches"
        else:
            done = process.watch(
                [*gate.command, *files],
                cwd=repository.root,
                env=environment(repository.root, gate.group),
                tick=line.draw,
            )
            output = done.stdout.decode("utf-8", "replace").rstrip()
            if done.code in (0, NOT_CHECKED):
                outcome = "not checked" if done.code else "passed"
    except ProcessError as error:
        output = f"{error}\n  type next: uv sync"
    except FailedError as error:
        outcome, output = "not checked", str(error)
    seconds = line.end(outcome, output)
    return GateResult(gate.name, outcome, gate.command, seconds, output)


def matching_files(repository: Repository, pathspecs: Sequence[str]) -> list[str]:
    """List the files that match, including new ones that git does not ignore."""
    if not pathspecs:
        return []
    options = ("-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
    names = repository.names("ls-files", *options, "--", *pathspecs)
    return [name for name in names if (repository.root / name).is_file()]


def environment(root: Path, group: str = "") -> dict[str, str]:
    """Return what is added to a gate's environment.

    Programs are looked up beside this one, even if a git hook has started it without
    the environment's own PATH; those of a dependency group come first.
    """
    programs = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    if group:
        programs.insert(0, str(installed_group(root, group)))
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    colours = {"FORCE_COLOR": "1"} if coloured else {}
    return {"PATH": os.pathsep.join(programs), **colours}


def installed_group(root: Path, group: str) -> Path:
    """Install a dependency group as uv.lock pins it; returns the folder of programs."""
    place = root / ENVIRONMENTS / group
    done = uv(
        *("sync", "--quiet", "--locked", "--only-group", group),
        cwd=root,
        env={"UV_PROJECT_ENVIRONMENT": str(place)},
    )
    if not done.ok:
        raise FailedError(
            f"dependency group `{group}` cannot be installed: {done.complaint}"
        )
    return place / "bin"


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

    def end(self, outcome: str, output: str) -> float:
        """Replace the line by the outcome, and add what failed; returns the seconds."""
        seconds = round(time.monotonic() - self.start, 2)
        lines = _ESCAPE.sub("", output).split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        row = self._row(outcome, last if outcome == "passed" else self.command).rstrip()
        if self.live:
            colour = f"\x1b[{_COLOURS[outcome]}m{outcome}\x1b[0m"
            row = self._fit(row).replace(outcome, colour, 1)
        else:
            row = row[max(NAME_WIDTH, len(self.name)) + 1 :]
        self._write(f"{row}\n" if outcome == "passed" else f"{row}\n\n{output}\n\n")
        return seconds

    def _row(self, outcome: str, note: str) -> str:
        seconds = time.monotonic() - self.start
        name = f"{self.name:<{NAME_WIDTH}}"
        return f"{name} {outcome:<{OUTCOME_WIDTH}} {seconds:6.1f} s  {note}"

    def _fit(self, row: str) -> str:
        """Cut to the width of the terminal: a wrapped line cannot be redrawn."""
        return f"\r\x1b[2K{row[: shutil.get_terminal_size().columns - 1]}"

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()
