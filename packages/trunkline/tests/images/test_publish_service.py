"""This repository's own service, built from its own Dockerfile and published."""

import json

import pytest

from registries import Server
from services import Service, own_service
from trunkline.settings import read_settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def own(
    tmp_path_factory: pytest.TempPathFactory, registry_server: Server, engine: None
) -> Service:
    """The files of this repository, as they are, published from a new repository."""
    return own_service(tmp_path_factory.mktemp("own"), registry_server)


def test_the_service_is_published_ready_and_says_what_it_holds(own: Service) -> None:
    index = own.registry.manifest("main")
    assert index is not None
    said = index.document["annotations"]
    assert own.tags() == {own.head: index.digest, "main": index.digest}
    assert said["org.opencontainers.image.title"] == "my-app"
    settings = read_settings(own.sample.root / "pyproject.toml")
    flags = json.loads(said["dev.trunkline.flags"])
    assert all(flag.startswith("ENABLE_") for flag in flags)
    assert bool(flags) is bool(settings.flags)
    if settings.migrations:
        assert len(json.loads(said["dev.trunkline.migrations"])) == 1


def test_its_packages_are_those_of_production(own: Service) -> None:
    index = own.registry.manifest("main")
    assert index is not None
    attestation = own.registry.manifest(index.children[1])
    assert attestation is not None
    statement = json.loads(
        own.registry.blob(attestation.document["layers"][0]["digest"])
    )
    found = {package["name"] for package in statement["predicate"]["packages"]}
    assert {"my-app", "fastapi", "uvicorn", "libc6"} <= found
    assert {"pip", "pytest", "trunkline", "uv"}.isdisjoint(found)
