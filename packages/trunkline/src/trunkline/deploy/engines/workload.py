"""A Deployment of a cluster, through the user's own kubectl."""

import json
import time
from collections.abc import Iterable, Iterator
from shlex import join, quote

from trunkline import process
from trunkline.deploy.engines.complaints import passing, refusal
from trunkline.deploy.engines.objects import (
    MANAGER,
    NOTHING,
    OPERATION,
    Json,
    Revision,
    applied,
    container_of,
    explanation,
    other_owner,
    ready,
    restarted,
    revision_of,
    unfit,
    workload_patch,
)
from trunkline.deploy.environments import Environment
from trunkline.deploy.variables import LAST_LINES
from trunkline.errors import Refusal
from trunkline.process import Completed, TimedOutError

# Seconds that an API server may be unreachable before a deploy gives up.
AWAY = 60.0
# Printed by kubectl, with exit code 0, for a missing container.
NO_LOGS = "unable to retrieve container logs"
# The kubelet's probes, which the service logs.
PROBED = ("/readyz", "/healthz")


class Workload:
    """A Deployment and its ReplicaSets, pods and Jobs."""

    def __init__(self, environment: Environment, default: str) -> None:
        self.name = environment.workload or default
        self.environment = environment
        place = {"context": environment.context, "namespace": environment.namespace}
        self.options = [f"--{key}={value}" for key, value in place.items() if value]
        self.said: dict[str, str] = {}
        # What was read last, and its pods that took requests since it was put on.
        self.last: Json = {}
        self.seen: set[str] = set()
        self.patience = AWAY

    def read(self) -> Json:
        """Return the Deployment; raises Refusal if there is none."""
        options = ("--show-managed-fields", "--ignore-not-found")
        self.last = self.get("deployment", self.name, *options)
        if not self.last:
            namespace = self.environment.namespace
            place = self.at or "the current namespace"
            raise Refusal(
                rule="workload",
                found=f"no Deployment {self.name} in {place}",
                expected="one, applied by whoever owns the cluster",
                fix=f"kubectl {f'--namespace={namespace} ' if namespace else ''}apply "
                f"--server-side -k kubernetes/overlays/{self.environment.name}",
            )
        return self.last

    @property
    def at(self) -> str:
        """How a person types where it is."""
        return join(self.options)

    def live(self) -> Revision | None:
        """Return the revision of the pod template; None if it is not ours."""
        return revision_of(self.read(), self.name)

    def revisions(self, deployment: Json) -> dict[Revision, Json]:
        """Return the status of each ReplicaSet that we applied, by revision."""
        # A revision that was just applied has no ReplicaSet yet.
        live = revision_of(deployment, self.name)
        kept = {ours: one["status"] for ours, one in self.replica_sets(deployment)}
        return ({live: {}} if live else {}) | kept

    def replica_sets(self, deployment: Json) -> Iterator[tuple[Revision, Json]]:
        """Find what the cluster keeps of what we applied."""
        uid = deployment["metadata"]["uid"]
        for one in self.select("replicasets", deployment):
            owners = [it["uid"] for it in one["metadata"].get("ownerReferences", ())]
            if uid in owners and (ours := revision_of(one, self.name)):
                yield ours, one

    def pods(self, operation: str, deployment: Json) -> list[Json]:
        """Return the pods of an operation."""
        return [
            one
            for one in self.select("pods", deployment)
            if one["metadata"].get("annotations", {}).get(OPERATION) == operation
        ]

    def select(self, kind: str, deployment: Json) -> list[Json]:
        """Return the objects that the Deployment's selector matches."""
        labels = deployment["spec"]["selector"]["matchLabels"].items()
        selector = ",".join(f"{key}={value}" for key, value in labels)
        items: list[Json] = self.get(kind, f"--selector={selector}")["items"]
        return items

    def put(self, revision: Revision | None, settled: str, deployment: Json) -> None:
        """Apply a revision, unless the Deployment has changed since it was read.

        Nobody else's field is taken over, and no revision that another deployer put.
        """
        self.seen.clear()
        self.require_own(deployment, revision.names if revision else ())
        container = container_of(deployment)
        options = ["--force-conflicts"] if container["image"] == NOTHING else []
        document = workload_patch(self.name, container["name"], revision, settled)
        while True:
            version = deployment["metadata"]["resourceVersion"]
            document["metadata"]["resourceVersion"] = version
            done = self.apply(document, *options, check=False)
            if done.ok or applied(now := self.read()) == applied(document):
                return  # The answer to an earlier try may have been lost.
            if applied(now) != applied(deployment):
                raise self.changed(now)
            if now["metadata"]["resourceVersion"] == version:
                done.required()
            deployment = now  # Only the status differs.

    def changed(self, now: Json) -> Refusal:
        """Return the refusal to overwrite somebody else's change."""
        live = revision_of(now, self.name)
        what = f"operation {live.operation}" if live else "something else"
        return Refusal(
            rule="changed-meanwhile",
            found=f"{self.name} was changed meanwhile: it is to run {what}",
            expected="one deployer at a time",
            fix=f"kubectl {self.at} get deployment {self.name} --output=wide  "
            "(then the same command)",
        )

    def require_fit(self, deployment: Json) -> None:
        """Refuse fields that keep a rollout, or its undo, from finishing."""
        if found := unfit(deployment):
            field, bad, good = found
            patch = json.dumps({"spec": {field: good}})
            raise Refusal(
                rule="workload-fit",
                found=f"{self.name} has {field}: {json.dumps(bad)}",
                expected="a Deployment that starts pods and keeps the last revision",
                fix=f"kubectl {self.at} patch deployment {self.name} "
                f"--patch={quote(patch)}",
            )

    def require_own(self, deployment: Json, names: Iterable[str]) -> None:
        """Refuse if another field manager owns the image or a variable."""
        if found := other_owner(deployment, names):
            place, manager, field = found
            path = f"/metadata/managedFields/{place}"
            patch = [  # The context may have changed by the time somebody types this.
                {"op": "test", "path": f"{path}/manager", "value": manager},
                {"op": "remove", "path": path},
            ]
            raise Refusal(
                rule="field-manager",
                found=f"{manager} sets {field} of {self.name}",
                expected="no other field manager than trunkline there",
                fix=f"kubectl {self.at} patch deployment {self.name} --type=json "
                f"--patch={quote(json.dumps(patch))}  (stop {manager} first, or it "
                "takes its fields back)",
            )

    def apply(self, document: Json, *options: str, check: bool = True) -> Completed:
        """Apply an object through standard input, for it may hold secrets."""
        argv = ("apply", "--server-side", f"--field-manager={MANAGER}", *options)
        stdin = json.dumps(document).encode()
        options = ("--validate=false", "--filename=-")
        return self.kubectl(*argv, *options, stdin=stdin, check=check)

    def wait(self, seconds: float) -> None:
        """Wait for the rollout, but not longer than some seconds."""
        argv = ("rollout", "status", f"deployment/{self.name}")
        self.kubectl(*argv, f"--timeout={seconds:g}s", check=False, seconds=seconds)

    def delete(self, kind: str, name: str) -> None:
        """Delete an object if it exists, without waiting."""
        self.kubectl("delete", kind, name, "--ignore-not-found", "--wait=false")

    def explain(self, operation: str) -> str:
        """Explain why an operation's pod is not ready, with its last lines."""
        deployment = self.read()
        if not (pods := self.pods(operation, deployment)):
            kept = self.replica_sets(deployment)
            ours = [one for put, one in kept if put.operation == operation]
            return self.events(*(one["metadata"]["name"] for one in ours))
        # Unhealthy pods first.
        pods.sort(key=lambda pod: (ready(pod), not restarted(pod)))
        why = self.events(pods[0]["metadata"]["name"])
        # Without the probes' lines, which would push out those that say what is wrong.
        lines = self.logs(pods[0]).splitlines()
        lines = [one for one in lines if not any(path in one for path in PROBED)]
        return "\n".join(([why] if why else []) + lines[1 - LAST_LINES :])

    def events(self, *names: str) -> str:
        """Explain in one sentence what went wrong with these objects."""
        for name in names:
            by = f"--field-selector=involvedObject.name={name}"
            found = self.get("events", by, "--sort-by=.lastTimestamp")
            if why := explanation(name, found["items"]):
                return why
        return ""

    def logs(self, pod: Json) -> str:
        """Return the last lines of a pod, or of its container that ended."""
        argv = ["logs", pod["metadata"]["name"], f"--tail={10 * LAST_LINES}"]
        argv.append(f"--container={pod['spec']['containers'][0]['name']}")
        choices: list[list[str]] = [[], ["--previous"]]
        # A crashing pod's container may have been removed meanwhile.
        for options in reversed(choices) if restarted(pod) else choices:
            done = self.kubectl(*argv, *options, check=False)
            if done.ok and not done.text.startswith(NO_LOGS):
                return done.text
        return ""

    def get(self, *words: str) -> Json:
        """Get an object or a list; empty if it may be missing and is."""
        text = self.kubectl("get", *words, "--output=json").text
        found: Json = json.loads(text or "{}")
        return found

    def kubectl(
        self, *words: str, stdin: bytes = b"", check: bool = True, seconds: float = 0
    ) -> Completed:
        """Run kubectl, which may wait for `seconds`; again while no server answers."""
        argv = ["kubectl", *self.options, *words]
        end = time.monotonic() + self.patience
        while True:
            try:
                done = process.run(argv, stdin=stdin, timeout=self.patience + seconds)
            except TimedOutError as error:
                raise self._refusal(str(error)) or error from error
            if done.ok or not passing(done.complaint) or time.monotonic() > end:
                break
            time.sleep(1)
        if check and not done.ok and (found := self._refusal(done.complaint)):
            raise found
        return done.required() if check else done

    def _refusal(self, complaint: str) -> Refusal | None:
        return refusal(complaint, self.at, self.environment.name)
