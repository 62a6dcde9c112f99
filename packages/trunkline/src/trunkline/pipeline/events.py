"""Events, and which workflows they start. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trunkline.errors import UsageError
from trunkline.pipeline.patterns import any_selected, selected
from trunkline.pipeline.workflow import Workflow, text_of

HEADS, TAGS = "refs/heads/", "refs/tags/"
_FILTERS = {
    "push": {
        *("branches", "branches-ignore", "tags", "tags-ignore"),
        *("paths", "paths-ignore"),
    },
    "pull_request": {
        *("branches", "branches-ignore", "paths", "paths-ignore", "types"),
    },
    "merge_group": {"branches", "branches-ignore", "types"},
    "delete": set[str](),
    "workflow_dispatch": {"inputs"},
}
_USUAL_TYPES = ("opened", "synchronize", "reopened")
_INPUT_KEYS = {"description", "required", "default", "type", "options"}


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a ref.

    `ref` is full. `base` is the branch that a pull request goes to, `action` what has
    become of it, `paths` are the files that the push or pull request changed.
    """

    name: str
    ref: str
    base: str = ""
    action: str = "opened"
    paths: Sequence[str] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)


def starts(workflow: Workflow, event: Event) -> bool:
    """Whether an event starts a workflow; raises UsageError on an unknown filter."""
    if event.name not in workflow.on:
        return False
    filters = workflow.on[event.name]
    if event.name == "schedule":
        return True
    place = f"{workflow.path}: on.{event.name}"
    unknown = sorted(set(filters) - _FILTERS[event.name])
    if unknown:
        raise UsageError(f"{place} has `{unknown[0]}`, which is no filter of it")
    if event.name == "pull_request" and event.action not in filters.get(
        "types", _USUAL_TYPES
    ):
        return False
    return _ref_passes(place, filters, event) and _paths_pass(filters, event)


def _ref_passes(place: str, filters: Mapping[str, Any], event: Event) -> bool:
    """With filters for one kind of ref only, the other kind does not start it."""
    if event.name not in ("push", "pull_request", "merge_group"):
        return True
    for kind in ("branches", "tags"):
        if kind in filters and f"{kind}-ignore" in filters:
            raise UsageError(f"{place} has both {kind} and {kind}-ignore")
    kind, name = "branches", event.base or event.ref.removeprefix(HEADS)
    if event.ref.startswith(TAGS):
        kind, name = "tags", event.ref.removeprefix(TAGS)
    if kind in filters:
        return selected(name, filters[kind])
    if f"{kind}-ignore" in filters:
        return not selected(name, filters[f"{kind}-ignore"])
    other = "tags" if kind == "branches" else "branches"
    return not ({other, f"{other}-ignore"} & set(filters))


def _paths_pass(filters: Mapping[str, Any], event: Event) -> bool:
    if event.ref.startswith(TAGS):
        return True  # Of a tag's push no paths are looked at.
    if "paths" in filters:
        return any_selected(event.paths, filters["paths"])
    if "paths-ignore" in filters:
        return any(not selected(path, filters["paths-ignore"]) for path in event.paths)
    return True


def filled_inputs(workflow: Workflow, event: Event) -> dict[str, Any]:
    """Fill a manual run's form in; raises UsageError on what GitHub would refuse."""
    if event.name != "workflow_dispatch":
        return {}
    declared = workflow.on["workflow_dispatch"].get("inputs") or {}
    unknown = sorted(set(event.inputs) - set(declared))
    if unknown:
        raise UsageError(
            f"{workflow.path} has no input `{unknown[0]}`; "
            f"expected one of {', '.join(declared) or 'none'}"
        )
    return {
        name: _input(f"{workflow.path}: input {name}", body or {}, event.inputs, name)
        for name, body in declared.items()
    }


def _input(
    place: str, body: Mapping[str, Any], given: Mapping[str, str], name: str
) -> Any:  # noqa: ANN401 - text or a truth value
    if set(body) - _INPUT_KEYS:
        raise UsageError(f"{place} has {sorted(set(body) - _INPUT_KEYS)[0]!r}")
    if body.get("required") and name not in given and "default" not in body:
        raise UsageError(f"{place} is required: --input {name}=…")
    kind, options = body.get("type", "string"), body.get("options") or []
    usual = options[0] if kind == "choice" and options else ""
    value = given.get(name, text_of(body.get("default", usual)))
    if kind == "choice" and value not in [text_of(option) for option in options]:
        raise UsageError(f"{place} is {value!r}; expected one of {options}")
    if kind == "boolean":
        if value not in ("true", "false", ""):
            raise UsageError(f"{place} is {value!r}; expected true or false")
        return value == "true"
    return float(value) if kind == "number" else value
