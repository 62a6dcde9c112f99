"""However many pods there are, a deploy waits for each as long as for one."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.worlds import World
from trunkline.deploy.engines.kubernetes import KubernetesEngine
from trunkline.deploy.engines.objects import Json, Revision, workload_patch
from trunkline.deploy.engines.workload import Workload
from trunkline.deploy.environments import Environment
from trunkline.deploy.operation import Candidate, Instance, Operation
from trunkline.errors import FailedError
from trunkline.registry.reference import ImageName

PATIENCE, LOOK = 10, 0.2
NEW = Revision("op2", "beef", "shop@sha256:0b")


class Rollout(World):
    """Its pods come one after another, some seconds after the one before."""

    gaps: Sequence[int] = ()
    # How long the first pod is ready before it crashes, to come back a second later.
    crashes_after = float("inf")

    def count(self) -> int:
        come = sum(at <= self.clock for at in accumulate(self.gaps))
        back = self.clock % (self.crashes_after + 1) < self.crashes_after
        return come if back else max(come - 1, 0)

    def running(self) -> tuple[Instance, ...]:
        return tuple(replace(one, ready=self.count()) for one in super().running())

    def well(self, instance: Instance) -> bool:
        return self.count() == len(self.gaps)


def roll_out(
    gaps: Sequence[int], crashes_after: float = float("inf")
) -> tuple[float, str]:
    """Deploy; returns after how many seconds that ended, and why it failed."""
    with tempfile.TemporaryDirectory() as folder:
        world = Rollout(Path(folder) / "journal.db")
        world.gaps, world.crashes_after = gaps, crashes_after
        deployer = replace(world.deployer, patience=PATIENCE, window=0)
        new = Operation("op", Candidate("b", "b"), by="ana", at=0, took_back=False)
        try:
            deployer.deploy(new)
        except FailedError as error:
            return world.clock, str(error)
        return world.clock, ""


@given(st.lists(st.integers(0, 2 * PATIENCE), min_size=1, max_size=20))
def test_a_rollout_may_take_its_time_for_each_pod_and_no_more(gaps: list[int]) -> None:
    took, why = roll_out(gaps)
    late = next((n for n, gap in enumerate(gaps) if gap > PATIENCE), None)
    assert (f"was not ready, or named another commit, for {PATIENCE} s" in why) is (
        late is not None
    )
    # Told in time, which counts from the last pod that came.
    assert took <= sum(gaps[:late]) + PATIENCE + 3 * LOOK


def test_a_pod_that_crashes_and_comes_back_is_no_progress() -> None:
    took, why = roll_out([1, 10**6], crashes_after=4)
    assert ("was not ready" in why, took <= 1 + PATIENCE + 3 * LOOK) == (True, True)


class Cluster(Workload):
    """A Deployment whose newest ReplicaSet has some pods that take requests."""

    ready = 0

    def read(self) -> Json:
        found = workload_patch("shop", "web", NEW, "op1")
        found["metadata"]["uid"] = "d"
        return found

    def select(self, kind: str, deployment: Json) -> list[Json]:
        old = workload_patch("shop", "web", replace(NEW, operation="op1"), "")
        sets = []
        for one, ready in ((deployment, self.ready), (old, 20)):
            owner = {"ownerReferences": [{"uid": "d"}]}
            status = {"replicas": ready + 1, "readyReplicas": ready}
            sets.append(one | {"metadata": owner, "status": status})
        return sets


@pytest.mark.parametrize("ready", [0, 1, 7, 20])
def test_of_a_cluster_the_pods_of_the_new_version_count_alone(
    tmp_path: Path, ready: int
) -> None:
    cluster = Cluster(Environment("staging", "http://shop"), "shop")
    cluster.ready = ready
    images = cast("ImageName", None)
    engine = KubernetesEngine(tmp_path, tmp_path, workload=cluster, images=images)
    assert {one.operation: one.ready for one in engine.running()} == {
        "op2": ready,
        "op1": 20,
    }
