"""A program that runs in a Job has ended, at the latest, at its deadline."""

import json
from pathlib import Path
from typing import Any, cast

import pytest

from trunkline.deploy.engines.kubernetes import KubernetesEngine
from trunkline.deploy.engines.objects import Json, workload_patch
from trunkline.deploy.engines.workload import Workload
from trunkline.deploy.environments import Environment
from trunkline.deploy.operation import Candidate
from trunkline.process import Completed
from trunkline.registry.reference import parse_image_name

COMPLETE = {"type": "Complete"}
EXCEEDED = {"type": "Failed", "reason": "DeadlineExceeded"}
OVERDUE = "stopped after 0 seconds, the `deadline` of staging in pyproject.toml"


class Cluster:
    """Jobs that have the same status for ever, and may take no time at all."""

    name = "shop"
    environment = Environment(name="staging", url="http://shop", deadline=0)

    def __init__(self, status: Json, state: Json) -> None:
        self.job: Json = {}
        self.looks = 0
        self.status = status
        self.pod: dict[str, Any] = {
            "metadata": {"name": "shop-migrate-1"},
            "spec": {"containers": [{"name": "web"}]},
            "status": {"containerStatuses": [{"name": "web", "state": state}]},
        }

    def read(self) -> Json:
        return workload_patch("shop", "web", None, "")

    def require_own(self, deployment: Json, names: object) -> None:
        """Find nobody else."""

    def apply(self, document: Json, *options: str) -> Completed:
        if document["kind"] == "Job":
            self.job = document | {"status": self.status}
            self.job["metadata"]["uid"] = "1"
        return Completed((), 0, json.dumps(document).encode(), b"")

    def get(self, kind: str, *words: str) -> Json:
        self.looks += 1
        assert self.looks < 5, "it is waited for all the same"
        return self.job if kind == "job" else {"items": [self.pod]}

    def events(self, *names: str) -> str:
        return ""

    def logs(self, pod: Json) -> str:
        return "migrating"

    def delete(self, kind: str, name: str) -> None:
        self.job = {}


def ask(cluster: Cluster, folder: Path) -> tuple[int, str]:
    images = parse_image_name("registry.acme.com/shop")
    workload = cast("Workload", cluster)
    engine = KubernetesEngine(folder, folder, workload=workload, images=images)
    done = engine.ask(Candidate("main", "beef", digest="sha256:0b"), "op1", ["shop"])
    assert cluster.job == {}
    return done.code, done.text


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({"active": 1}, {"running": {}}),
        ({"conditions": [EXCEEDED]}, {"running": {}}),
        # It was told to end, and did so without a complaint.
        ({"conditions": [EXCEEDED]}, {"terminated": {"exitCode": 0}}),
    ],
)
def test_a_job_ends_at_its_deadline_whether_or_not_the_cluster_ends_it(
    tmp_path: Path, status: Json, state: Json
) -> None:
    said = f"migrating\n{OVERDUE}"
    assert ask(Cluster(status, state), tmp_path) == (1, said)


@pytest.mark.parametrize(
    "status", [{"conditions": [COMPLETE], "succeeded": 1}, {"active": 1}]
)
def test_a_program_that_ended_in_time_is_not_overdue(
    tmp_path: Path, status: Json
) -> None:
    cluster = Cluster(status, {"terminated": {"exitCode": 0}})
    assert ask(cluster, tmp_path) == (0, "migrating")
