"""Which operation a cluster runs: asked of the Deployment, and changed there."""

from contextlib import suppress
from pathlib import Path

from trunkline.deploy.engines.objects import revision_of, settled
from trunkline.deploy.engines.workload import Workload
from trunkline.deploy.proxy import LiveFile
from trunkline.errors import FailedError, TrunklineError


class LiveWorkload(LiveFile):
    """The switch of a cluster: what the Deployment is told to run.

    An address is the name of an operation. The cluster moves the requests itself.
    """

    def __init__(self, folder: Path, workload: Workload) -> None:
        super().__init__(folder)
        self.workload = workload
        self.seen: str | None = None

    def read(self) -> str | None:
        """Return the operation whose revision the Deployment is to run."""
        live = self.workload.live()
        self.seen = live.operation if live else None
        return self.seen

    def write(self, address: str | None) -> None:
        """Let the cluster go back to an operation that it keeps, or to nothing."""
        deployment = self.workload.read()
        live = revision_of(deployment, self.workload.name)
        if live and live.operation == address:
            return
        if live and live.operation != self.seen:
            raise self.workload.changed(deployment)
        if live:
            # Its pods, and what they say, go now; without an answer it goes back, too.
            with suppress(TrunklineError):
                said = self.workload.explain(live.operation)
                self.workload.said[live.operation] = said
        kept = self.workload.revisions(deployment)
        found = next((one for one in kept if one.operation == address), None)
        if address and not found:
            raise FailedError(f"the cluster has no ReplicaSet of {address} any more")
        self.workload.put(found, settled(deployment), deployment)
