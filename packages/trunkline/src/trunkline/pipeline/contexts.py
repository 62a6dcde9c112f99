"""What a workflow knows of its run: contexts and the variables of each step. Pure."""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trunkline.pipeline.events import HEADS, TAGS, Event
from trunkline.pipeline.values import Known, numbers

SERVER = "https://github.com"
API = "https://api.github.com"
# Set by what has started this program, and wrong in a step.
_DROPPED = ("GIT_", "GITHUB_", "GH_", "RUNNER_", "PYTEST_", "COV_", "ACTIONS_")
_DROPPED_NAMES = {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "CI"} | {
    *("UV_RUN_RECURSION_DEPTH", "UV_PROJECT_ENVIRONMENT", "UV_LOCKED"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run: what happened, where, and what the repository holds for it.

    `payload` is the event as GitHub would tell it, as far as it is known here.
    """

    event: Event
    sha: str
    ref: str
    repository: str
    actor: str
    payload: Mapping[str, Any]
    secrets: Mapping[str, str]
    variables: Mapping[str, str]
    token: str
    api: str = API

    @property
    def ref_name(self) -> str:
        """The ref without its `refs/…/`."""
        for prefix in (HEADS, TAGS, "refs/pull/"):
            if self.ref.startswith(prefix):
                return self.ref.removeprefix(prefix)
        return self.ref


def github_context(run: Run, *, workflow: str, job: str = "") -> Known:
    """Return the context `github`; what it has not is not known here."""
    heads = run.event.ref.removeprefix(HEADS) if run.event.base else ""
    return Known(
        "github",
        {
            "action": "",
            "actor": run.actor,
            "api_url": run.api,
            "base_ref": run.event.base,
            "event": _payload("github.event", run.payload),
            "event_name": run.event.name,
            "head_ref": heads,
            "job": job,
            "ref": run.ref,
            "ref_name": run.ref_name,
            "ref_type": "tag" if run.ref.startswith(TAGS) else "branch",
            "repository": run.repository,
            "repository_owner": run.repository.partition("/")[0],
            "run_attempt": "1",
            "run_id": "1",
            "run_number": "1",
            "server_url": SERVER,
            "sha": run.sha,
            "token": run.token,
            "triggering_actor": run.actor,
            "workflow": workflow,
        },
    )


def _payload(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    """Make every object of the event one that must be known."""
    if isinstance(value, dict):
        inner = {key: _payload(f"{name}.{key}", item) for key, item in value.items()}
        return Known(name, inner)
    return numbers(value)


def synthetic_payload(
    event: Event, *, sha: str, base_sha: str, title: str, trunk: str, actor: str
) -> dict[str, Any]:
    """Tell of an event what git knows of it; the rest is given by --event-file."""
    repository = {"default_branch": trunk}
    name = event.ref.removeprefix(HEADS).removeprefix(TAGS)
    match event.name:
        case "push":
            head = {"id": sha, "message": title}
            more = {"ref": event.ref, "after": sha, "head_commit": head}
            return {**more, "repository": repository, "deleted": False}
        case "pull_request":
            head = {"sha": sha, "ref": name}
            base = {"sha": base_sha, "ref": event.base}
            pull = {"number": 1, "title": title, "head": head, "base": base}
            return {
                "action": event.action,
                "number": 1,
                "pull_request": {**pull, "user": {"login": actor}, "draft": False},
                "repository": repository,
            }
        case "delete":
            kind = "tag" if event.ref.startswith(TAGS) else "branch"
            return {"ref": name, "ref_type": kind, "repository": repository}
        case "workflow_dispatch":
            inputs = dict(event.inputs)
            return {"ref": event.ref, "inputs": inputs, "repository": repository}
    return {"repository": repository}


def runner_context(temporary: str, tools: str) -> Known:
    """Return the context `runner` of this machine."""
    systems = {"Linux": "Linux", "Darwin": "macOS", "Windows": "Windows"}
    machines = {"x86_64": "X64", "AMD64": "X64", "aarch64": "ARM64", "arm64": "ARM64"}
    return Known(
        "runner",
        {
            "arch": machines.get(platform.machine(), platform.machine()),
            "debug": "",
            "environment": "self-hosted",
            "name": "local",
            "os": systems.get(platform.system(), platform.system()),
            "temp": temporary,
            "tool_cache": tools,
        },
    )


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """Choose what a step takes over from this machine.

    Not what this program's own start has set: its virtual environment, git's and
    GitHub's variables.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(_DROPPED) and name not in _DROPPED_NAMES
    }
    own = environ.get("VIRTUAL_ENV")
    if own:
        programs = os.path.join(own, "bin")
        path = kept.get("PATH", os.defpath).split(os.pathsep)
        kept["PATH"] = os.pathsep.join(part for part in path if part != programs)
    return kept


def step_variables(github: Known, runner: Known, workspace: str) -> dict[str, str]:
    """Return the variables that every step has."""
    told = {
        f"GITHUB_{name.upper()}": str(value)
        for name, value in github.items()
        if name not in ("event", "token", "action")
    }
    names = ("arch", "environment", "name", "os", "temp", "tool_cache")
    runs = {f"RUNNER_{name.upper()}": str(runner[name]) for name in names}
    workflow = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": workspace}
    return {**told, **runs, **workflow}
