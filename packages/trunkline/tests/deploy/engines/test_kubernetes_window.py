"""Within a window a cluster scales and moves pods; only what falls over is sick."""

from pathlib import Path
from typing import Any, cast

import pytest

from trunkline.deploy.engines.kubernetes import KubernetesEngine
from trunkline.deploy.engines.objects import (
    OPERATION,
    Json,
    Revision,
    workload_patch,
)
from trunkline.deploy.engines.workload import Workload
from trunkline.deploy.environments import Environment
from trunkline.deploy.operation import Instance
from trunkline.registry.reference import ImageName

NEW = Instance("op2", "beef", "op2")


class Cluster:
    """A Deployment whose pods, by name, are ready or not."""

    name = "shop"
    environment = Environment(name="staging", url="http://shop")

    def __init__(self, **pods: bool) -> None:
        self.pods_by_name = dict(pods)
        self.wanted = len(pods)
        self.settled, self.crashed, self.leaving = "", "", ""
        self.waited, self.reads = 0.0, 0
        self.seen: set[str] = set()

    def read(self) -> Json:
        self.reads += 1
        revision = Revision("op2", "beef", "shop@sha256:0b")
        found = workload_patch("shop", "web", revision, self.settled)
        found["metadata"]["generation"] = 1
        found["spec"]["replicas"] = self.wanted
        ready = sum(self.pods_by_name.values())
        counts = {"replicas": self.wanted, "updatedReplicas": self.wanted}
        found["status"] = {
            "observedGeneration": 1,
            "availableReplicas": ready,
            **counts,
        }
        return found

    @property
    def last(self) -> Json:
        """What the switch has read since the last look."""
        found = self.read()
        self.reads -= 1
        return found

    def pods(self, operation: str, deployment: Json) -> list[Json]:
        return [self.pod(name, up) for name, up in self.pods_by_name.items()]

    def pod(self, name: str, up: bool) -> dict[str, Any]:
        metadata: Json = {"name": name, "uid": name, "annotations": {OPERATION: "op2"}}
        if name == self.leaving:
            metadata["deletionTimestamp"] = "2026-11-28T07:00:00Z"
        status = {"name": "web", "restartCount": int(name == self.crashed)}
        conditions = [{"type": "Ready", "status": str(up)}]
        return {
            "metadata": metadata,
            "spec": {"containers": [{"name": "web"}]},
            "status": {"containerStatuses": [status], "conditions": conditions},
        }

    def wait(self, seconds: float) -> None:
        self.waited += seconds


def engine(cluster: Cluster, folder: Path) -> KubernetesEngine:
    return KubernetesEngine(
        folder,
        folder,
        workload=cast("Workload", cluster),
        images=cast("ImageName", None),
    )


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(a=True, b=True)


@pytest.fixture
def watching(cluster: Cluster, tmp_path: Path) -> KubernetesEngine:
    """Watch two pods that have come."""
    found = engine(cluster, tmp_path)
    assert found.well(NEW)
    return found


def test_within_its_window_only_the_switch_reads_the_deployment(
    cluster: Cluster, watching: KubernetesEngine
) -> None:
    before = cluster.reads
    assert watching.well(NEW)
    assert cluster.reads == before


def test_until_all_pods_have_come_it_is_not_well(tmp_path: Path) -> None:
    cluster = Cluster(a=True, b=False)
    watching = engine(cluster, tmp_path)
    assert not watching.well(NEW)
    cluster.pods_by_name["b"] = True
    assert watching.well(NEW)


def test_a_pod_that_was_added_may_take_its_time(
    cluster: Cluster, watching: KubernetesEngine
) -> None:
    cluster.pods_by_name |= {"c": False, "d": False}
    cluster.wanted = 4
    assert watching.well(NEW)
    # It is waited for as before, and the cluster is not asked all the time.
    assert cluster.waited


def test_a_pod_that_is_moved_makes_nothing_sick(
    cluster: Cluster, watching: KubernetesEngine
) -> None:
    cluster.pods_by_name = {"a": True, "b": False, "c": False}
    cluster.leaving = "b"
    assert watching.well(NEW)
    del cluster.pods_by_name["b"]
    assert watching.well(NEW)


def test_a_pod_that_takes_no_requests_any_more_does(
    cluster: Cluster, watching: KubernetesEngine
) -> None:
    cluster.pods_by_name["b"] = False
    assert not watching.well(NEW)
    cluster.pods_by_name = {"c": False, "d": False}
    assert not watching.well(NEW)


def test_a_pod_that_was_started_again_does_too(
    cluster: Cluster, watching: KubernetesEngine
) -> None:
    cluster.crashed = "b"
    assert not watching.well(NEW)


def test_after_the_window_it_serves_as_long_as_one_pod_does(
    cluster: Cluster, watching: KubernetesEngine
) -> None:
    cluster.pods_by_name["b"] = False
    cluster.settled = "op2"
    assert watching.well(NEW)
    cluster.pods_by_name["a"] = False
    assert not watching.well(NEW)
