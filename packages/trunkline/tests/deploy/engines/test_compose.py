"""Deploys of images: a real engine and registry, Caddy and PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.engines.hosts import Host
from registries import Server

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("engine")]


@pytest.fixture
def host(tmp_path: Path, registry_server: Server) -> Iterator[Host]:
    made = Host(tmp_path, registry_server)
    yield made
    made.end()


def test_a_branch_goes_on_staging_and_comes_back_without_a_lost_request(
    host: Host,
) -> None:
    first = host.publish("main")
    host.deployed("main")
    proxy = host.inspect("proxy-1", "{{.Id}} {{.State.StartedAt}}")
    assert host.get()["greeting"] == "a $HOME"
    host.clone.write("staging.env", "GREETING=good morning\nPOSTGRES_PASSWORD=hush$1\n")
    host.publish("feat-login", "new")
    with host.load() as seen:
        host.deployed("feat/login")
        assert (host.get()["kind"], host.get()["greeting"]) == ("new", "good morning")
        ran = host.trunkline("rollback", "staging")
        assert ran.code == 0, ran.all
    # The variables are those of then.
    assert (host.get()["commit"], host.get()["greeting"]) == (first, "a $HOME")
    assert (seen.lost, set(seen.kinds)) == ([], {"well", "new"})
    assert host.inspect("proxy-1", "{{.Id}} {{.State.StartedAt}}") == proxy
    assert host.containers() == ["blue", "database-1", "proxy-1"]
    policy = host.inspect("blue", "{{.HostConfig.RestartPolicy.Name}}")
    assert policy == "unless-stopped"
    assert host.told("status")["ref"] == "main"
