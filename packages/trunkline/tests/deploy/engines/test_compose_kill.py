"""A deploy of an image is killed at a step; the next command finishes by the facts."""

import os
import re
import signal
import subprocess
import tempfile
import time

import pytest

from deploy.engines.hosts import Host
from deploy.engines.relays import relay
from seeds import LATER, ROUNDS
from services import docker
from trunkline.deploy.lock import holder
from trunkline.deploy.operation import DeployStep

pytestmark = pytest.mark.slow
# What the history says of a killed deploy, and what the next command said it did.
ENDS = {"live": "adopt", "failed": "restore"}


def begin(host: Host, ref: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["trunkline", "deploy", ref, "--to", "staging"],
        cwd=host.clone.root,
        env=host.clone.env | env,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def kill_at(
    host: Host, step: str, ref: str, *, begun: str = "", later: float = 0.0
) -> str:
    """Kill a deploy and every program that it has started, seconds after a step began.

    If a container is named, the step has begun once that runs. Returns what was said.
    """
    said = ""
    with begin(host, ref) as deploying:
        assert deploying.stderr
        for line in deploying.stderr:
            said += line
            if line.strip() == step:
                while begun and begun not in docker("ps", "--format={{.Names}}"):
                    time.sleep(0.1)
                time.sleep(later)
                os.killpg(deploying.pid, signal.SIGKILL)
                break
        else:
            pytest.fail(f"there was no step {step}: {said}")
    while holder(host.folder):  # until the last of its programs has ended, too
        time.sleep(0.01)
    return said


@pytest.mark.parametrize("step", [*DeployStep])
@pytest.mark.parametrize("later", LATER if ROUNDS else LATER[:1])
@pytest.mark.parametrize("number", range(ROUNDS or 1))
def test_after_a_kill_no_request_is_lost_and_one_instance_serves(
    serving: Host, step: DeployStep, later: float, number: int
) -> None:
    serving.patient()
    serving.publish("feat-killed", f"new {number}")
    with serving.load() as seen:
        kill_at(serving, step, "feat/killed", later=later)
        ran = serving.deploy("main")
    assert ran.code == 0, ran.all
    ended, killed = serving.endings()[:2]
    told = re.findall("the interrupted deploy ended: ([a-z]+)", ran.err)
    # The kill may have come when it had ended.
    assert told == [ENDS[killed]] or (later and (told, killed) == ([], "live"))
    if not later and step is not DeployStep.SWITCH:
        assert (killed == "live") is (step in {DeployStep.WATCH, DeployStep.STOP})
    assert (seen.lost, serving.get()["kind"], ended) == ([], "well", "live")
    parts = {*serving.containers()}
    assert len(parts) == 3
    assert parts > {"database-1", "proxy-1"}


@pytest.mark.parametrize("part", [0.2, 0.4, 0.6, 0.8] if ROUNDS else [0.3, 0.7])
def test_a_kill_in_the_middle_of_a_step_loses_nothing_either(
    serving: Host, part: float
) -> None:
    serving.publish("feat-killed", "new")
    began = time.monotonic()
    serving.deployed("feat/killed")
    took = time.monotonic() - began
    serving.publish("feat-next", "next")
    with serving.load() as seen:
        with begin(serving, "feat/next") as deploying:
            time.sleep(took * part)
            os.killpg(deploying.pid, signal.SIGKILL)
        ran = serving.deploy("main")
    assert ran.code == 0, ran.all
    assert (seen.lost, serving.get()["kind"]) == ([], "well")
    assert len(serving.containers()) == 3


def test_ctrl_c_leaves_the_old_one_and_nothing_of_the_new(serving: Host) -> None:
    serving.publish("feat-login", "new")
    before = serving.containers()
    with serving.load() as seen, begin(serving, "feat/login") as deploying:
        assert deploying.stderr
        assert "watch\n" in iter(deploying.stderr.readline, "")
        os.killpg(deploying.pid, signal.SIGINT)
        assert "still serves" in deploying.stderr.read()
        assert deploying.wait() == 130
    assert (seen.lost, serving.containers()) == ([], before)
    assert serving.get()["kind"] == "well"


def test_an_engine_that_goes_away_is_named_and_the_next_command_finishes(
    serving: Host,
) -> None:
    old = serving.get()["commit"]
    new = serving.publish("feat-login", "new")
    # The path of a socket is short.
    with tempfile.TemporaryDirectory() as folder, serving.load() as seen:
        away = {"DOCKER_HOST": f"unix://{folder}/engine.sock"}
        with relay(f"{folder}/engine.sock"):
            deploying = begin(serving, "feat/login", **away)
            assert deploying.stderr
            assert "watch\n" in iter(deploying.stderr.readline, "")
            assert serving.get()["commit"] == new
        _, said = deploying.communicate()
        assert deploying.returncode == 1
        # The instance is asked by itself, and was well.
        assert "feat/login was put on; then `docker update" in said
        assert f"; {new[:12]} is live" in said
        assert serving.endings()[0] == "unfinished"
        # What it says to type leads on, whether the engine is back or not.
        words = ("deploy", "main", "--to", "staging")
        ran = serving.clone.trunkline(*words, **away)
        assert (ran.code, "type next: docker info" in ran.err) == (1, True), ran.all
        ran = serving.trunkline(*words)
    assert (ran.code, "the interrupted deploy ended: adopt" in ran.err) == (0, True)
    assert (seen.lost, serving.get()["commit"]) == ([], old)
    assert len(serving.containers()) == 3


def test_a_plan_is_refused_while_a_killed_deploy_is_unfinished(serving: Host) -> None:
    serving.publish("feat-killed", "new")
    kill_at(serving, "watch", "feat/killed")
    plan = serving.trunkline("deploy", "main", "--to", "staging", "--dry-run")
    assert (plan.code, "feat/killed, begun by" in plan.err) == (1, True), plan.all
    serving.deployed("main")


def test_a_migration_that_outlived_its_deploy_is_waited_for(serving: Host) -> None:
    serving.publish("feat-slow", "hangs")
    serving.publish("feat-next", "next")
    name = f"{serving.name}-staging-command"
    kill_at(serving, "migrate", "feat/slow", begun=name)
    with begin(serving, "feat/next") as deploying:
        assert deploying.stderr
        waiting = f"waiting for an earlier one: docker logs --follow {name}\n"
        assert waiting in iter(deploying.stderr.readline, "")
        docker("stop", name)
        deploying.communicate()
    assert deploying.returncode == 0
    assert name not in docker("ps", "--all", "--format={{.Names}}").split()
    assert serving.get()["kind"] == "next"
    serving.deployed("main")


def test_a_migration_that_hangs_is_in_nobodys_way(serving: Host) -> None:
    serving.publish("feat-slow", "hangs")
    settings = serving.clone.read("pyproject.toml")
    short = settings.replace("window = 2", "window = 2\ndeadline = 10")
    serving.clone.write("pyproject.toml", short)
    ran = serving.deploy("feat/slow")
    serving.clone.write("pyproject.toml", settings)
    assert (ran.code, "stopped after 10 seconds" in ran.err) == (1, True), ran.all
    assert "migrating hangs" in ran.err
    assert len(serving.containers()) == 3
    ran = serving.deploy("main")
    assert (ran.code, "waiting for" in ran.err) == (0, False), ran.all
