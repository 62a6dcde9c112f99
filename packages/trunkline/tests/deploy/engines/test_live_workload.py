"""What a cluster runs is changed only to what it can run."""

from pathlib import Path
from typing import cast

import pytest

from trunkline.deploy.engines.live_workload import LiveWorkload
from trunkline.deploy.engines.objects import Json, Revision, workload_patch
from trunkline.deploy.engines.workload import Workload
from trunkline.errors import FailedError

NEW = Revision("op2", "beef", "shop@sha256:0b")
OLD = Revision("op1", "cafe", "shop@sha256:0a")


class Cluster:
    """A Deployment that is to run NEW, in a cluster that keeps some revisions."""

    name = "shop"

    def __init__(self, *kept: Revision) -> None:
        self.kept = dict.fromkeys(kept, 1)
        self.said: dict[str, str] = {}
        self.applied: list[Revision | None] = []

    def read(self) -> Json:
        return workload_patch("shop", "web", NEW, "op1")

    def live(self) -> Revision:
        return NEW

    def explain(self, operation: str) -> str:
        raise FailedError("events is forbidden")

    def revisions(self, deployment: Json) -> dict[Revision, int]:
        return self.kept

    def put(self, revision: Revision | None, settled: str, deployment: Json) -> None:
        self.applied.append(revision)


def live(cluster: Cluster, folder: Path) -> LiveWorkload:
    found = LiveWorkload(folder, cast("Workload", cluster))
    assert found.read() == "op2"
    return found


def test_what_cannot_be_explained_is_undone_all_the_same(tmp_path: Path) -> None:
    cluster = Cluster(NEW, OLD)
    live(cluster, tmp_path).write("op1")
    assert cluster.applied == [OLD]


def test_what_the_cluster_keeps_no_more_is_not_replaced_by_nothing(
    tmp_path: Path,
) -> None:
    cluster = Cluster(NEW)
    with pytest.raises(FailedError, match="no ReplicaSet of op1 any more"):
        live(cluster, tmp_path).write("op1")
    assert cluster.applied == []
    # Only where nothing was before does nothing come back.
    live(cluster, tmp_path).write(None)
    assert cluster.applied == [None]
