"""`trunkline check`: run the gates in order, up to the first that fails."""

import json as json_
from collections.abc import Sequence
from dataclasses import asdict, replace

from trunkline.gates.gate import JOBS, MOMENTS, Gate, gates_of, select
from trunkline.gates.run import GateResult, run_gate, run_gates
from trunkline.git import Repository
from trunkline.options import JSON, command, option, repeated, switch
from trunkline.output import aligned
from trunkline.settings import read_settings
from trunkline.signals import interrupted_by_signals


@command(
    switch("--fix", "apply automatic fixes first"),
    repeated("--only", "run only this gate", metavar="NAME"),
    option("--when", help="run only the gates of this moment", choices=MOMENTS),
    option("--job", help="run only the gates of this CI job", choices=JOBS),
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
    """Run the gates; those of CI if neither a name nor a moment is given.

    Returns 1 if one failed or, with `strict`, was not checked.
    """
    repository = Repository.find()
    settings = read_settings(repository.root / "pyproject.toml")
    moment = when or (None if only or listing else "ci")
    gates = select(gates_of(settings.gates), only=only or (), when=moment, job=job)
    if listing:
        print(json_.dumps([asdict(gate) for gate in gates]) if json else table(gates))
        return 0
    with interrupted_by_signals():
        fixes = run_fixes(repository, gates, quiet=json) if fix else []
        results = run_gates(repository, gates, quiet=json)
    good = {"passed"} if strict else {"passed", "not checked"}
    ok = all(result.outcome in good for result in results)
    if json:
        report = {"ok": ok, "fixes": fixes, "gates": results}
        print(json_.dumps(report, default=asdict))
    else:
        print(summary(results, strict=strict))
    return 0 if ok else 1


def run_fixes(
    repository: Repository, gates: Sequence[Gate], *, quiet: bool
) -> list[GateResult]:
    """Run the fixing commands in reverse: `format` formats what `lint` rewrites."""
    fixes = [
        replace(gate, name=f"fix {gate.name}", command=gate.fix)
        for gate in reversed(gates)
        if gate.fix
    ]
    return [run_gate(repository, gate, quiet=quiet) for gate in fixes]


def summary(results: Sequence[GateResult], *, strict: bool) -> str:
    """Summarise the results in one line and the command to type next."""
    names: dict[str, list[str]] = {}
    for result in results:
        names.setdefault(result.outcome, []).append(result.name)
    passed, seconds = len(names.get("passed", ())), sum(r.seconds for r in results)
    text = f"{passed} of {len(results)} gates passed in {seconds:.1f} s"
    for outcome in ("not checked", "failed", "not run"):
        if outcome in names:
            heading = "NOT CHECKED" if outcome == "not checked" else outcome
            text += f"; {heading}: {', '.join(names[outcome])}"
    if "failed" in names:
        text += f"\n  type next: uv run trunkline check --only {names['failed'][0]}"
    elif strict and "not checked" in names:
        first = names["not checked"][0]
        text += f"\n  type next: uv run trunkline check --only {first} --strict"
    return text


def table(gates: Sequence[Gate]) -> str:
    """Format the list of gates as a table."""
    rows = [("gate", "job", "when", "command")]
    for gate in gates:
        command = " ".join((*gate.command, *gate.files))
        if gate.fix:
            command += f"  (--fix: {' '.join(gate.fix)})"
        rows.append((gate.name, gate.job, " ".join(gate.when), command))
    return "\n".join(aligned(rows))
