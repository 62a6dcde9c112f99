"""What is applied to a cluster, and what its objects say. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MANAGER = "trunkline"
DOMAIN = "trunkline.dev"
OPERATION, COMMIT = f"{DOMAIN}/operation", f"{DOMAIN}/commit"
IMAGE, SETTLED = f"{DOMAIN}/image", f"{DOMAIN}/settled"
# The image in a manifest before the first deploy: the one that we may replace.
NOTHING = "nothing-deployed"
# What a container has that serves, and one of a Job has not.
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
SERVING = ("command", "ports", "lifecycle", *PROBES)
# Events that only say that the one before happened again, or are no cause.
QUIET = ("BackOff", "MissingClusterDNS")
QUIET_MESSAGES = (
    "Error: ErrImagePull",
    "Error: ImagePullBackOff",
    "skip schedule deleting pod",
)
# What keeps a rollout from its end or from being undone, and what does not.
UNFIT: tuple[tuple[str, Any, Any], ...] = (
    ("paused", True, False),
    ("replicas", 0, 1),
    ("revisionHistoryLimit", 0, 10),
)
type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Revision:
    """What one operation applied; `names` are those of its variables."""

    operation: str
    commit: str
    image: str
    names: tuple[str, ...] = ()


def container_of(owner: Mapping[str, Any]) -> Json:
    """Return the service's container of a Deployment or a ReplicaSet."""
    found: Json = owner["spec"]["template"]["spec"]["containers"][0]
    return found


def revision_of(owner: Mapping[str, Any], workload: str) -> Revision | None:
    """Read what we applied; None if somebody has changed the image since."""
    notes = owner["spec"]["template"]["metadata"].get("annotations", {})
    container = container_of(owner)
    if OPERATION not in notes or notes.get(IMAGE) != container["image"]:
        return None
    ours = secret_name(workload, notes[OPERATION])
    names = [
        one["name"]
        for one in container.get("env", ())
        if one.get("valueFrom", {}).get("secretKeyRef", {}).get("name") == ours
    ]
    return Revision(notes[OPERATION], notes[COMMIT], notes[IMAGE], tuple(names))


def settled(deployment: Mapping[str, Any]) -> str:
    """Return the operation that lived through its window last."""
    found: str = deployment["metadata"].get("annotations", {}).get(SETTLED, "")
    return found


def applied(deployment: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return what a deployer applies: operation, settled operation and image."""
    notes = deployment["spec"]["template"]["metadata"].get("annotations", {})
    image: str = container_of(deployment)["image"]
    return notes.get(OPERATION, ""), settled(deployment), image


def secret_name(workload: str, operation: str) -> str:
    """Return the name of the Secret with an operation's variables."""
    return f"{workload}-{operation}"


def secret(workload: str, operation: str, values: Mapping[str, str]) -> Json:
    """Describe the Secret with an operation's variables."""
    name = secret_name(workload, operation)
    return _object("v1", "Secret", name) | {"stringData": dict(values)}


def workload_patch(
    name: str, container: str, revision: Revision | None, settled: str
) -> Json:
    """Describe all that we own of a Deployment; what is left out is taken away."""
    inner: Json = {"name": container, "image": NOTHING}
    metadata: Json = {}
    if revision:
        inner |= {"image": revision.image, "env": _env(name, revision)}
        metadata["annotations"] = {
            OPERATION: revision.operation,
            COMMIT: revision.commit,
            IMAGE: revision.image,
        }
    found = _object("apps/v1", "Deployment", name)
    found["metadata"]["annotations"] = {SETTLED: settled} if settled else {}
    pod = {"metadata": metadata, "spec": {"containers": [inner]}}
    return found | {"spec": {"template": pod}}


def job(
    deployment: Mapping[str, Any],
    revision: Revision,
    *,
    name: str,
    argv: Sequence[str],
    deadline: float,
) -> Json:
    """Describe a Job that runs a program as the service would be run, once."""
    workload, served = deployment["metadata"]["name"], container_of(deployment)
    live = revision_of(deployment, workload)
    ours = {*revision.names, *(live.names if live else ())}
    others = [one for one in served.get("env", ()) if one["name"] not in ours]
    inner = {key: value for key, value in served.items() if key not in SERVING} | {
        "image": revision.image,
        "args": list(argv),
        "env": [*others, *_env(workload, revision)],
    }
    pod = deployment["spec"]["template"]["spec"]
    pod = pod | {"containers": [inner], "restartPolicy": "Never"}
    found = _object("batch/v1", "Job", name)
    found["metadata"]["labels"] = {OPERATION: revision.operation}
    found["spec"] = {
        "backoffLimit": 0,
        "activeDeadlineSeconds": int(deadline),
        "ttlSecondsAfterFinished": 3600,
        # No label of the service: no request is to come here.
        "template": {"metadata": {"labels": {OPERATION: "job"}}, "spec": pod},
    }
    return found


def ending(job: Mapping[str, Any]) -> Json | None:
    """Return the condition by which a Job has ended.

    Servers since 1.31 announce it by another one while its pods still run.
    """
    conditions = job.get("status", {}).get("conditions", ())
    ends = (one for one in conditions if one["type"] in {"Complete", "Failed"})
    return next(ends, None)


def rolled_out(deployment: Mapping[str, Any]) -> bool:
    """Whether every pod is of the newest revision, and available."""
    status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    counts = ("replicas", "updatedReplicas", "availableReplicas")
    seen = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    return bool(seen and wanted and all(status.get(one, 0) == wanted for one in counts))


def serves(deployment: Mapping[str, Any]) -> bool:
    """Whether a pod takes requests; the cluster may just scale it or move another."""
    return bool(deployment.get("status", {}).get("availableReplicas"))


def unfit(deployment: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
    """Return a field of UNFIT with its value and a better one."""
    spec = deployment["spec"]
    return next((one for one in UNFIT if spec.get(one[0]) == one[1]), None)


def restarted(pod: Mapping[str, Any]) -> bool:
    """Whether the service's container of a pod has ended and was started again."""
    return bool(_status(pod).get("restartCount"))


def stuck(pod: Mapping[str, Any]) -> bool:
    """Whether the pod's container waits for something that did not come."""
    first = pod.get("status", {}).get("initContainerStatuses", ())
    waiting = [one.get("state", {}).get("waiting") for one in (*first, _status(pod))]
    return any(
        one and one.get("reason") not in {"ContainerCreating", "PodInitializing"}
        for one in waiting
    )


def ready(pod: Mapping[str, Any]) -> bool:
    """Whether the pod takes requests."""
    conditions = pod.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def explanation(name: str, events: Sequence[Mapping[str, Any]]) -> str:
    """Say in one sentence why a pod does not come, by its newest telling event."""
    # Servers since 1.19 give those of the scheduler no time to sort them by.
    placed = any(one.get("reason") == "Scheduled" for one in events)
    quiet = {*QUIET, "FailedScheduling"} if placed else QUIET
    telling = [
        one["message"]
        for one in events
        if one.get("type") == "Warning"
        and one.get("reason") not in quiet
        and not one["message"].startswith(QUIET_MESSAGES)
    ]
    return f"{name}: {' '.join(telling[-1].split())}" if telling else ""


def other_owner(
    deployment: Mapping[str, Any], names: Iterable[str]
) -> tuple[int, str, str] | None:
    """Return who else owns the image or a variable: place, manager and field."""
    container = container_of(deployment)
    for place, entry in enumerate(deployment["metadata"].get("managedFields", ())):
        if entry.get("manager") == MANAGER:
            continue
        at = entry.get("fieldsV1", {})
        for key in ("spec", "template", "spec", "containers"):
            at = at.get(f"f:{key}", {})
        at = at.get(f'k:{{"name":"{container["name"]}"}}', {})
        if "f:image" in at and container["image"] != NOTHING:
            return place, entry["manager"], "the image"
        for name in names:
            if f'k:{{"name":"{name}"}}' in at.get("f:env", {}):
                return place, entry["manager"], f"the variable {name}"
    return None


def _env(workload: str, revision: Revision) -> list[Json]:
    name = secret_name(workload, revision.operation)
    return [
        {"name": key, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}
        for key in revision.names
    ]


def exit_code(pod: Mapping[str, Any]) -> int | None:
    """Return the exit code of the service's container, None if it has not ended."""
    ended: Json = _status(pod).get("state", {}).get("terminated", {})
    return ended.get("exitCode")


def over(pod: Mapping[str, Any]) -> bool:
    """Whether a Job's program has ended by itself, whatever a sidecar still does."""
    return exit_code(pod) is not None and "deletionTimestamp" not in pod["metadata"]


def _status(pod: Mapping[str, Any]) -> Json:
    """Return the status of the service's container; a mesh may have added others."""
    name = pod["spec"]["containers"][0]["name"]
    found = pod.get("status", {}).get("containerStatuses", ())
    return next((one for one in found if one["name"] == name), {})


def _object(version: str, kind: str, name: str) -> Json:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}}
