"""Images are tested on a real engine, built from a copy of the project."""

import os
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from containers import Engine, Image, absent

from tests.servers import ROOT

CONTEXT = (
    "Dockerfile",
    ".dockerignore",
    "pyproject.toml",
    "uv.lock",
    "README.md",
    "LICENSE",
    "src",
    "packages",
    "docker/unshipped.txt",
)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Give the engine; without one these tests are skipped, but never in CI."""
    if reason := absent():
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; expected an engine in CI")
        pytest.skip(f"needs a container engine: {reason}")
    engine = Engine()
    yield engine
    engine.remove_images()


def copy_project(folder: Path) -> Path:
    """Copy what a build may see, and a little that it must not."""
    ignored = shutil.ignore_patterns("__pycache__", "tests", ".*")
    for name in CONTEXT:
        source = ROOT / name
        (folder / name).parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        elif source.is_file():
            shutil.copy(source, folder / name)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project that a test may change."""
    return copy_project(tmp_path)


@pytest.fixture(scope="session")
def image(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Build the image of the project as it is."""
    folder = copy_project(tmp_path_factory.mktemp("project"))
    return engine.build(
        folder,
        REVISION="4f1c2d3e4b5a697887960a1b2c3d4e5f60718293",
        BRANCH="feat/login-button",
        CREATED="2026-11-21T10:00:00Z",
        VERSION=version(),
    )


def version() -> str:
    """Return the version that pyproject.toml names."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])
