"""Show requests on GitHub as Deployments with their statuses."""

import os
from collections.abc import Mapping
from typing import Any

import urllib3
from sqlalchemy import Row

STATES = {
    "waiting": "queued",
    "running": "in_progress",
    "done": "success",
    "failed": "failure",
    "refused": "error",
    "replaced": "inactive",
}
# GitHub refuses a longer description.
LONGEST = 140


def arrived(
    hook: Mapping[str, str], one: Row[Any], message: Mapping[str, Any], desk: str
) -> bool:
    """Post a request's status to its Deployment, which is created once.

    `url` of the hook is that of the repository in GitHub's API, and `desk` ours.
    """
    # A rollback's commit is known only when it has ended.
    if not (commit := one.commit or message["commit"]):
        return True
    body = deployment(one, message, commit)
    found = _ask(
        hook,
        "GET",
        "/deployments",
        fields={"environment": body["environment"], "task": body["task"]},
    )
    if found is None:
        return False
    made = found[0] if found else _ask(hook, "POST", "/deployments", json=body)
    if made is None:
        return False
    path = f"/deployments/{made['id']}/statuses"
    return _ask(hook, "POST", path, json=status(one, message, desk)) is not None


def deployment(
    one: Row[Any], message: Mapping[str, Any], commit: str
) -> dict[str, Any]:
    """Build the Deployment of a request. Pure."""
    return {
        "ref": commit,
        # Identifies the Deployment of this request.
        "task": f"deploy:{one.id}-{one.at:.0f}",
        # The deploy is running: GitHub should neither merge nor wait for checks.
        "auto_merge": False,
        "required_contexts": [],
        "environment": message["environment"],
        "production_environment": message["production"],
        "description": f"{one.person}: {one.why or one.subject or one.kind}"[:LONGEST],
    }


def status(one: Row[Any], message: Mapping[str, Any], desk: str) -> dict[str, Any]:
    """Build the status of a Deployment. Pure."""
    said = (one.said or one.state).strip().splitlines()
    return {
        "state": STATES[one.state],
        "environment": message["environment"],
        "environment_url": message["url"],
        "log_url": f"{desk}/{one.place}/requests/{one.id}",
        "description": said[-1][:LONGEST],
    }


def _ask(hook: Mapping[str, str], method: str, path: str, **more: Any) -> Any:  # noqa: ANN401 - JSON
    """Call GitHub's API; None if that failed."""
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {os.environ.get(hook.get('secret', ''), '')}",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    answer = urllib3.request(
        *(method, hook["url"] + path), headers=headers, timeout=5, retries=False, **more
    )
    return answer.json() if 200 <= answer.status < 300 else None  # noqa: PLR2004
