"""A workflow or a composite action as data. Pure.

Every key is known, or the file is refused: a part of a workflow that is passed over
in silence would make a local run say more than it knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trunkline.errors import UsageError

Table = Mapping[str, Any]

_WORKFLOW = {"name", "run-name", "on", "permissions", "env", "defaults"} | {
    *("concurrency", "jobs"),
}
_JOB = {"name", "needs", "if", "runs-on", "permissions", "timeout-minutes"} | {
    *("env", "defaults", "outputs", "strategy", "steps", "environment"),
    *("concurrency", "continue-on-error"),
}
_STEP = {"id", "name", "if", "uses", "with", "run", "shell", "env"} | {
    *("working-directory", "continue-on-error", "timeout-minutes"),
}
_ACTION = {"name", "description", "author", "inputs", "outputs", "runs", "branding"}
_STRATEGY = {"matrix", "fail-fast", "max-parallel"}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a command or the use of an action."""

    id: str
    name: str
    condition: str
    uses: str
    inputs: Table
    run: str
    shell: str
    env: Table
    folder: str
    goes_on: str
    minutes: str

    @property
    def title(self) -> str:
        """What a person calls the step."""
        return self.name or self.uses or self.run.strip().partition("\n")[0]


@dataclass(frozen=True, slots=True)
class Job:
    """One job; `matrix` is as it is written."""

    id: str
    name: str
    needs: tuple[str, ...]
    condition: str
    env: Table
    shell: str
    folder: str
    outputs: Table
    matrix: Any
    fail_fast: str
    goes_on: str
    minutes: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Workflow:
    """One file of `.github/workflows`; `on` maps events to their filters."""

    path: str
    name: str
    on: Mapping[str, Any]
    env: Table
    jobs: Mapping[str, Job]


@dataclass(frozen=True, slots=True)
class Action:
    """A composite action: what its inputs are by default, its outputs, its steps."""

    path: str
    inputs: Mapping[str, str]
    required: frozenset[str]
    outputs: Mapping[str, str]
    steps: tuple[Step, ...] = field(default=())


def parse_workflow(path: str, document: object) -> Workflow:
    """Read a workflow; raises UsageError, with the place, on what is not known."""
    top = _table(path, document, _WORKFLOW)
    shell, folder = _run_defaults(f"{path}: defaults", top.get("defaults"))
    jobs = {}
    for name, body in _table(f"{path}: jobs", top.get("jobs")).items():
        jobs[name] = _job(f"{path}: jobs.{name}", name, body, shell, folder)
    for job in jobs.values():
        for other in job.needs:
            if other not in jobs:
                raise UsageError(f"{path}: {job.id} needs `{other}`, which is no job")
    return Workflow(
        path,
        str(top.get("name") or path),
        parse_events(f"{path}: on", top.get("on")),
        _table(f"{path}: env", top.get("env")),
        jobs,
    )


def parse_events(place: str, value: object) -> Mapping[str, Any]:
    """Read `on:`, which is a word, a list of words or a table."""
    match value:
        case str():
            return {value: {}}
        case list():
            return {str(name): {} for name in value}
        case dict() if value:
            return {str(name): filters or {} for name, filters in value.items()}
    raise UsageError(f"{place} is {value!r}; expected events")


def parse_action(path: str, document: object) -> Action:
    """Read a composite action; raises UsageError on another kind."""
    top = _table(path, document, _ACTION)
    runs = _table(f"{path}: runs", top.get("runs"), {"using", "steps"})
    if runs.get("using") != "composite":
        raise UsageError(f"{path} runs using {runs.get('using')!r}; expected composite")
    keys = {"description", "required", "default", "deprecationMessage", "type"}
    inputs = {
        name: _table(f"{path}: inputs.{name}", body, keys)
        for name, body in _table(f"{path}: inputs", top.get("inputs")).items()
    }
    outputs = _table(f"{path}: outputs", top.get("outputs"))
    return Action(
        path,
        {name: text_of(body.get("default")) for name, body in inputs.items()},
        frozenset(
            name
            for name, body in inputs.items()
            if body.get("required") and "default" not in body
        ),
        {name: str(dict(body).get("value", "")) for name, body in outputs.items()},
        tuple(
            _step(f"{path}: steps[{number}]", body)
            for number, body in enumerate(runs.get("steps") or [])
        ),
    )


def _job(place: str, name: str, body: object, shell: str, folder: str) -> Job:
    job = _table(place, body, _JOB)
    needs = job.get("needs") or []
    strategy = _table(f"{place}.strategy", job.get("strategy"), _STRATEGY)
    own = _run_defaults(f"{place}.defaults", job.get("defaults"))
    steps = job.get("steps")
    if not isinstance(steps, list) or not steps:
        raise UsageError(f"{place} has no steps")
    return Job(
        id=name,
        name=text_of(job.get("name")) or name,
        needs=(needs,) if isinstance(needs, str) else tuple(needs),
        condition=text_of(job.get("if")),
        env=_table(f"{place}.env", job.get("env")),
        shell=own[0] or shell,
        folder=own[1] or folder,
        outputs=_table(f"{place}.outputs", job.get("outputs")),
        matrix=strategy.get("matrix"),
        fail_fast=text_of(strategy.get("fail-fast", True)),
        goes_on=text_of(job.get("continue-on-error", False)),
        minutes=text_of(job.get("timeout-minutes", "")),
        steps=tuple(
            _step(f"{place}.steps[{number}]", step) for number, step in enumerate(steps)
        ),
    )


def _step(place: str, body: object) -> Step:
    step = _table(place, body, _STEP)
    if ("run" in step) == ("uses" in step):
        raise UsageError(f"{place} has both or neither of `run` and `uses`")
    return Step(
        id=text_of(step.get("id")),
        name=text_of(step.get("name")),
        condition=text_of(step.get("if")),
        uses=text_of(step.get("uses")),
        inputs=_table(f"{place}.with", step.get("with")),
        run=text_of(step.get("run")),
        shell=text_of(step.get("shell")),
        env=_table(f"{place}.env", step.get("env")),
        folder=text_of(step.get("working-directory")),
        goes_on=text_of(step.get("continue-on-error", False)),
        minutes=text_of(step.get("timeout-minutes", "")),
    )


def _run_defaults(place: str, value: object) -> tuple[str, str]:
    run = _table(place, value, {"run"}).get("run")
    table = _table(f"{place}.run", run, {"shell", "working-directory"})
    return text_of(table.get("shell")), text_of(table.get("working-directory"))


def text_of(value: object) -> str:
    """Spell a value as a workflow does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _table(place: str, value: object, known: set[str] | None = None) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UsageError(f"{place} is {value!r}; expected a table")
    unknown = sorted(set(value) - known) if known is not None else []
    if unknown:
        raise UsageError(
            f"{place} has `{unknown[0]}`, which a local run does not know; "
            f"it knows {', '.join(sorted(known or ()))}"
        )
    return {str(key): item for key, item in value.items()}
