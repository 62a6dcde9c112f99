"""The image for coding agents and CI runners, which brings nothing but tools."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

import containers as docker
from containers import Engine, Image

from tests.servers import ROOT


@pytest.fixture(scope="module")
def worker(engine: Engine) -> Image:
    """Build the image of a worker."""
    return engine.build(ROOT / "docker", file="worker.Dockerfile")


@pytest.fixture
def cache() -> Iterator[str]:
    """Make a volume that workers share."""
    name = f"test-{uuid4().hex}"
    docker.run("volume", "create", name)
    yield name
    docker.run("volume", "rm", "--force", name)


def git(*arguments: str | Path) -> str:
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607 - wherever it is
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    return done.stdout


def checkout(folder: Path) -> Path:
    """Clone the project, with what is not committed yet."""
    git("clone", "--quiet", ROOT, folder)
    listing = git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listing.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, folder / name)
        else:
            (folder / name).unlink(missing_ok=True)
    return folder


def test_a_second_worker_does_all_of_its_work_without_a_network(
    worker: Image, cache: str, tmp_path: Path
) -> None:
    user = f"--user={os.getuid()}:{os.getgid()}"
    # Neither fetches anything; what takes long is computed once, in one process.
    alone = "PYTEST_XDIST_AUTO_NUM_WORKERS=0"
    quick = ("PYTEST_ADDOPTS=--no-cov", alone, "MYPY_CACHE_DIR=/cache/mypy")
    shared = (user, f"--volume={cache}:/cache", *(f"--env={it}" for it in quick))
    first = f"--volume={checkout(tmp_path / 'first')}:/work"
    second = f"--volume={checkout(tmp_path / 'second')}:/work"

    worker.run("sh", "-c", "make setup && make lint", options=(*shared, first))
    said = worker.run(
        *("sh", "-c", "make setup && make lint && make test"),
        options=(*shared, second, "--network=none"),
    )
    assert "gates passed" in said
    assert re.search(r"^\d+ passed", said, re.MULTILINE)


def test_nothing_is_installed_in_it_but_tools(worker: Image) -> None:
    assert "git version" in worker.run("git", "--version")
    assert "uv 0." in worker.run("uv", "--version")

    code = (
        "from importlib.metadata import distributions\n"
        "print(*(found.name for found in distributions()))"
    )
    assert set(worker.run("python", "-c", code).split()) <= {"pip"}
