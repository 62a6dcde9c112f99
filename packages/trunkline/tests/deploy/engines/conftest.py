"""Machines and clusters that serve images."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.engines.clusters import Cluster, require_cluster
from deploy.engines.hosts import Host
from registries import Server


@pytest.fixture
def host(tmp_path: Path, engine: None, registry_server: Server) -> Iterator[Host]:
    """Nothing is deployed yet."""
    made = Host(tmp_path, registry_server)
    yield made
    made.end()


@pytest.fixture(scope="module")
def serving(
    tmp_path_factory: pytest.TempPathFactory, engine: None, registry_server: Server
) -> Iterator[Host]:
    """`main` serves, and does so after every test."""
    made = Host(tmp_path_factory.mktemp("host"), registry_server)
    made.publish("main")
    made.deployed("main")
    yield made
    made.end()


@pytest.fixture(scope="module")
def cluster(
    tmp_path_factory: pytest.TempPathFactory, engine: None, registry_server: Server
) -> Iterator[Cluster]:
    """The page's cluster: `main` serves, and does so after every test."""
    require_cluster()
    made = Cluster(tmp_path_factory.mktemp("cluster"), registry_server)
    try:
        made.publish("main")
        made.publish("feat-login-button", "new")
        made.type(made.deployer)
        yield made
    finally:
        made.end()
