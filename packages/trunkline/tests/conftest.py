"""Fixtures for all tests."""

import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from faults import Proxy, proxy_before
from hotfixes import arrange, release_hotfix
from registries import Server, running_registry
from samples import Sample, build_template, copied
from services import Service, add_service, loaded_images, require_engine
from shared import made_once
from trunkline.registry.client import Registry

# A time limit for one example only measures how busy the machine is.
settings.register_profile("trunkline", deadline=None)
settings.load_profile("trunkline")

for argument, image in loaded_images().items():
    os.environ.setdefault(argument, image)

# A shell starts background jobs with SIGINT ignored. Programs that the tests start
# would inherit that and never see an interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


# Files with tests of a minute or more.
LONGEST = ("test_playbook.py", "test_service.py", "test_kubernetes_service.py")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest tests: one begun late is left alone at the end."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[
    None, pytest.TestReport, pytest.TestReport
]:
    """Give all skipped tests one place, so that each reason is one line at the end."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = (__file__, 1, report.longrepr[2])
    return report


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the sample project; built once, copied by the tests."""
    folder = tmp_path_factory.mktemp("template")
    build_template(folder)
    return folder


@pytest.fixture
def sample(template: Path, tmp_path: Path) -> Sample:
    """A fresh copy of the sample project at version 0.0.0, never released."""
    return copied(template, tmp_path)


@pytest.fixture(scope="session")
def released_template(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the sample project after releases v1.0.0 and v1.1.0."""

    def make(folder: Path) -> None:
        sample = copied(template, folder)
        text = sample.read("pyproject.toml").replace("major_version_zero = true\n", "")
        sample.commit("feat: begin", {"pyproject.toml": text})
        sample.push()
        sample.bump("1.0.0")
        sample.commit("feat: log in")
        sample.push()
        sample.bump()

    return made_once(tmp_path_factory, "released", make)


@pytest.fixture
def released(released_template: Path, tmp_path: Path) -> Sample:
    """A fresh copy of the sample project at v1.1.0 with nothing to release."""
    return copied(released_template, tmp_path)


@pytest.fixture(scope="session")
def hotfixed_template(
    released_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Folder with main at v1.2.0 and hotfix v1.1.1 beside it."""

    def make(folder: Path) -> None:
        sample = copied(released_template, folder)
        arrange(sample, "feat: more", bump=True)
        release_hotfix(sample)

    return made_once(tmp_path_factory, "hotfixed", make)


@pytest.fixture
def hotfixed(hotfixed_template: Path, tmp_path: Path) -> Sample:
    """A fresh copy of main at v1.2.0 with hotfix v1.1.1 beside it."""
    return copied(hotfixed_template, tmp_path)


@pytest.fixture(scope="session")
def registry_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running registry without authentication that allows deletion."""
    with running_registry(tmp_path_factory.mktemp("registry")) as server:
        yield server


@pytest.fixture
def registry(registry_server: Server) -> Iterator[Registry]:
    """A new repository in a running registry."""
    with registry_server.connect() as registry:
        yield registry


@pytest.fixture
def proxy(registry_server: Server) -> Iterator[Proxy]:
    """A proxy in front of the registry into which tests inject faults."""
    with proxy_before(registry_server) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def engine() -> None:
    """A container engine with the base image of the test service."""
    require_engine()


@pytest.fixture
def service(sample: Sample, registry_server: Server) -> Service:
    """A sample project with a service and a new image repository."""
    return add_service(sample, registry_server)


@pytest.fixture
def watched(sample: Sample, proxy: Proxy) -> Service:
    """A service whose registry is behind the proxy."""
    return add_service(sample, proxy.server)
