"""One Deployment of a cluster, by the user's own kubectl, and the switch in it."""

import json
import time
from collections.abc import Iterable
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

# How long an API server may be away before a deploy gives up.
AWAY = 60.0
# What kubectl prints, with exit code 0, for a container that is gone.
NO_LOGS = "unable to retrieve container logs"
# What the kubelet asks a service for, which logs each answer.
PROBED = ("/readyz", "/healthz")


class Workload:
    """A Deployment, and what belongs to it."""

    def __init__(self, environment: Environment, default: str) -> None:
        self.name = environment.workload or default
        self.environment = environment
        self.options = [
            f"--{key}={value}"
            for key, value in (
                ("context", environment.context),
                ("namespace", environment.namespace),
            )
            if value
        ]
        self.said: dict[str, str] = {}
        self.patience = AWAY

    def read(self) -> Json:
        """Return the Deployment; raises a refusal if there is none."""
        options = ("--show-managed-fields", "--ignore-not-found")
        found = self.get("deployment", self.name, *options)
        if not found:
            namespace = self.environment.namespace
            raise Refusal(
                rule="workload",
                found=f"no Deployment {self.name} in {self.shown}",
                expected="one, applied by whoever owns the cluster",
                fix=f"kubectl {f'--namespace={namespace} ' if namespace else ''}apply "
                f"--server-side -k kubernetes/overlays/{self.environment.name}",
            )
        return found

    @property
    def shown(self) -> str:
        """How a person names where it is."""
        return join(self.options) or "the current namespace"

    def live(self) -> Revision | None:
        """Return what the Deployment is to run; None if that is not ours."""
        return revision_of(self.read(), self.name)

    def revisions(self, deployment: Json) -> dict[Revision, Json]:
        """Return what we applied and the cluster keeps, each ReplicaSet's status."""
        # What was applied just now has no ReplicaSet yet.
        found: dict[Revision | None, Json] = {revision_of(deployment, self.name): {}}
        for one in self.select("replicasets", deployment):
            owners = one["metadata"].get("ownerReferences", ())
            if deployment["metadata"]["uid"] in {owner["uid"] for owner in owners}:
                found[revision_of(one, self.name)] = one["status"]
        return {one: status for one, status in found.items() if one}

    def pods(self, operation: str, deployment: Json) -> list[Json]:
        """Return the pods of an operation."""
        return [
            one
            for one in self.select("pods", deployment)
            if one["metadata"].get("annotations", {}).get(OPERATION) == operation
        ]

    def select(self, kind: str, deployment: Json) -> list[Json]:
        """Return what the Deployment's selector finds."""
        labels = deployment["spec"]["selector"]["matchLabels"].items()
        selector = ",".join(f"{key}={value}" for key, value in labels)
        items: list[Json] = self.get(kind, f"--selector={selector}")["items"]
        return items

    def put(self, revision: Revision | None, settled: str, deployment: Json) -> None:
        """Make the Deployment run a revision, unless it has changed since it was read.

        Nobody else's field is taken over, and no revision that another deployer put.
        """
        self.require_own(deployment, revision.names if revision else ())
        container = container_of(deployment)
        free = container["image"] == NOTHING
        options = ["--force-conflicts"] if free else []
        document = workload_patch(self.name, container["name"], revision, settled)
        wanted = applied(document)
        while True:
            version = deployment["metadata"]["resourceVersion"]
            document["metadata"]["resourceVersion"] = version
            done = self.apply(document, *options, check=False)
            if done.ok:
                return
            now = self.read()
            if applied(now) == wanted:
                return  # The answer to an earlier try was lost.
            if applied(now) != applied(deployment):
                raise self.changed(now)
            if now["metadata"]["resourceVersion"] == version:
                done.required()
            deployment = now  # Only its status is another.

    def changed(self, now: Json) -> Refusal:
        """Return the refusal to overrule whoever was faster."""
        live = revision_of(now, self.name)
        what = f"operation {live.operation}" if live else "something else"
        return Refusal(
            rule="changed-meanwhile",
            found=f"{self.name} was changed meanwhile: it is to run {what}",
            expected="one deployer at a time",
            fix=f"kubectl {join(self.options)} get deployment {self.name} "
            "--output=wide  (then the same command)",
        )

    def require_fit(self, deployment: Json) -> None:
        """Refuse what would end neither a rollout nor its undoing."""
        if found := unfit(deployment):
            field, bad, good = found
            patch = json.dumps({"spec": {field: good}})
            raise Refusal(
                rule="workload-fit",
                found=f"{self.name} has {field}: {json.dumps(bad)}",
                expected="a Deployment that starts pods and keeps the last revision",
                fix=f"kubectl {join(self.options)} patch deployment {self.name} "
                f"--patch={quote(patch)}",
            )

    def require_own(self, deployment: Json, names: Iterable[str]) -> None:
        """Refuse to go on where somebody else sets the image or a variable."""
        found = other_owner(deployment, names)
        if found is None:
            return
        place, manager, field = found
        path = f"/metadata/managedFields/{place}"
        patch = [  # The place may have changed when somebody types this.
            {"op": "test", "path": f"{path}/manager", "value": manager},
            {"op": "remove", "path": path},
        ]
        raise Refusal(
            rule="field-manager",
            found=f"{manager} sets {field} of {self.name}",
            expected="no other field manager than trunkline there",
            fix=f"kubectl {join(self.options)} patch deployment {self.name} "
            f"--type=json --patch={quote(json.dumps(patch))}  (stop {manager} first, "
            "or it takes its fields back)",
        )

    def apply(self, document: Json, *options: str, check: bool = True) -> Completed:
        """Apply an object; what it contains is in no argument."""
        return self.kubectl(
            *("apply", "--server-side", f"--field-manager={MANAGER}"),
            *("--validate=false", "--filename=-", *options),
            stdin=json.dumps(document).encode(),
            check=check,
        )

    def wait(self, seconds: float) -> None:
        """Wait until the cluster has rolled out, or for some seconds."""
        self.kubectl(
            *("rollout", "status", f"deployment/{self.name}"),
            f"--timeout={seconds:g}s",
            check=False,
            seconds=seconds,
        )

    def delete(self, kind: str, name: str) -> None:
        """Delete an object, if there is one, and do not wait for its end."""
        self.kubectl("delete", kind, name, "--ignore-not-found", "--wait=false")

    def explain(self, operation: str) -> str:
        """Say why an operation's pod is not ready, and what it wrote last."""
        deployment = self.read()
        pods = self.pods(operation, deployment)
        if not pods:
            return self.events(*self._owners(operation, deployment))
        # The sick ones first.
        pods.sort(key=lambda pod: (ready(pod), not restarted(pod)))
        why = self.events(pods[0]["metadata"]["name"])
        # A probe every other second would leave no line that says what is wrong.
        lines = self.logs(pods[0], 10 * LAST_LINES).splitlines()
        lines = [one for one in lines if not any(path in one for path in PROBED)]
        return "\n".join(([why] if why else []) + lines[1 - LAST_LINES :])

    def events(self, *names: str) -> str:
        """Say in one sentence what went wrong with one of these objects."""
        for name in names:
            by = f"--field-selector=involvedObject.name={name}"
            found = self.get("events", by, "--sort-by=.lastTimestamp")
            if why := explanation(name, found["items"]):
                return why
        return ""

    def logs(self, pod: Json, lines: int = LAST_LINES) -> str:
        """Return the last lines of a pod, or of its container that ended."""
        argv = ["logs", pod["metadata"]["name"], f"--tail={lines}"]
        argv.append(f"--container={pod['spec']['containers'][0]['name']}")
        choices: list[list[str]] = [[], ["--previous"]]
        # Of a pod that crashes, the container may be gone since somebody looked.
        for options in reversed(choices) if restarted(pod) else choices:
            done = self.kubectl(*argv, *options, check=False)
            if done.ok and not done.text.startswith(NO_LOGS):
                return done.text
        return ""

    def get(self, *words: str) -> Json:
        """Read an object or a list of some; empty where there need be none."""
        text = self.kubectl("get", *words, "--output=json").text
        found: Json = json.loads(text or "{}")
        return found

    def kubectl(
        self,
        *words: str,
        stdin: bytes | None = None,
        check: bool = True,
        seconds: float = 0,
    ) -> Completed:
        """Run kubectl, which may wait for some seconds of its own.

        While no server answers, again: each command may be repeated.
        """
        argv = ["kubectl", *self.options, *words]
        end = time.monotonic() + self.patience
        while True:
            try:
                done = process.run(argv, stdin=stdin, timeout=self.patience + seconds)
            except TimedOutError as error:
                raise self._refusal(str(error)) or error from error
            away = not done.ok and passing(done.complaint)
            if not away or time.monotonic() > end:
                break
            time.sleep(1)
        if check and not done.ok and (found := self._refusal(done.complaint)):
            raise found
        return done.required() if check else done

    def _refusal(self, complaint: str) -> Refusal | None:
        return refusal(complaint, join(self.options), self.environment.name)

    def _owners(self, operation: str, deployment: Json) -> list[str]:
        return [
            one["metadata"]["name"]
            for one in self.select("replicasets", deployment)
            if (found := revision_of(one, self.name)) and found.operation == operation
        ]
