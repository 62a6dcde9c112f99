"""What happens to a deploy when a part of the cluster fails; run these by themselves.

Other tests of the same cluster would fail beside them.
"""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import urllib3

from deploy.engines.clusters import PAUSE, Cluster, kubectl
from deploy.engines.test_kubernetes_faults import (
    deploy_with,
    hang_for_want_of_room,
    until,
)

pytestmark = pytest.mark.slow
# What the control plane says of a node whose kubelet has been silent for 40 seconds.
SILENT = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}
# A pod that is never started, and takes up room all the same.
FILLER = """\
apiVersion: v1
kind: Pod
metadata: {{ name: filler }}
spec:
  containers:
    - {{ name: filler, image: none, resources: {{ requests: {{ cpu: {cpu}m }} }} }}
"""


@pytest.fixture(autouse=True)
def alone(cluster: Cluster) -> None:
    assert "PYTEST_XDIST_WORKER" not in os.environ, "run these without -n"


def program(name: str) -> int:
    """Find a program of the cluster; skip where it is not one of this machine's."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            argv = place.joinpath("cmdline").read_bytes().split(b"\0")
            os.kill(int(place.name), 0)
        except OSError:
            continue
        if Path(argv[0].decode()).name == name:
            found.append(int(place.name))
    if len(found) != 1:
        pytest.skip(f"{len(found)} programs {name} on this machine; 1 can be stopped")
    return found[0]


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Let a program answer nobody, as one that hangs."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def node() -> Any:  # noqa: ANN401 - whatever JSON can hold
    (found,) = json.loads(kubectl("get", "nodes", "-o=json").stdout)["items"]
    return found


def node_ready() -> bool:
    conditions = {one["type"]: one["status"] for one in node()["status"]["conditions"]}
    return bool(conditions["Ready"] == "True")


def fill(cluster: Cluster) -> None:
    """Leave too little room on the node for one more pod of the service."""
    pods = json.loads(kubectl("get", "pods", "-A", "-o=json").stdout)["items"]
    taken = []
    for pod in pods:
        if "deletionTimestamp" in pod["metadata"]:
            # Of an earlier test; it would leave its room after a minute.
            place, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
            now = ("--grace-period=0", "--force", "--ignore-not-found")
            kubectl("delete", "pod", f"--namespace={place}", name, *now)
        elif pod["status"]["phase"] in {"Pending", "Running"}:
            for inner in pod["spec"]["containers"]:
                requests = inner.get("resources", {}).get("requests", {})
                taken.append(requests.get("cpu", "0m"))
    cores = 1000 * int(node()["status"]["allocatable"]["cpu"])
    cpu = cores - sum(int(one.removesuffix("m")) for one in taken) - 10
    cluster.own("create", "--filename=-", stdin=FILLER.format(cpu=cpu))
    cluster.own("wait", "pod/filler", "--for=condition=PodScheduled", "--timeout=60s")


def test_an_api_server_that_hangs_for_20_seconds_is_waited_for(
    cluster: Cluster,
) -> None:
    pid = program("kube-apiserver")
    timers = []

    def hang() -> None:
        os.kill(pid, signal.SIGSTOP)
        timers.append(threading.Timer(20, os.kill, (pid, signal.SIGCONT)))
        timers[-1].start()

    cluster.publish("feat-patient", "patient")
    cluster.configure(cluster.server, jobs=False)
    with cluster.load(PAUSE) as seen:
        code, said = deploy_with(cluster, "feat/patient", hang, "check", "watch")
        for one in timers:
            one.join()
    assert code == 0, said
    assert (seen.lost, cluster.get()["kind"]) == ([], "patient")
    cluster.deployed("main")


def test_a_node_that_is_not_ready_is_named(cluster: Cluster) -> None:
    def answers() -> bool:
        """Whether the cluster passes requests on again, which is later still."""
        with suppress(urllib3.exceptions.HTTPError):
            return cluster.get()["kind"] == "well"
        return False

    cluster.publish("feat-nowhere", "new")
    cluster.configure(cluster.server, deadline=8)
    patch = json.dumps({"status": {"conditions": [SILENT]}})
    name = node()["metadata"]["name"]
    try:
        with stopped(program("kubelet")):
            kubectl("patch", "node", name, "--subresource=status", f"--patch={patch}")
            ran = cluster.deploy("feat/nowhere")
    finally:
        until(node_ready)
    assert (ran.code, "node.kubernetes.io/" in ran.err) == (1, True), ran.all
    until(lambda: cluster.told("status")["well"])
    until(answers)


def test_a_rollout_that_hangs_for_want_of_room_is_undone(cluster: Cluster) -> None:
    empty = ("pod", "filler", "--grace-period=0", "--force")
    hang_for_want_of_room(cluster, lambda: fill(cluster), empty, "Insufficient cpu")
