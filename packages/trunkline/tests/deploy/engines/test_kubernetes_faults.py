"""What can happen to a deploy on a real cluster, at a step that is named."""

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.engines.clusters import PAUSE, Cluster, kubectl
from deploy.engines.test_compose_kill import begin, kill_at
from trunkline.deploy.engines.objects import Revision, workload_patch
from trunkline.deploy.operation import DeployStep

pytestmark = pytest.mark.slow
# Before the cluster is told of a new image, and after.
EARLY, LATE = list(DeployStep)[:4], list(DeployStep)[4:]
# A pod that is never started, and takes up room all the same.
FILLER = """\
apiVersion: v1
kind: Pod
metadata: {{ name: filler }}
spec:
  containers:
    - {{ name: filler, image: none, resources: {{ requests: {{ cpu: {cpu}m }} }} }}
"""


def deploy_with(
    cluster: Cluster, ref: str, step: str, between: Callable[[], object]
) -> tuple[int, str]:
    """Deploy, and hold the deploy up at the beginning of a step for something else."""
    with begin(cluster, ref) as deploying:
        assert deploying.stderr
        for line in deploying.stderr:
            if line.strip() == step:
                break
        else:
            pytest.fail(f"there was no step {step}")
        os.killpg(deploying.pid, signal.SIGSTOP)
        try:
            between()
        finally:
            os.killpg(deploying.pid, signal.SIGCONT)
        said = deploying.stderr.read()
    return deploying.returncode, said


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


def until(look: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not look():
        assert time.monotonic() < end
        time.sleep(1)


def node_ready() -> bool:
    (node,) = json.loads(kubectl("get", "nodes", "-o=json").stdout)["items"]
    conditions = {one["type"]: one["status"] for one in node["status"]["conditions"]}
    return bool(conditions["Ready"] == "True")


def fill(cluster: Cluster) -> None:
    """Leave too little room on the node for one more pod of the service."""
    (node,) = json.loads(kubectl("get", "nodes", "-o=json").stdout)["items"]
    pods = json.loads(kubectl("get", "pods", "-A", "-o=json").stdout)["items"]
    taken = [
        inner.get("resources", {}).get("requests", {}).get("cpu", "0m")
        for pod in pods
        if pod["status"]["phase"] in {"Pending", "Running"}
        # Another test's, which is about to leave its room; the filler waits for it.
        and "deletionTimestamp" not in pod["metadata"]
        for inner in pod["spec"]["containers"]
    ]
    cores = 1000 * int(node["status"]["allocatable"]["cpu"])
    cpu = cores - sum(int(one.removesuffix("m")) for one in taken) - 10
    cluster.own("create", "--filename=-", stdin=FILLER.format(cpu=cpu))
    cluster.own("wait", "pod/filler", "--for=condition=PodScheduled", "--timeout=60s")


@pytest.mark.alone
@pytest.mark.parametrize("step", ["check", "watch"])
def test_an_api_server_that_hangs_for_20_seconds_is_waited_for(
    cluster: Cluster, step: str
) -> None:
    pid = program("kube-apiserver")
    going_on = threading.Timer(20, os.kill, (pid, signal.SIGCONT))

    def hang() -> None:
        os.kill(pid, signal.SIGSTOP)
        going_on.start()

    cluster.publish("feat-patient", "patient")
    with cluster.load(PAUSE) as seen:
        code, said = deploy_with(cluster, "feat/patient", step, hang)
        going_on.join()
    assert code == 0, said
    assert (seen.lost, cluster.get()["kind"]) == ([], "patient")
    cluster.deployed("main")


@pytest.mark.alone
def test_a_node_that_is_not_ready_is_named(cluster: Cluster) -> None:
    cluster.publish("feat-nowhere", "new")
    cluster.configure(cluster.server, deadline=8)
    try:
        with stopped(program("kubelet")):
            until(lambda: not node_ready())
            ran = cluster.deploy("feat/nowhere")
    finally:
        until(node_ready)
    assert (ran.code, "node.kubernetes.io/" in ran.err) == (1, True), ran.all
    until(lambda: cluster.told("status")["well"])
    assert cluster.get()["kind"] == "well"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        pytest.param("pod", "Insufficient cpu", marks=pytest.mark.alone),
        ("quota", "exceeded quota: filler"),
    ],
)
def test_a_rollout_that_hangs_for_want_of_room_is_undone(
    cluster: Cluster, kind: str, said: str
) -> None:
    def full() -> None:
        if kind == "pod":
            fill(cluster)
        else:
            cluster.own("create", "quota", "filler", "--hard=pods=1")

    cluster.publish("feat-large", "new")
    cluster.configure(cluster.server, smoke=20)
    try:
        with cluster.load(PAUSE) as seen:
            code, err = deploy_with(cluster, "feat/large", "start", full)
    finally:
        cluster.own("delete", kind, "filler", "--grace-period=0", "--force")
    assert (code, said in err) == (1, True), err
    assert (seen.lost, cluster.get()["kind"]) == ([], "well")


def test_a_log_in_that_expires_on_the_way_is_finished_with_the_next(
    cluster: Cluster,
) -> None:
    text = cluster.config.read_text()
    config = json.loads(text)
    config["users"][0]["user"]["token"] = "expired"  # noqa: S105 - none

    cluster.publish("feat-expired", "new")
    with cluster.load(PAUSE) as seen:
        expired = json.dumps(config)
        code, said = deploy_with(
            cluster, "feat/expired", "watch", lambda: cluster.config.write_text(expired)
        )
        cluster.config.write_text(text)
        ran = cluster.deploy("main")
    assert (code, "logged in to the server" in said) == (1, True), said
    assert (ran.code, "the interrupted deploy ended: adopt" in ran.err) == (0, True)
    assert (seen.lost, cluster.get()["kind"]) == ([], "well")


def test_somebody_who_edits_in_between_is_named_and_not_overruled(
    cluster: Cluster,
) -> None:
    name = cluster.name
    pod = cluster.deployment()["spec"]["template"]["spec"]
    image = pod["containers"][0]["image"].replace("@", ":main@")
    cluster.publish("feat-edited", "new")

    def edit() -> None:
        cluster.own("set", "image", f"deployment/{name}", f"{name}={image}")

    with cluster.load(PAUSE) as seen:
        code, said = deploy_with(cluster, "feat/edited", "watch", edit)
        assert (code, "kubectl-set sets the image" in said) == (1, True), said
        cluster.rolled_out()
        again = cluster.deploy("main")
        assert "kubectl-set sets the image" in again.err, again.all
        cluster.let_go(again.err)
        ran = cluster.deploy("main")
    assert (ran.code, "deploy ended: restore" in ran.err) == (0, True), ran.all
    assert (seen.lost, cluster.get()["kind"]) == ([], "well")


def test_of_two_deployers_the_first_leaves_what_the_second_put_on(
    cluster: Cluster, tmp_path: Path
) -> None:
    other = cluster.twin(tmp_path)
    commit = cluster.publish("feat-second", "second")
    cluster.publish("feat-first", "first")
    with cluster.load(PAUSE) as seen:
        code, said = deploy_with(
            *(cluster, "feat/first", "check"), lambda: other.deployed("feat/second")
        )
    assert (code, f"{commit[:12]} of another deploy serves" in said) == (1, True), said
    assert (seen.lost, cluster.get()["kind"]) == ([], "second")
    cluster.deployed("main")


@pytest.mark.parametrize("step", ["start", "stop"])
def test_what_another_deployer_applies_between_look_and_write_stays(
    cluster: Cluster, step: str
) -> None:
    commit = cluster.publish("feat-second", "second")
    cluster.publish("feat-first", "first")
    with cluster.registry as registry:
        digest = registry.digest("feat-second")
    image = f"{cluster.server.host}/{cluster.path}@{digest}"
    revision = Revision("another", commit, image)
    put = json.dumps(workload_patch(cluster.name, cluster.name, revision, ""))
    with cluster.load(PAUSE) as seen:
        code, said = deploy_with(
            *(cluster, "feat/first", step), lambda: cluster.other.write_text(put)
        )
        until(lambda: cluster.get()["kind"] == "second")
        ran = cluster.deploy("main")
    assert (code, "it is to run operation another" in said) == (1, True), said
    assert ran.code == 0, ran.all
    assert (seen.lost, cluster.get()["kind"]) == ([], "well")


@pytest.mark.parametrize("steps", [EARLY, LATE])
def test_after_a_kill_at_each_step_the_next_command_finishes_by_the_facts(
    cluster: Cluster, steps: Sequence[DeployStep]
) -> None:
    for tag in ("feat-0", "feat-1"):
        cluster.publish(tag, "new")
    with cluster.load(PAUSE) as seen:
        said = [
            kill_at(cluster, step, f"feat/{number % 2}")
            for number, step in enumerate(steps)
        ]
        ran = cluster.deploy("main")
    assert ran.code == 0, ran.all
    for step, next_command in zip(steps, [*said[1:], ran.err], strict=True):
        found = re.findall("the interrupted deploy ended: ([a-z]+)", next_command)
        ending = "restore" if steps == EARLY else "adopt"
        # In between the cluster may or may not have rolled out.
        assert found == [ending] or (step, found) == (DeployStep.CHECK, ["restore"])
    assert (seen.lost, cluster.get()["kind"]) == ([], "well")
    assert cluster.names("jobs") == set()


@pytest.mark.parametrize("steps", [EARLY, LATE])
def test_a_kubectl_killed_at_each_step_ends_the_deploy_and_loses_nothing(
    cluster: Cluster, steps: Sequence[DeployStep]
) -> None:
    cluster.publish("feat-killed", "new")
    with cluster.load(PAUSE) as seen:
        for step in steps:
            code, said = deploy_with(cluster, "feat/killed", step, cluster.killed.touch)
            assert (code, cluster.killed.exists()) == (1, False), said
            # Once its window has passed it stays; the next command finishes the rest.
            stays = step is DeployStep.STOP
            assert ("still serves" in said) is not stays
            assert cluster.get()["kind"] == ("new" if stays else "well")
        ran = cluster.deploy("main")
    assert ran.code == 0, ran.all
    assert (seen.lost, cluster.get()["kind"]) == ([], "well")
    assert cluster.names("jobs") == set()
