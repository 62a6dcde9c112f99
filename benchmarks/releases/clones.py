"""`cz bump` with and without the guard, in clones that are reset after each run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import tomlkit

from benchmarks.harness import processes
from benchmarks.harness.benchmark import BenchmarkError, UnavailableError
from benchmarks.releases import histories
from benchmarks.releases.histories import History

HOOK = "pre_bump_hooks"


@dataclass(frozen=True)
class Clone:
    """A working tree in which the next release can be made repeatedly."""

    root: Path
    start: str
    env: dict[str, str]

    def bump(self) -> float:
        """Return the seconds of one `cz bump`, which is then undone."""
        return self.bump_by(processes.TOOLS / "cz")

    def bump_by(self, *command: str | Path, **variables: str) -> float:
        """Do the same with another command for `cz` and more variables."""
        seconds = processes.seconds_of(
            (*command, "bump", "--yes"), cwd=self.root, env=self.env | variables
        )
        tags = git(self, "tag", "--points-at", "HEAD").split()
        if not tags:
            raise BenchmarkError("`cz bump` ended with 0 and made no tag")
        git(self, "tag", "-d", *tags)
        git(self, "reset", "-q", "--hard", self.start)
        return seconds


@dataclass(frozen=True)
class Clones:
    """Two clones of one repository: as it is, and without the guard."""

    guarded: Clone
    alone: Clone


@contextmanager
def cloned(history: History) -> Iterator[Clones]:
    """Make a repository of that age, each clone with a bare origin of its own."""
    with TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        env = environment(folder)
        histories.build(folder / "guarded.git", history, env=env)
        copy = ("git", "clone", "-q", "--mirror", "guarded.git", "alone.git")
        processes.run(copy, cwd=folder, env=env)
        guarded, alone = (clone(folder, each, env) for each in ("guarded", "alone"))
        yield Clones(guarded, without_guard(alone))


def environment(home: Path) -> dict[str, str]:
    """Return an environment with these tools and without anybody's git settings."""
    return processes.environment(
        PATH=f"{processes.TOOLS}{os.pathsep}{os.environ['PATH']}",
        HOME=str(home),
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_CONFIG_NOSYSTEM="1",
        **{
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in (("NAME", "dev"), ("EMAIL", "dev@example.com"))
        },
    )


def clone(folder: Path, name: str, env: dict[str, str]) -> Clone:
    """Clone `name.git` as the work tree `name`."""
    processes.run(("git", "clone", "-q", f"{name}.git", name), cwd=folder, env=env)
    return at_head(Clone(folder / name, "", env))


def at_head(found: Clone) -> Clone:
    """Remember HEAD as the place to come back to."""
    return Clone(found.root, git(found, "rev-parse", "HEAD").strip(), found.env)


def without_guard(found: Clone) -> Clone:
    """Commit and push a configuration that has no hook."""
    file = found.root / "pyproject.toml"
    document = tomlkit.parse(file.read_text(encoding="utf-8"))
    if document["tool"]["commitizen"].pop(HOOK, None) is None:
        raise UnavailableError(f"[tool.commitizen] has no {HOOK} to do without")
    file.write_text(tomlkit.dumps(document), encoding="utf-8")
    git(found, "commit", "-q", "-a", "-m", "chore: release without the guard")
    git(found, "push", "-q", "origin", "main")
    return at_head(found)


def git(where: Clone, *arguments: str) -> str:
    """Run git, which must succeed, and return what it prints."""
    return processes.run(("git", *arguments), cwd=where.root, env=where.env).stdout
