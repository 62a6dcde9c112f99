"""The template as others see it: a bare repository with the live files in it."""

import shutil
from pathlib import Path

import pytest

from samples import REPOSITORY, Sample, copied, environment, identify
from shared import made_once
from updates import go_on, release


def live_files() -> list[str]:
    """List what git tracks or would track, so that uncommitted work is tested."""
    here = Sample(REPOSITORY, REPOSITORY, environment(REPOSITORY))
    listed = here.git("ls-files", "-z", "-co", "--exclude-standard").split("\0")
    return [path for path in listed if path and (REPOSITORY / path).is_file()]


@pytest.fixture(scope="session")
def upstream_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the live files as working tree `work` and bare `origin.git`."""
    folder = tmp_path_factory.mktemp("upstream")
    sample = Sample(folder / "work", folder / "origin.git", environment(folder))
    sample.root.mkdir()
    for path in live_files():
        (sample.root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / path, sample.root / path)
    sample.git("init", "-q", "-b", "main", ".")
    sample.git("init", "-q", "--bare", "-b", "main", "../origin.git")
    sample.git("remote", "add", "origin", "../origin.git")
    identify(sample, "template")
    sample.git("add", "--all")
    sample.git("commit", "-q", "-m", "feat: begin")
    sample.git("tag", "-a", "-m", "v0.1.0", "v0.1.0")
    sample.git("push", "-q", "--follow-tags", "-u", "origin", "main")
    return folder


@pytest.fixture(scope="session")
def checked_types(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder for mypy's cache, with what it knows of the packages of this repository.

    They are nine tenths of what it reads in a service. Each worker has its own.
    """
    folder = tmp_path_factory.mktemp("types")
    if (known := REPOSITORY / ".mypy_cache").is_dir():
        shutil.copytree(known, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables by which services of one worker have one environment, one by one.

    Otherwise each of them unpacks all packages and compiles what it imports.
    """
    folder = tmp_path_factory.mktemp("packages")
    return {
        "UV_CACHE_DIR": str(folder / "cache"),
        "UV_PROJECT_ENVIRONMENT": str(folder / "environment"),
    }


@pytest.fixture
def upstream(upstream_template: Path, checked_types: Path, tmp_path: Path) -> Sample:
    """The template at v0.1.0; a release of it is a commit and a tag in `work`."""
    for name in ("work", "origin.git"):
        shutil.copytree(upstream_template / name, tmp_path / name, symlinks=True)
    env = environment(tmp_path, MYPY_CACHE_DIR=str(checked_types))
    return Sample(tmp_path / "work", tmp_path / "origin.git", env)


@pytest.fixture(scope="session")
def released_folder(
    upstream_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Folder with the template released as v0.1.0 and v0.2.0."""

    def make(folder: Path) -> None:
        upstream = copied(upstream_template, folder)
        upstream.git("tag", "-d", "v0.1.0")
        upstream.git("push", "-q", "--delete", "origin", "v0.1.0")
        release(upstream)
        go_on(upstream)
        assert upstream.git("tag").split() == ["v0.1.0", "v0.2.0"]

    return made_once(tmp_path_factory, "releases", make)


@pytest.fixture
def releases(released_folder: Path, tmp_path: Path) -> Sample:
    """The template with both releases."""
    shutil.copytree(released_folder, tmp_path, symlinks=True, dirs_exist_ok=True)
    env = environment(tmp_path, XDG_CACHE_HOME=str(tmp_path), UV_OFFLINE="0")
    return Sample(tmp_path / "work", tmp_path / "origin.git", env)
