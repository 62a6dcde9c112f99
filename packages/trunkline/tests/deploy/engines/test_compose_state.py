"""What somebody else did to the proxy, the live file or the containers."""

import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest
import urllib3

from deploy.engines.hosts import Host
from registries import free_port
from services import docker

pytestmark = pytest.mark.slow
SLEEP = "import time; time.sleep(600)"


def test_a_proxy_that_is_restarted_serves_what_is_live(serving: Host) -> None:
    docker("restart", "--time=1", f"{serving.name}-staging-proxy-1")
    serving.publish("feat-login", "new")
    serving.deployed("feat/login")
    assert serving.get()["kind"] == "new"
    serving.deployed("main")


def test_whoever_changes_the_url_is_told_how_the_proxy_moves(serving: Host) -> None:
    assert "the proxy is not" not in serving.deploy("main").err
    proxy = serving.inspect("proxy-1", "{{.Id}}")
    old, serving.port = serving.url, free_port()
    serving.url = f"http://127.0.0.1:{serving.port}"
    serving.configure(serving.server)
    ran = serving.deploy("main")
    assert (ran.code, serving.inspect("proxy-1", "{{.Id}}")) == (0, proxy), ran.all
    serving.typed(ran.err)
    again = urllib3.Retry(connect=20, backoff_factor=0.1)
    assert urllib3.request("GET", serving.url, retries=again).json()["kind"] == "well"
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request("GET", old, retries=False)
    assert "the proxy is not" not in serving.deploy("main").err


def test_a_machine_that_is_not_prepared_says_what_to_type(host: Host) -> None:
    host.publish("main")
    host.clone.write("staging.env", "GREETING=hello\n")
    ran = host.deploy("main")
    assert (ran.code, "no POSTGRES_PASSWORD" in ran.err) == (1, True), ran.all
    host.typed(ran.err)
    with socket.create_server(("127.0.0.1", host.port)):
        ran = host.deploy("main")
        assert (ran.code, "rule `port`" in ran.err) == (1, True), ran.all
        host.typed(ran.err)
        host.port = free_port()
        host.url = f"http://127.0.0.1:{host.port}"
        host.configure(host.server)
        host.deployed("main")
    assert host.get()["kind"] == "well"


@pytest.mark.parametrize("verb", ["create", "run"])
def test_what_a_killed_deploy_asked_the_database_with_is_waited_for_and_removed(
    serving: Host, verb: str
) -> None:
    name = f"{serving.name}-staging-command"
    (live,) = {"blue", "green"}.intersection(serving.containers())
    image = serving.inspect(live, "{{.Config.Image}}")
    words = [f"--name={name}", "--entrypoint=python", image, "-c", SLEEP]
    docker(verb, *(["--detach"] if verb == "run" else []), *words)
    deploying = serving.clone.start("trunkline", "deploy", "main", "--to", "staging")
    assert deploying.stderr
    waiting = f"waiting for an earlier one: docker logs --follow {name}\n"
    if verb == "run":
        assert waiting in iter(deploying.stderr.readline, "")
        docker("kill", name)
    _, said = deploying.communicate()
    assert (deploying.returncode, waiting in said) == (0, False), said
    assert not docker("ps", "--all", "--quiet", f"--filter=name={name}")


def test_a_foreign_live_file_needs_a_human(serving: Host) -> None:
    live = serving.folder / "switch" / "live"
    ours = live.read_text()
    live.write_text("yellow\n")
    try:
        ran = serving.deploy("main")
        assert (ran.code, "needs-a-human" in ran.err) == (1, True), ran.all
        assert live.read_text() == "yellow\n"
        serving.typed(ran.err)
        assert live.read_text() == ours
    finally:
        live.write_text(ours)
    assert serving.deploy("main").code == 0
    assert serving.get()["kind"] == "well"


def test_a_live_file_that_is_gone_is_restored(serving: Host) -> None:
    (serving.folder / "switch" / "live").unlink()
    serving.publish("feat-sick", "exits")
    assert serving.deploy("feat/sick").code == 1
    assert serving.get()["kind"] == "well"


def test_a_second_clone_leaves_the_containers_of_the_first_alone(
    serving: Host, tmp_path: Path
) -> None:
    before = serving.containers()
    root = tmp_path / "second"
    shutil.copytree(serving.clone.root, root)
    shutil.rmtree(root / ".git/trunkline")
    for words in (("deploy", "main", "--to", "staging"), ("status", "staging")):
        ran = replace(serving.clone, root=root).trunkline(*words)
        assert (ran.code, "one-clone" in ran.err) == (1, True), ran.all
        said = ran.err.rpartition("type next: ")[2].partition("  (")[0]
        assert said == f"cd {serving.clone.root.resolve()}"
    assert serving.trunkline("status", "staging").code == 0
    assert (serving.containers(), serving.get()["kind"]) == (before, "well")
