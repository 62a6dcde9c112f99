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


@pytest.fixture(scope="session")
def served(
    tmp_path_factory: pytest.TempPathFactory, engine: None, registry_server: Server
) -> Iterator[Host]:
    """A machine on which `main` serves; begun once, with its proxy and database."""
    made = Host(tmp_path_factory.mktemp("host"), registry_server)
    made.publish("main")
    made.deployed("main")
    yield made
    made.end()


@pytest.fixture
def serving(served: Host) -> Host:
    """`main` serves, with the settings of the page, and does so after every test."""
    served.configure(served.server)
    return served


@pytest.fixture(scope="session")
def namespace(
    tmp_path_factory: pytest.TempPathFactory, engine: None, registry_server: Server
) -> Iterator[Cluster]:
    """The page's cluster: `main` serves, as the page's first command put it on.

    It does so after every test.
    """
    require_cluster()
    made = Cluster(tmp_path_factory.mktemp("cluster"), registry_server)
    try:
        made.publish("main")
        made.type(made.deployer[0])
        yield made
    finally:
        made.end()


@pytest.fixture
def cluster(namespace: Cluster) -> Cluster:
    """`main` serves in a namespace of this process, with the settings of the page."""
    namespace.configure(namespace.server)
    return namespace
