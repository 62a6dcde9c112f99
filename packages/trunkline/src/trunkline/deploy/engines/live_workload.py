"""Read and change which operation a cluster's Deployment runs."""

from contextlib import suppress
from pathlib import Path

from trunkline.deploy.engines.objects import revision_of, settled
from trunkline.deploy.engines.workload import Workload
from trunkline.deploy.proxy import LiveFile
from trunkline.errors import FailedError, TrunklineError


class LiveWorkload(LiveFile):
    """The switch of a cluster: the Deployment's pod template.

    An address is the name of an operation. The cluster moves the requests itself.
    """

    def __init__(self, folder: Path, workload: Workload) -> None:
        super().__init__(folder)
        self.workload = workload
        self.seen: str | None = None

    def read(self) -> str | None:
        """Return the operation whose revision the Deployment runs."""
        live = self.workload.live()
        self.seen = live.operation if live else None
        return self.seen

    def write(self, address: str | None) -> None:
        """Roll back to an operation that the Deployment still keeps, or to nothing."""
        deployment = self.workload.read()
        live = revision_of(deployment, self.workload.name)
        if live and live.operation == address:
            return
        if live and live.operation != self.seen:
            raise self.workload.changed(deployment)
        if live:
            # Its pods and their logs go now. Roll back even if they cannot be read.
            with suppress(TrunklineError):
                said = self.workload.explain(live.operation)
                self.workload.said[live.operation] = said
        kept = self.workload.revisions(deployment)
        found = next((one for one in kept if one.operation == address), None)
        if address and not found:
            raise FailedError(f"the cluster has no ReplicaSet of {address} any more")
        self.workload.put(found, settled(deployment), deployment)
