"""The list of gates: built in, then changed and extended by the team. Pure.

`make check`, the git hooks and CI run this list and no other. A gate is a program with
its arguments; `[tool.trunkline.gates]` of pyproject.toml changes or adds one.
"""

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from trunkline.errors import UsageError

MOMENTS = ("commit", "push", "ci")
# CI's jobs that run gates; a gate that names none belongs to the first.
JOBS = ("lint", "test", "audit")
# EX_TEMPFAIL of sysexits.h: the program could not find out.
NOT_CHECKED = 75
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# No shell runs a command; one of these words was meant for a shell.
_SHELL = {"&&", "||", "|", ";", "&", ">", ">>", "<", "2>&1"}


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: passed if `command` exits with 0, not checked if with 75.

    `fix` is a command that fixes what the gate finds; empty if there is none. With
    `group` the program comes from an environment of its own that holds this dependency
    group. With `files`, pathspecs of git, the command gets the files that match; where
    none does, there is nothing to check.
    """

    name: str
    command: tuple[str, ...]
    when: tuple[str, ...] = ("ci",)
    fix: tuple[str, ...] = ()
    job: str = JOBS[0]
    group: str = ""
    files: tuple[str, ...] = ()


BUILT_IN = (
    Gate("format", ("ruff", "format", "--check"), MOMENTS, ("ruff", "format")),
    Gate("lint", ("ruff", "check"), MOMENTS, ("ruff", "check", "--fix")),
    Gate("types", ("mypy",)),
    Gate("imports", ("lint-imports",)),
    # The next gate prints the report.
    Gate("tests", ("pytest", "--cov", "--cov-report="), ("push", "ci"), job="test"),
    Gate(
        "coverage",
        ("coverage", "report", "--include=src/*/core/*", "--fail-under=100"),
        job="test",
    ),
    Gate("audit", ("trunkline", "audit"), job="audit"),
)


def gates_of(table: Mapping[str, Any]) -> tuple[Gate, ...]:
    """Apply `[tool.trunkline.gates]` to the built-in gates; raises UsageError."""
    gates = {gate.name: gate for gate in BUILT_IN}
    for name, entry in table.items():
        place = f"[tool.trunkline.gates] {name}"
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{place}: expected a name of lower-case letters, digits and hyphens"
            )
        if entry is False:
            if name not in gates:
                raise UsageError(f"{place} = false: {_unknown(name, gates)}")
            del gates[name]
            continue
        if not isinstance(entry, dict):
            raise UsageError(f"{place} is {entry!r}; expected a table or false")
        gates[name] = _changed(place, gates.get(name) or Gate(name, ()), entry)
        if after := entry.get("after"):
            order = [other for other in gates if other != name]
            if after not in order:
                raise UsageError(f"{place}.after: {_unknown(after, order)}")
            order.insert(order.index(after) + 1, name)
            gates = {other: gates[other] for other in order}
    return tuple(gates.values())


def _changed(place: str, gate: Gate, entry: Mapping[str, Any]) -> Gate:
    """Return a gate with the keys of its entry; `after` is about its place only."""
    for key in sorted(entry.keys() - _EXPECTED.keys()):
        raise UsageError(
            f"{place} has the unknown key `{key}`; "
            f"expected one of {', '.join(_EXPECTED)}"
        )
    values = {key: _value(f"{place}.{key}", key, entry[key]) for key in entry}
    values.pop("after", None)
    if "command" in values:
        # The old fixing command belongs to another program.
        values.setdefault("fix", ())
    changed = replace(gate, **values)
    if not changed.command:
        raise UsageError(f'{place} has no command; expected command = "program …"')
    return changed


_EXPECTED = {
    "after": "the name of a gate",
    "command": "a program and its arguments",
    "files": 'a list of pathspecs of git such as "*.sh"',
    "fix": "a program and its arguments",
    "group": "the name of a group",
    "job": f"one of {', '.join(JOBS)}",
    "when": f"a list of {', '.join(MOMENTS)}",
}


def _value(place: str, key: str, value: Any) -> Any:  # noqa: ANN401 - any TOML
    words: Any = _split(place, value) if key in ("command", "fix") else value
    texts = isinstance(words, list) and all(isinstance(word, str) for word in words)
    match key:
        case "after" | "group" if isinstance(value, str):
            return value
        case "job" if value in JOBS:
            return value
        case "when" if texts and value and set(value) <= set(MOMENTS):
            return tuple(moment for moment in MOMENTS if moment in value)
        case "command" | "fix" | "files" if texts and words:
            return tuple(words)
    raise UsageError(f"{place} is {value!r}; expected {_EXPECTED[key]}")


def _split(place: str, value: object) -> object:
    """Split a command line into words; a list of words stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise UsageError(f"{place} is {value!r}: {error}") from error
    if shell := next((word for word in words if word in _SHELL), None):
        raise UsageError(
            f"{place} has `{shell}`, which only a shell understands, but no shell is "
            "used; expected one program with its arguments: split it into two gates"
        )
    return words


def select(
    gates: Sequence[Gate],
    *,
    only: Sequence[str] = (),
    when: str | None = None,
    job: str | None = None,
) -> tuple[Gate, ...]:
    """Choose gates by name, moment and job; raises UsageError if none is left."""
    names = [gate.name for gate in gates]
    for name in only:
        if name not in names:
            raise UsageError(_unknown(name, names))
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
            f"no gate is left for {asked}; `trunkline check --list` lists them"
        )
    return chosen


def _unknown(name: str, names: Collection[str]) -> str:
    hint = "".join(f"; did you mean `{n}`?" for n in get_close_matches(name, names, 1))
    return f"there is no gate `{name}`; expected one of {', '.join(names)}{hint}"
