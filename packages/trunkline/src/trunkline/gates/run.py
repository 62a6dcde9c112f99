"""Run gates, each with its own environment and a line of its own on the terminal."""

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trunkline import process
from trunkline.gates.gate import NOT_CHECKED, Gate
from trunkline.gates.gateline import GateLine
from trunkline.git import Repository
from trunkline.process import ProcessError
from trunkline.uv import uv

Outcome = Literal["passed", "failed", "not checked", "not run"]
# Below it each dependency group that gates name has its own environment.
ENVIRONMENTS = Path(".tools")


class UnavailableError(Exception):
    """A gate's programs are not installed and cannot be installed now."""


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
        if any(result.outcome == "failed" for result in results):
            results.append(GateResult(gate.name, "not run", gate.command))
        else:
            results.append(run_gate(repository, gate, quiet=quiet))
    return results


def run_gate(
    repository: Repository, gate: Gate, *, quiet: bool, fix: bool = False
) -> GateResult:
    """Run a gate's command, or its fixing one, in the root of the repository."""
    name = f"fix {gate.name}" if fix else gate.name
    command = gate.fix if fix else gate.command
    line = GateLine(sys.stderr if quiet else sys.stdout, name, command)
    start = time.monotonic()
    outcome: Outcome = "failed"
    try:
        files = matching_files(repository, gate.files)
        if gate.files and not files:
            outcome, output = "passed", "no file matches"
        else:
            done = process.watch(
                [*command, *files],
                cwd=repository.root,
                env=environment(repository.root, gate.group),
                tick=line.draw,
            )
            output = done.stdout.decode("utf-8", "replace").rstrip()
            if done.code in (0, NOT_CHECKED):
                outcome = "not checked" if done.code else "passed"
    except UnavailableError as error:
        outcome, output = "not checked", str(error)
    except ProcessError as error:
        output = f"{error}\n  type next: uv sync"
    seconds = round(time.monotonic() - start, 2)
    line.end(outcome, output)
    return GateResult(name, outcome, command, seconds, output)


def matching_files(repository: Repository, pathspecs: Sequence[str]) -> list[str]:
    """List the files that match, including new ones that git does not ignore."""
    if not pathspecs:
        return []
    options = ("-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
    listed = repository.read("ls-files", *options, "--", *pathspecs)
    names = listed.split("\0")
    return [name for name in names if name and (repository.root / name).is_file()]


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
    """Install a dependency group as uv.lock pins it; returns the folder of programs.

    It takes some hundredths of a second if nothing has changed, and no network.
    Raises UnavailableError if it cannot be installed.
    """
    place = root / ENVIRONMENTS / group
    done = uv(
        *("sync", "--quiet", "--locked", "--only-group", group),
        cwd=root,
        env={"UV_PROJECT_ENVIRONMENT": str(place)},
    )
    if not done.ok:
        raise UnavailableError(
            f"dependency group `{group}` cannot be installed: {done.complaint}"
        )
    return place / "bin"
