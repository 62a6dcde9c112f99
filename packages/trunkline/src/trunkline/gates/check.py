"""`trunkline check`: run the gates in their order, up to the first that fails."""

import json as json_
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from trunkline import process
from trunkline.gates.gate import NOT_CHECKED, Gate, gates_of, select
from trunkline.gates.gateline import GateLine
from trunkline.git import Repository
from trunkline.options import JSON, command, option, repeated, switch
from trunkline.process import ProcessError
from trunkline.settings import read_settings
from trunkline.signals import interrupted_by_signals

Outcome = Literal["passed", "failed", "not checked", "not run"]


@dataclass(frozen=True, slots=True)
class Result:
    """How one gate ended; `output` is all that its program printed."""

    name: str
    outcome: Outcome
    command: tuple[str, ...]
    seconds: float = 0.0
    output: str = ""


@command(
    switch("--fix", "apply automatic fixes first"),
    repeated("--only", "run only this gate", metavar="NAME"),
    option(
        "--when",
        help="run only the gates of this moment",
        choices=("commit", "push", "ci"),
    ),
    option(
        "--job",
        help="run only the gates of this CI job",
        choices=("lint", "test", "audit"),
    ),
    switch("--strict", "treat a gate that could not be checked as failed"),
    switch("--list", "list the gates and exit", dest="listing"),
    JSON,
)
def check(
    *,
    fix: bool,
    only: Sequence[str] | None,
    when: str | None,
    job: str | None,
    strict: bool,
    listing: bool,
    json: bool,
) -> int:
    """Run the gates, CI's if neither name nor moment is given.

    Returns 1 if one failed, or with `strict` was not checked.
    """
    root = Repository.find().root
    settings = read_settings(root / "pyproject.toml")
    moment = when or (None if only or listing else "ci")
    gates = select(gates_of(settings.gates), only=only or (), when=moment, job=job)
    if listing:
        print(json_.dumps([asdict(gate) for gate in gates]) if json else table(gates))
        return 0
    with interrupted_by_signals():
        # The last gate first: what `lint` rewrites is for `format` to lay out.
        fixes = [
            run_gate(root, f"fix {gate.name}", gate.fix, quiet=json)
            for gate in reversed(gates)
            if fix and gate.fix
        ]
        results = run_gates(root, gates, quiet=json)
    good = {"passed"} if strict else {"passed", "not checked"}
    ok = all(result.outcome in good for result in results)
    if json:
        report = {"ok": ok, "fixes": fixes, "gates": results}
        print(json_.dumps(report, default=asdict))
    else:
        print(summary(results, strict=strict))
    return 0 if ok else 1


def run_gates(root: Path, gates: Sequence[Gate], *, quiet: bool) -> list[Result]:
    """Run gates until one fails; those after it are not run."""
    results: list[Result] = []
    for gate in gates:
        if any(result.outcome == "failed" for result in results):
            results.append(Result(gate.name, "not run", gate.command))
        else:
            results.append(run_gate(root, gate.name, gate.command, quiet=quiet))
    return results


def run_gate(root: Path, name: str, command: tuple[str, ...], *, quiet: bool) -> Result:
    """Run one command in the project's root with a line of its own on the terminal."""
    line = GateLine(sys.stderr if quiet else sys.stdout, name, command)
    start = time.monotonic()
    try:
        done = process.watch(command, cwd=root, env=environment(), tick=line.draw)
        code, output = done.code, done.stdout.decode("utf-8", "replace").rstrip()
    except ProcessError as error:
        code, output = 1, f"{error}\n  type next: uv sync"
    outcome: Outcome = "failed"
    if code in (0, NOT_CHECKED):
        outcome = "not checked" if code else "passed"
    result = Result(name, outcome, command, round(time.monotonic() - start, 2), output)
    line.end(outcome, output)
    return result


def environment() -> dict[str, str]:
    """Return what is added to a gate's environment.

    The programs are those beside this one, also where a git hook has started it
    without the environment's own PATH.
    """
    own = str(Path(sys.executable).parent)
    path = f"{own}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return {"PATH": path, **({"FORCE_COLOR": "1"} if coloured else {})}


def summary(results: Sequence[Result], *, strict: bool) -> str:
    """Say how it went, in one line and the command to type next."""
    by = {
        outcome: [result.name for result in results if result.outcome == outcome]
        for outcome in ("passed", "failed", "not checked", "not run")
    }
    seconds = sum(result.seconds for result in results)
    said = [f"{len(by['passed'])} of {len(results)} gates passed in {seconds:.1f} s"]
    if by["not checked"]:
        said.append(f"NOT CHECKED: {', '.join(by['not checked'])}")
    if by["failed"]:
        said.append(f"failed: {', '.join(by['failed'])}")
    if by["not run"]:
        said.append(f"not run: {', '.join(by['not run'])}")
    text = "; ".join(said)
    bad = by["failed"] or (by["not checked"] if strict else [])
    if bad:
        text += f"\n  type next: uv run trunkline check --only {bad[0]}"
        text += " --strict" if not by["failed"] else ""
    return text


def table(gates: Sequence[Gate]) -> str:
    """Lay out the list of gates for people."""
    heading = ("gate", "job", "when", "command")
    rows = [heading, *((g.name, g.job, *_cells(g)) for g in gates)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join("  ".join((*map(str.ljust, row, widths), row[-1])) for row in rows)


def _cells(gate: Gate) -> tuple[str, str]:
    command = " ".join(gate.command)
    if gate.fix:
        command += f"  (--fix: {' '.join(gate.fix)})"
    return " ".join(gate.when), command
