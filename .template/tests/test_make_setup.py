"""`make setup` installs the git hooks, but only where no other hooks would be lost."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = """
[project]
name = "my-app"
version = "0.0.0"
requires-python = ">=3.12"
"""


def run(folder: Path, *command: str) -> str:
    """Run a program that sees no git settings but the repository's own."""
    foreign = ("GIT_", "UV_", "VIRTUAL_ENV")
    kept = {name: it for name, it in os.environ.items() if not name.startswith(foreign)}
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "UV_PYTHON": sys.executable}
    done = subprocess.run(
        command,
        check=False,
        cwd=folder,
        env=kept | own,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0 or "config" in command, done.stderr
    return done.stdout.strip()


def hooks_after_setup(service: Path) -> str:
    service.mkdir(exist_ok=True)
    shutil.copy(ROOT / "Makefile", service)
    (service / "pyproject.toml").write_text(PROJECT)
    run(service, "make", "setup")
    return run(service, "git", "config", "core.hooksPath")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    run(tmp_path, "git", "init", "-q", "repository")
    return tmp_path / "repository"


def test_a_repository_of_its_own_gets_the_hooks(repository: Path) -> None:
    assert hooks_after_setup(repository) == ".githooks"


def test_values_of_a_machine_are_not_committed_and_survive_cleaning(
    repository: Path,
) -> None:
    for name in ("Makefile", ".gitignore", ".env.example"):
        shutil.copy(ROOT / name, repository)
    kept = {"staging.env", ".env", ".env.example"}
    for name in (*kept, "shop.db", "shop.db-wal", "src/.env"):
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).touch()
    listed = run(repository, "git", "ls-files", "--others", "--exclude-standard")
    assert {*listed.split()} == {".env.example", ".gitignore", "Makefile"}
    run(repository, "make", "clean")
    left = {one.name for one in repository.iterdir()}
    assert left == {*kept, ".git", ".gitignore", "Makefile", "src"}
    assert (repository / "src/.env").exists()


def test_hooks_of_a_surrounding_repository_stay(repository: Path) -> None:
    assert hooks_after_setup(repository / "service") == ""


def test_hooks_that_somebody_chose_stay(repository: Path) -> None:
    run(repository, "git", "config", "core.hooksPath", "hooks")

    assert hooks_after_setup(repository) == "hooks"


def test_a_folder_without_a_repository_is_set_up(tmp_path: Path) -> None:
    assert hooks_after_setup(tmp_path / "service") == ""


def test_every_target_finds_the_uv_that_make_installed() -> None:
    named = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text())
    path = os.pathsep.join(
        it for it in os.environ["PATH"].split(os.pathsep) if not Path(it, "uv").exists()
    )

    typed = run(ROOT, "env", f"PATH={path}", "make", "-n", "m=it", *named)

    calls = [line for line in typed.splitlines() if ".tools/bin/uv " in line]
    assert len(calls) > len(named) / 2
    assert [line for line in calls if re.search(r"\bcd\b", line)] == []
