"""Copies of the project, and environments with its dependencies."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import processes
from benchmarks.harness.benchmark import BenchmarkError
from benchmarks.harness.processes import PROJECT


@contextmanager
def copied() -> Iterator[Path]:
    """Copy the project as it is now, uncommitted changes included, as a git clone."""
    with TemporaryDirectory(prefix="benchmark-") as folder:
        copy = Path(folder, "project")
        processes.run(("git", "clone", "--quiet", PROJECT, copy))
        listing = (
            "git",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        )
        for name in processes.run(listing).stdout.split("\0"):
            source, target = PROJECT / name, copy / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target, follow_symlinks=False)
            elif target.is_file():
                target.unlink()
        yield copy


@contextmanager
def development() -> Iterator[Path]:
    """Copy the project and install a developer's environment in the copy."""
    with copied() as copy:
        sync(copy)
        yield copy


@contextmanager
def production(project: Path = PROJECT) -> Iterator[Path]:
    """Create a project's environment without development tools; yields its Python."""
    with TemporaryDirectory(prefix="benchmark-") as folder:
        sync(project, "--no-dev", UV_PROJECT_ENVIRONMENT=folder)
        yield Path(folder, "bin", "python")


def sync(project: Path, *options: str, **variables: str) -> None:
    """Install what is locked, from uv's cache if possible."""
    command = (processes.uv(), "sync", "--frozen", "--quiet", *options)
    env = processes.environment(**variables)
    try:
        processes.run((*command, "--offline"), cwd=project, env=env)
    except BenchmarkError:
        processes.run(command, cwd=project, env=env)
