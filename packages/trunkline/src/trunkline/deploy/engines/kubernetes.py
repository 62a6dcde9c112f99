"""Run images as pods of a Deployment; the cluster starts and switches them."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from trunkline.deploy.engines.objects import (
    Json,
    Revision,
    ending,
    exit_code,
    job,
    over,
    ready,
    restarted,
    revision_of,
    rolled_out,
    secret,
    secret_name,
    serves,
    settled,
    stuck,
)
from trunkline.deploy.engines.workload import Workload
from trunkline.deploy.operation import Candidate, Instance, Operation
from trunkline.deploy.variables import Variables
from trunkline.output import say
from trunkline.process import Completed
from trunkline.registry.reference import ImageName

# Seconds to wait for a rollout before asking again.
WAIT = 5.0
# Longer than a terminationGracePeriodSeconds or a short outage of a registry.
STOP_SECONDS = 120.0
STUCK_SECONDS = 20.0


class KubernetesEngine:
    """Instances are revisions of one Deployment, each pinned to an image's digest."""

    def __init__(
        self,
        root: Path,
        folder: Path,
        *,
        workload: Workload,
        images: ImageName,
    ) -> None:
        self.workload = workload
        self.images = images
        self.variables = Variables(folder, root, workload.environment.variables)

    def running(self) -> tuple[Instance, ...]:
        """Return the revisions with pods, and the one that an undo would restore."""
        deployment = self.workload.read()
        live = revision_of(deployment, self.workload.name)
        kept = {settled(deployment), live.operation if live else ""}
        return tuple(
            replace(_instance(one), ready=status.get("readyReplicas", 0))
            for one, status in self.workload.revisions(deployment).items()
            if status.get("replicas") or one.operation in kept
        )

    def well(self, instance: Instance) -> bool:
        """Whether all of its pods have been ready, and none has exited since.

        The kubelet asks `/readyz`; the cluster may scale it or move a pod meanwhile.
        One that is not live any more is well if it lived through its window: the
        cluster keeps it for an undo.
        """
        seen = self.workload.seen
        # Within its window the switch, which is asked as often, has just read it.
        deployment = self.workload.last if seen else self.workload.read()
        live = revision_of(deployment, self.workload.name)
        good = settled(deployment) == instance.operation
        if live is None or live.operation != instance.operation:
            return good
        if good:
            return serves(deployment)
        if not rolled_out(deployment):
            self.workload.wait(WAIT)
            deployment = self.workload.read()
            if not seen and not rolled_out(deployment):
                return False
        pods = {
            one["metadata"]["uid"]: one
            for one in self.workload.pods(live.operation, deployment)
            if "deletionTimestamp" not in one["metadata"]
        }
        now = {uid for uid, one in pods.items() if ready(one)}
        fell = seen & pods.keys() - now
        seen |= now
        return bool(now) and not fell and not any(map(restarted, pods.values()))

    def ensure_proxy(self) -> None:
        """Do nothing: a cluster manages what the service needs."""

    def pull(self, candidate: Candidate) -> None:
        """Refuse a Deployment that cannot roll out, or that somebody else manages."""
        deployment = self.workload.read()
        self.workload.require_fit(deployment)
        self.workload.require_own(deployment, self.variables.today())

    def ask(
        self, candidate: Candidate, operation: str, argv: Sequence[str]
    ) -> Completed:
        """Run a command in a Job, which is deleted afterwards."""
        job_name = f"{self.workload.name}-command"
        self._finish(job_name)  # Left by a killed deploy.
        deployment = self.workload.read()
        document = job(
            deployment,
            self._revision(candidate, operation, deployment),
            name=job_name,
            argv=argv,
            deadline=self.workload.environment.deadline,
        )
        made = json.loads(self.workload.apply(document, "--output=json").text)
        code, said = self._finish(job_name, made["metadata"]["uid"])
        return Completed(tuple(argv), code, said.encode(), said.encode())

    def start(self, candidate: Candidate, operation: str) -> Instance:
        """Apply the new revision; the cluster starts its pods beside the old ones."""
        deployment = self.workload.read()
        revision = self._revision(candidate, operation, deployment)
        self.workload.put(revision, settled(deployment), deployment)
        return _instance(revision)

    def settle(self, instance: Instance) -> None:
        """Annotate the Deployment with the revision that survived its window."""
        deployment = self.workload.read()
        live = revision_of(deployment, self.workload.name)
        if live and live.operation == instance.operation:
            self.workload.put(live, instance.operation, deployment)

    def stop(self, instance: Instance) -> None:
        """Wait until its pods are gone, unless it is the current revision."""
        live = self.workload.live()
        if live and live.operation != instance.operation:
            self.workload.wait(STOP_SECONDS)

    def logs(self, operation: str) -> str:
        """Return why a pod is not ready, and the last lines of its log."""
        live = self.workload.live()
        said = self.workload.said.get(operation, "")
        if not said and live and live.operation == operation:
            said = self.workload.explain(operation)
        return self.variables.last_lines(operation, said)

    def remove(self, operation: str) -> None:
        """Delete the Secret of a finished operation."""
        self.workload.delete("secret", secret_name(self.workload.name, operation))

    def clean(self, kept: Sequence[Operation]) -> None:
        """Delete the Secrets of operations that are no longer needed."""
        serving = {one.operation for one in self.running()}
        for operation in self.variables.clean(kept, serving):
            self.remove(operation)

    def _revision(
        self, candidate: Candidate, operation: str, deployment: Json
    ) -> Revision:
        """Store an operation's variables in a Secret, and return the revision."""
        self.variables.keep(operation, candidate.variables_of)
        values = self.variables.read(operation)
        # Before a migration, for the address of a branch's own database is added.
        self.workload.require_own(deployment, values)
        self.workload.apply(secret(self.workload.name, operation, values))
        image = self.images.at(candidate.digest)
        return Revision(operation, candidate.commit, image, tuple(sorted(values)))

    def _finish(self, name: str, uid: str = "") -> tuple[int, str]:
        """Wait until a Job ends; a pod that cannot start ends it, too."""
        patience = time.monotonic() + STUCK_SECONDS
        end = time.monotonic() + self.workload.environment.deadline
        pods: list[Json] = []
        why = ""
        while found := self.workload.get("job", name, "--ignore-not-found"):
            if uid and found["metadata"]["uid"] != uid:
                break
            # At its deadline the cluster deletes a Job's pods but keeps their events.
            mine = f"--selector=controller-uid={found['metadata']['uid']}"
            pods = self.workload.get("pods", mine)["items"] or pods
            names = [one["metadata"]["name"] for one in pods]
            ended, late = ending(found), time.monotonic() > patience
            if late and not why and (why := self.workload.events(*names, name)):
                say(f"waiting for the Job {name}: {why}")
            hopeless = late and (any(map(stuck, pods)) or (why and not pods))
            done = ended or any(map(over, pods))
            overdue = (ended or {}).get("reason") == "DeadlineExceeded"
            # Of Jobs with one name, a server of 1.20 forgets the second's deadline.
            overdue |= not done and time.monotonic() > end
            if done or hopeless or overdue:
                said = "".join(map(self.workload.logs, pods))
                said = said or self.workload.events(*names, name)
                if overdue:
                    said = f"{said}\n{self.workload.environment.overdue}".strip()
                self.workload.delete("job", name)
                code = 1 if overdue else _code(found, pods)
                return code, said or "it did not start"
            time.sleep(1)
        return 1, f"the Job {name} was deleted by another deployer"


def _instance(revision: Revision) -> Instance:
    return Instance(revision.operation, revision.commit, revision.operation)


def _code(found: Json, pods: Sequence[Json]) -> int:
    """Return the exit code of a Job's command."""
    codes = [0] if found.get("status", {}).get("succeeded") else map(exit_code, pods)
    return next((one for one in codes if one is not None), 1)
