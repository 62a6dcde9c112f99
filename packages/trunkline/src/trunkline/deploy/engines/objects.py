"""Build the objects to apply to a cluster, and interpret its answers. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MANAGER = "trunkline"
DOMAIN = "trunkline.dev"
OPERATION, COMMIT = f"{DOMAIN}/operation", f"{DOMAIN}/commit"
IMAGE, SETTLED = f"{DOMAIN}/image", f"{DOMAIN}/settled"
# The placeholder image before the first deploy, which we may replace.
NOTHING = "nothing-deployed"
# Fields of a serving container that a Job's must not have.
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
SERVING = ("command", "ports", "lifecycle", *PROBES)
# Events that only repeat another one, or explain nothing.
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
    """What an operation applied; `names` lists its variables."""

    operation: str
    commit: str
    image: str
    names: tuple[str, ...] = ()


def container_of(owner: Mapping[str, Any]) -> Json:
    """Return the service's container in a Deployment or a ReplicaSet."""
    found: Json = owner["spec"]["template"]["spec"]["containers"][0]
    return found


def revision_of(owner: Mapping[str, Any], workload: str) -> Revision | None:
    """Return the revision that we applied; None if the image was changed since."""
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
    """Return the last operation that survived its window."""
    found: str = deployment["metadata"].get("annotations", {}).get(SETTLED, "")
    return found


def applied(deployment: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the applied fields: operation, settled operation and image."""
    notes = deployment["spec"]["template"]["metadata"].get("annotations", {})
    image: str = container_of(deployment)["image"]
    return notes.get(OPERATION, ""), settled(deployment), image


def secret_name(workload: str, operation: str) -> str:
    """Name the Secret with an operation's variables."""
    return f"{workload}-{operation}"


def secret(workload: str, operation: str, values: Mapping[str, str]) -> Json:
    """Build the Secret with an operation's variables."""
    name = secret_name(workload, operation)
    return _object("v1", "Secret", name) | {"stringData": dict(values)}


def workload_patch(
    name: str, container: str, revision: Revision | None, settled: str
) -> Json:
    """Build all the fields that we own of a Deployment; others of ours are removed."""
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
    """Build a Job that runs a command once, in the service's pod template."""
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
        # Without the service's labels, so that it gets no requests.
        "template": {"metadata": {"labels": {OPERATION: "job"}}, "spec": pod},
    }
    return found


def ending(job: Mapping[str, Any]) -> Json | None:
    """Return the condition that ended a Job.

    Servers since 1.31 announce it by another one while its pods still run.
    """
    conditions = job.get("status", {}).get("conditions", ())
    ends = (one for one in conditions if one["type"] in {"Complete", "Failed"})
    return next(ends, None)


def rolled_out(deployment: Mapping[str, Any]) -> bool:
    """Whether every pod has the newest revision and is available."""
    status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    counts = ("replicas", "updatedReplicas", "availableReplicas")
    seen = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    return bool(seen and wanted and all(status.get(one, 0) == wanted for one in counts))


def serves(deployment: Mapping[str, Any]) -> bool:
    """Whether any pod is available; others may be scaling or moving."""
    return bool(deployment.get("status", {}).get("availableReplicas"))


def unfit(deployment: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
    """Return the first unsuitable field, with its value and a better one."""
    spec = deployment["spec"]
    return next((one for one in UNFIT if spec.get(one[0]) == one[1]), None)


def restarted(pod: Mapping[str, Any]) -> bool:
    """Whether the service's container in a pod was restarted."""
    return bool(_status(pod).get("restartCount"))


def stuck(pod: Mapping[str, Any]) -> bool:
    """Whether the container is waiting for something that failed, such as its image."""
    first = pod.get("status", {}).get("initContainerStatuses", ())
    waiting = [one.get("state", {}).get("waiting") for one in (*first, _status(pod))]
    return any(
        one and one.get("reason") not in {"ContainerCreating", "PodInitializing"}
        for one in waiting
    )


def ready(pod: Mapping[str, Any]) -> bool:
    """Whether the pod is ready."""
    conditions = pod.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def explanation(name: str, events: Sequence[Mapping[str, Any]]) -> str:
    """Explain in one sentence why a pod is not ready, by its newest relevant event."""
    # Since 1.19, events of the scheduler have no lastTimestamp.
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
    """Return who else owns the image or a variable: where, manager and field."""
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
    """Return the exit code of the service's container; None while it runs."""
    ended: Json = _status(pod).get("state", {}).get("terminated", {})
    return ended.get("exitCode")


def over(pod: Mapping[str, Any]) -> bool:
    """Whether a Job's command has exited, even if a sidecar is still running."""
    return exit_code(pod) is not None and "deletionTimestamp" not in pod["metadata"]


def _status(pod: Mapping[str, Any]) -> Json:
    """Return the status of the service's container; a service mesh may add others."""
    name = pod["spec"]["containers"][0]["name"]
    found = pod.get("status", {}).get("containerStatuses", ())
    return next((one for one in found if one["name"] == name), {})


def _object(version: str, kind: str, name: str) -> Json:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}}
