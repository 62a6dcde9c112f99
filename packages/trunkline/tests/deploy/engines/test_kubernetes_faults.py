"""What can happen to a deploy on a real cluster, at a step that is named."""

import json
import os
import re
import signal
import time
from collections.abc import Callable, Sequence
from itertools import batched
from pathlib import Path

import pytest

from deploy.engines.clusters import PAUSE, Cluster
from deploy.engines.test_compose_kill import begin, kill_at
from trunkline.deploy.engines.objects import Revision, workload_patch
from trunkline.deploy.operation import DeployStep

pytestmark = pytest.mark.slow
# Before the cluster is told of a new image.
EARLY = list(DeployStep)[:4]
# Of each the second meets what the first has left.
PAIRS = list(batched(DeployStep, 2))


def deploy_with(
    cluster: Cluster, ref: str, between: Callable[[], object], *steps: str
) -> tuple[int, str]:
    """Deploy, and hold the deploy up at the beginning of steps for something else."""
    with begin(cluster, ref) as deploying:
        assert deploying.stderr
        for step in steps:
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


def until(look: Callable[[], object]) -> None:
    while not look():
        time.sleep(0.2)


def hang_for_want_of_room(
    cluster: Cluster, fill: Callable[[], object], empty: Sequence[str], said: str
) -> None:
    cluster.publish("feat-large", "new")
    cluster.configure(cluster.server, smoke=20, jobs=False)
    try:
        with cluster.load(PAUSE) as seen:
            code, err = deploy_with(cluster, "feat/large", fill, "start")
    finally:
        cluster.own("delete", *empty)
    assert (code, said in err) == (1, True), err
    assert (seen.lost, cluster.get()["kind"]) == ([], "well")


def test_a_rollout_that_hangs_for_want_of_quota_is_undone(cluster: Cluster) -> None:
    fill = ("create", "quota", "filler", "--hard=pods=1")
    empty = ("quota", "filler")
    hang_for_want_of_room(
        *(cluster, lambda: cluster.own(*fill), empty, "exceeded quota: filler")
    )


def test_a_log_in_that_expires_on_the_way_is_finished_with_the_next(
    cluster: Cluster,
) -> None:
    text = cluster.config.read_text()
    config = json.loads(text)
    config["users"][0]["user"]["token"] = "expired"  # noqa: S105 - none

    cluster.publish("feat-expired", "new")
    cluster.configure(cluster.server, jobs=False)
    with cluster.load(PAUSE) as seen:
        expired = json.dumps(config)
        code, said = deploy_with(
            cluster, "feat/expired", lambda: cluster.config.write_text(expired), "watch"
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
    cluster.configure(cluster.server, jobs=False)

    def edit() -> None:
        cluster.own("set", "image", f"deployment/{name}", f"{name}={image}")

    with cluster.load(PAUSE) as seen:
        code, said = deploy_with(cluster, "feat/edited", edit, "watch")
        assert (code, "kubectl-set sets the image" in said) == (1, True), said
        cluster.rolled_out()
        again = cluster.deploy("main")
        said = "kubectl-set sets the image"
        assert (again.code, said in again.err) == (1, True), again.all
        cluster.let_go(again.err)
        ran = cluster.deploy("main")
    assert (ran.code, "deploy ended: restore" in ran.err) == (0, True), ran.all
    assert (seen.lost, cluster.get()["kind"]) == ([], "well")


def test_of_two_deployers_the_first_leaves_what_the_second_put_on(
    cluster: Cluster, tmp_path: Path
) -> None:
    cluster.configure(cluster.server, jobs=False)
    other = cluster.twin(tmp_path)
    commit = cluster.publish("feat-second", "second")
    cluster.publish("feat-first", "first")
    with cluster.load(PAUSE) as seen:
        code, said = deploy_with(
            cluster, "feat/first", lambda: other.deployed("feat/second"), "check"
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
    cluster.configure(cluster.server, jobs=False)
    with cluster.registry as registry:
        digest = registry.digest("feat-second")
    image = f"{cluster.server.host}/{cluster.path}@{digest}"
    revision = Revision("another", commit, image)
    put = json.dumps(workload_patch(cluster.name, cluster.name, revision, ""))
    with cluster.load(PAUSE) as seen:
        code, said = deploy_with(
            cluster, "feat/first", lambda: cluster.other.write_text(put), step
        )
        until(lambda: cluster.get()["kind"] == "second")
        ran = cluster.deploy("main")
    assert (code, "it is to run operation another" in said) == (1, True), said
    assert ran.code == 0, ran.all
    assert (seen.lost, cluster.get()["kind"]) == ([], "well")


@pytest.mark.parametrize("steps", PAIRS)
def test_after_a_kill_at_each_step_the_next_command_finishes_by_the_facts(
    cluster: Cluster, steps: Sequence[DeployStep]
) -> None:
    for tag in ("feat-0", "feat-1"):
        cluster.publish(tag, "new")
    cluster.configure(cluster.server, jobs=steps[0] in EARLY)
    with cluster.load(PAUSE) as seen:
        said = [
            kill_at(cluster, step, f"feat/{number % 2}")
            for number, step in enumerate(steps)
        ]
        ran = cluster.deploy("main")
    assert ran.code == 0, ran.all
    for step, next_command in zip(steps, [*said[1:], ran.err], strict=True):
        found = re.findall("the interrupted deploy ended: ([a-z]+)", next_command)
        ending = "restore" if step in EARLY else "adopt"
        # In between the cluster may or may not have rolled out.
        assert found == [ending] or (step, found) == (DeployStep.CHECK, ["restore"])
    assert (seen.lost, cluster.get()["kind"]) == ([], "well")
    assert cluster.names("jobs") == set()


@pytest.mark.parametrize("steps", PAIRS)
def test_a_kubectl_killed_at_each_step_ends_the_deploy_and_loses_nothing(
    cluster: Cluster, steps: Sequence[DeployStep]
) -> None:
    cluster.publish("feat-killed", "new")
    cluster.configure(cluster.server, jobs=steps[0] in EARLY)
    with cluster.load(PAUSE) as seen:
        for step in steps:
            code, said = deploy_with(cluster, "feat/killed", cluster.killed.touch, step)
            assert (code, cluster.killed.exists()) == (1, False), said
            # Once its window has passed it stays; the next command finishes the rest.
            stays = step is DeployStep.STOP
            assert ("still serves" in said) is not stays
            assert cluster.get()["kind"] == ("new" if stays else "well")
        ran = cluster.deploy("main")
    assert ran.code == 0, ran.all
    assert (seen.lost, cluster.get()["kind"]) == ([], "well")
    assert cluster.names("jobs") == set()
