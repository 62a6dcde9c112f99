"""This repository's own service, built from its own Dockerfile and published."""

import json
import shutil

import pytest

from registries import Server, random_path
from samples import REPOSITORY, Sample, environment, identify
from services import Service, docker_environment
from trunkline.settings import read_settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def own(
    tmp_path_factory: pytest.TempPathFactory, registry_server: Server, engine: None
) -> Service:
    """The files of this repository, as they are, published from a new repository."""
    folder = tmp_path_factory.mktemp("own")
    work = folder / "work"
    sample = Sample(work, folder / "origin.git", environment(folder))
    here = Sample(REPOSITORY, REPOSITORY, sample.env)
    for name in here.git("ls-files", "-z").rstrip("\0").split("\0"):
        if (REPOSITORY / name).is_file():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, work / name)
    sample.git("init", "-q", "-b", "main", ".")
    sample.git("init", "-q", "--bare", "-b", "main", "../origin.git")
    sample.git("remote", "add", "origin", "../origin.git")
    identify(sample, "dev")
    sample.git("add", "--all")
    sample.commit("feat: begin")
    sample.push()
    path = random_path()
    image = f"{registry_server.host}/{path}"
    sample.env |= docker_environment(sample) | {"TRUNKLINE_IMAGE": image}
    service = Service(sample, registry_server.connect(path), registry_server)
    service.published()
    return service


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
