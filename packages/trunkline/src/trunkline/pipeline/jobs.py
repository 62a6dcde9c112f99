"""The order of jobs, and what a matrix makes of one. Pure."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from trunkline.errors import UsageError
from trunkline.pipeline.values import equal, numbers
from trunkline.pipeline.workflow import Job, Workflow

Result = str  # "success", "failure" or "skipped"


def in_order(workflow: Workflow, wanted: Sequence[str] = ()) -> list[Job]:
    """List the jobs, each behind those that it needs; `wanted` ones with theirs only.

    Raises UsageError where jobs need each other in a circle.
    """
    for name in wanted:
        if name not in workflow.jobs:
            raise UsageError(
                f"{workflow.path} has no job `{name}`; "
                f"expected one of {', '.join(workflow.jobs)}"
            )
    found: list[Job] = []
    waiting: list[str] = []

    def visit(name: str) -> None:
        if name in waiting:
            circle = " → ".join([*waiting[waiting.index(name) :], name])
            raise UsageError(f"{workflow.path}: jobs need each other: {circle}")
        job = workflow.jobs[name]
        if job in found:
            return
        waiting.append(name)
        for other in job.needs:
            visit(other)
        waiting.pop()
        found.append(job)

    for name in wanted or workflow.jobs:
        visit(name)
    return found


def ancestors(workflow: Workflow, job: Job) -> set[str]:
    """Name every job that a job needs, and those that these need."""
    found: set[str] = set()
    for name in job.needs:
        found |= {name} | ancestors(workflow, workflow.jobs[name])
    return found


def statuses(
    workflow: Workflow, job: Job, results: Mapping[str, Result]
) -> dict[str, bool]:
    """Return what success() and failure() are in a job's own condition.

    A job that was skipped, however far back, is no success for GitHub.
    """
    before = [results[name] for name in ancestors(workflow, job)]
    return {
        "success": all(result == "success" for result in before),
        "failure": "failure" in before,
    }


def combinations(matrix: object) -> list[dict[str, Any]]:
    """Expand a matrix, `include` and `exclude` as GitHub does; one empty without."""
    if not matrix:
        return [{}]
    if not isinstance(matrix, dict):
        raise UsageError(f"a matrix is {matrix!r}; expected a table")
    table = numbers(matrix)
    include, exclude = table.pop("include", []), table.pop("exclude", [])
    names = list(table)
    base = [dict(zip(names, row, strict=True)) for row in product(*table.values())]
    base = [row for row in base if not any(_agrees(row, out) for out in exclude)]
    if not names:
        base = []
    rows = [dict(row) for row in base]
    added = []
    for extra in include:
        # An entry extends the combinations whose own values it does not change.
        fitting = [
            row
            for row, own in zip(rows, base, strict=True)
            if all(equal(own[key], extra[key]) for key in own if key in extra)
        ]
        for row in fitting:
            row.update(extra)
        if not fitting:
            added.append(dict(extra))
    return rows + added


def _agrees(row: Mapping[str, Any], part: Mapping[str, Any]) -> bool:
    return all(key in row and equal(row[key], value) for key, value in part.items())
