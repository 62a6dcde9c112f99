"""A machine that serves images."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
