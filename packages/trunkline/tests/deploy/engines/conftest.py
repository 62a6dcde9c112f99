"""Machines and clusters that serve images."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.engines.clusters import Cluster, require_cluster
from deploy.engines.hosts import Host
from registries import Server
from shared import shared_folder


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
def turns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lock that tests of one cluster share, in whatever process they run."""
    return shared_folder(tmp_path_factory) / "cluster.lock"


@pytest.fixture(scope="session")
def namespace(
    tmp_path_factory: pytest.TempPathFactory,
    engine: None,
    registry_server: Server,
    turns: Path,
) -> Iterator[Cluster]:
    """The page's cluster: `main` serves, as the page's first command put it on.

    It does so after every test.
    """
    require_cluster()
    with turn(turns, fcntl.LOCK_SH):
        made = Cluster(tmp_path_factory.mktemp("cluster"), registry_server)
        try:
            made.publish("main")
            made.type(made.deployer[0])
        except BaseException:
            made.end()
            raise
    yield made
    made.end()


@pytest.fixture
def cluster(
    request: pytest.FixtureRequest, namespace: Cluster, turns: Path
) -> Iterator[Cluster]:
    """A namespace of its own, and the whole cluster for a test that runs alone."""
    alone = request.node.get_closest_marker("alone")
    with turn(turns, fcntl.LOCK_EX if alone else fcntl.LOCK_SH):
        namespace.configure(namespace.server)
        yield namespace


@contextmanager
def turn(file: Path, how: int) -> Iterator[None]:
    with file.open("a") as lock:
        fcntl.flock(lock, how)
        yield
