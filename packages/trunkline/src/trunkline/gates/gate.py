"""The list of gates: built in, then changed and added to by the team. Pure.

`make check`, the git hooks and CI run this list and no other. A gate is a program with
its arguments; `[tool.trunkline.gates]` of pyproject.toml changes or adds one:

    [tool.trunkline.gates.licences]
    command = "pip-licenses --fail-on GPLv3"
    when = ["ci"]
    job = "lint"
    after = "imports"

    [tool.trunkline.gates]
    audit = false
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from trunkline.errors import UsageError

MOMENTS = ("commit", "push", "ci")
# CI's jobs that run gates; what says nothing is part of the first.
JOBS = ("lint", "test", "audit")
# EX_TEMPFAIL of sysexits.h: the program says that it could not find out.
NOT_CHECKED = 75
_KEYS = ("after", "command", "fix", "job", "when")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# A command is no line for a shell; in one of these a shell was expected.
_SHELL = {"&&", "||", "|", ";", "&", ">", ">>", "<", "2>&1"}


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: passed when `command` ends with 0, not checked when with 75.

    `fix` is a command that fixes what the gate would find; empty if there is none.
    """

    name: str
    command: tuple[str, ...]
    when: tuple[str, ...] = ("ci",)
    fix: tuple[str, ...] = ()
    job: str = JOBS[0]


BUILT_IN = (
    Gate("format", ("ruff", "format", "--check"), MOMENTS, ("ruff", "format")),
    Gate("lint", ("ruff", "check"), MOMENTS, ("ruff", "check", "--fix")),
    Gate("types", ("mypy",)),
    Gate("imports", ("lint-imports",)),
    # The report is that of the next gate.
    Gate("tests", ("pytest", "--cov", "--cov-report="), ("push", "ci"), job="test"),
    Gate(
        "coverage",
        ("coverage", "report", "--include=src/*/core/*", "--fail-under=100"),
        job="test",
    ),
    Gate("audit", ("trunkline", "audit"), job="audit"),
)


def gates_of(table: Mapping[str, Any]) -> tuple[Gate, ...]:
    """Apply `[tool.trunkline.gates]` to the built-in gates.

    Raises UsageError, which names the entry, on anything that is not understood.
    """
    gates = list(BUILT_IN)
    for name, entry in table.items():
        place = f"[tool.trunkline.gates] {name}"
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{place}: expected a name of small letters, digits and hyphens"
            )
        old = next((gate for gate in gates if gate.name == name), None)
        if entry is False:
            if old is None:
                raise UsageError(f"{place} = false: {_unknown(name, gates)}")
            gates.remove(old)
            continue
        if not isinstance(entry, dict):
            raise UsageError(f"{place} is {entry!r}; expected a table or false")
        _put(gates, _gate(place, name, old, entry), old, entry.get("after"), place)
    return tuple(gates)


def _gate(place: str, name: str, old: Gate | None, entry: Mapping[str, Any]) -> Gate:
    unknown = sorted(set(entry) - set(_KEYS))
    if unknown:
        raise UsageError(
            f"{place} has the unknown key `{unknown[0]}`; "
            f"expected one of {', '.join(_KEYS)}"
        )
    gate = old or Gate(name, ())
    if "command" in entry:
        # The fixing form of another program would fix something else.
        gate = replace(
            gate, command=_command(f"{place}.command", entry["command"]), fix=()
        )
    if "fix" in entry:
        gate = replace(gate, fix=_command(f"{place}.fix", entry["fix"]))
    if "when" in entry:
        gate = replace(gate, when=_moments(f"{place}.when", entry["when"]))
    if "job" in entry:
        gate = replace(gate, job=_job(f"{place}.job", entry["job"]))
    if not gate.command:
        raise UsageError(f'{place} has no command; expected command = "program …"')
    return gate


def _command(place: str, value: object) -> tuple[str, ...]:
    """Split a command line into words, or take a list of words as it is."""
    if isinstance(value, str):
        try:
            words = shlex.split(value)
        except ValueError as error:
            raise UsageError(f"{place} is {value!r}: {error}") from error
        if shell := next((word for word in words if word in _SHELL), None):
            raise UsageError(
                f"{place} has `{shell}`, which only a shell understands, and none is "
                "used; expected one program with its arguments: make two gates of it"
            )
    elif isinstance(value, list) and all(isinstance(word, str) for word in value):
        words = list(value)
    else:
        words = []
    if not words:
        raise UsageError(f"{place} is {value!r}; expected a program and its arguments")
    return tuple(words)


def _moments(place: str, value: object) -> tuple[str, ...]:
    known = isinstance(value, list) and all(moment in MOMENTS for moment in value)
    if not known or not isinstance(value, list) or not value:
        raise UsageError(
            f"{place} is {value!r}; expected a list of {', '.join(MOMENTS)}"
        )
    return tuple(moment for moment in MOMENTS if moment in value)


def _job(place: str, value: object) -> str:
    if value not in JOBS:
        raise UsageError(f"{place} is {value!r}; expected one of {', '.join(JOBS)}")
    return str(value)


def _put(
    gates: list[Gate], gate: Gate, old: Gate | None, after: object, place: str
) -> None:
    """Put a gate where the old one was, or behind `after`, or at the end."""
    position = gates.index(old) if old else len(gates)
    if old:
        gates.remove(old)
    if after is not None:
        names = [other.name for other in gates]
        if after not in names:
            raise UsageError(f"{place}.after: {_unknown(str(after), gates)}")
        position = names.index(str(after)) + 1
    gates.insert(position, gate)


def select(
    gates: Sequence[Gate],
    *,
    only: Sequence[str] = (),
    when: str | None = None,
    job: str | None = None,
) -> tuple[Gate, ...]:
    """Choose gates by name, moment and job; raises UsageError if none is left."""
    names = {gate.name for gate in gates}
    for name in only:
        if name not in names:
            raise UsageError(_unknown(name, gates))
    chosen = tuple(
        gate
        for gate in gates
        if (not only or gate.name in only)
        and (when is None or when in gate.when)
        and (job is None or job == gate.job)
    )
    if not chosen:
        asked = " and ".join((*only, *filter(None, (when, job))))
        raise UsageError(
            f"no gate is left for {asked}; `trunkline check --list` shows them"
        )
    return chosen


def _unknown(name: str, gates: Sequence[Gate]) -> str:
    names = [gate.name for gate in gates]
    nearest = get_close_matches(name, names, n=1)
    hint = f"; did you mean `{nearest[0]}`?" if nearest else ""
    return f"there is no gate `{name}`; expected one of {', '.join(names)}{hint}"
