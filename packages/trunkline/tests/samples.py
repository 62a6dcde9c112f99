"""A small real project: git, a bare origin, real `cz`, real `uv lock`.

It is built once per session and copied for every test, which takes a few milliseconds.
Its commitizen configuration is this repository's own.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import commitizen.cli
import tomlkit

from forks import run_forked
from trunkline import cli, commands

REPOSITORY = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent


def environment(home: Path, **extra: str) -> dict[str, str]:
    """Return an environment without the machine's own git settings."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "CZ_"))}
    return {
        **kept,
        "PATH": path,
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "UV_PYTHON": sys.executable,
        "UV_OFFLINE": "1",
        "PYTHONWARNINGS": "ignore",
        **extra,
    }


def _trunkline() -> None:
    sys.exit(cli.main())


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended, with its output as text."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


@dataclass(slots=True)
class Sample:
    """One clone of the sample project; `root` is its working tree."""

    root: Path
    origin: Path
    env: dict[str, str] = field(default_factory=dict)

    def run(self, *argv: str, stdin: str | None = None, **env: str) -> Ran:
        done = subprocess.run(
            argv,
            cwd=self.root,
            env={**self.env, **env},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """Start a program without input and return immediately."""
        return subprocess.Popen(
            argv,
            cwd=self.root,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def git(self, *arguments: str) -> str:
        """Run git, which must succeed, and return its output."""
        ran = self.run("git", *arguments)
        assert ran.code == 0, f"git {arguments}: {ran.all}"
        return ran.out.strip()

    def cz(self, *arguments: str, **env: str) -> Ran:
        return Ran(
            *run_forked(
                commitizen.cli.main,
                ["cz", *arguments],
                cwd=self.root,
                env={**self.env, **env},
            )
        )

    def bump(self, *arguments: str) -> None:
        """Create and push a release, which must succeed."""
        ran = self.cz("bump", "--yes", *arguments)
        assert ran.code == 0, ran.all
        self.git("push", "-q", "--follow-tags", "origin", "HEAD")

    def trunkline(self, *arguments: str, stdin: str | None = None, **env: str) -> Ran:
        # There is no terminal on which a release could be confirmed.
        yes = ["--yes"] if arguments[:1] == ("release",) else []
        for name in set(arguments[:1]) & commands.SUMMARIES.keys():
            commands.load(name)  # for all forks that follow, too
        return Ran(
            *run_forked(
                _trunkline,
                ["trunkline", *arguments, *yes],
                cwd=self.root,
                env={**self.env, **env},
                stdin=stdin or "",
            )
        )

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def read(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def commit(self, message: str, files: Mapping[str, str] | None = None) -> str:
        """Commit `files`, or nothing, and return the commit's id."""
        for path, text in (files or {}).items():
            self.write(path, text)
            self.git("add", path)
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def push(self) -> None:
        self.git("push", "-q", "origin", "HEAD")

    def clone(self, name: str) -> "Sample":
        """Clone the origin once more, as another developer."""
        root = self.root.parent / name
        self.git("clone", "-q", "../origin.git", str(root))
        other = Sample(root, self.origin, self.env)
        identify(other, name)
        return other

    @property
    def version(self) -> str:
        document = tomllib.loads(self.read("pyproject.toml"))
        return str(document["project"]["version"])

    def tree(self) -> dict[str, tuple[bytes, int]]:
        """Every file of the working tree with its bytes and permissions."""
        return {
            str(path.relative_to(self.root)): (path.read_bytes(), path.stat().st_mode)
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and ".git" not in path.relative_to(self.root).parts[:1]
        }

    def picture(self) -> tuple[object, ...]:
        """Everything that a refusal must not change: files, index, refs."""
        refs = self.git("for-each-ref", "refs/heads", "refs/tags")
        head = self.git("rev-parse", "HEAD")
        return self.tree(), self.git("ls-files", "--stage"), refs, head

    def remote_refs(self) -> dict[str, str]:
        """Branches and tags of origin; annotated tags by the id of their commit."""
        lines = self.git("ls-remote", "--heads", "--tags", "origin").splitlines()
        rows = [line.split("\t") for line in lines]
        return {name.removesuffix("^{}"): oid for oid, name in rows}


def identify(sample: Sample, name: str) -> None:
    sample.git("config", "user.name", name)
    sample.git("config", "user.email", f"{name}@example.com")


def build_template(folder: Path) -> None:
    """Build the working tree `work` and the bare `origin.git` in `folder`."""
    env = environment(folder)
    work = folder / "work"
    sample = Sample(work, folder / "origin.git", env)
    work.mkdir(parents=True)
    sample.git("init", "-q", "-b", "main", ".")
    sample.git("init", "-q", "--bare", "-b", "main", "../origin.git")
    sample.git("remote", "add", "origin", "../origin.git")
    identify(sample, "dev")
    sample.write("pyproject.toml", project_file())
    sample.write("CHANGELOG.md", "# Changelog\n")
    sample.write(".gitignore", ".venv/\n")
    ran = sample.run("uv", "lock", "-q", "--offline")
    assert ran.code == 0, ran.all
    sample.git("add", "-A")
    sample.git("commit", "-q", "-m", "chore: lay out the project")
    sample.git("push", "-q", "-u", "origin", "main")


def project_file() -> str:
    """A project without dependencies but with the real commitizen settings."""
    real = tomlkit.parse((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    document = tomlkit.parse(
        "[project]\n"
        'name = "my-app"\n'
        'version = "0.0.0" # written by `cz bump`\n'
        'requires-python = ">=3.12"\n'
    )
    # Without its gates, its image and its migrations.
    own = {name: real["tool"]["trunkline"][name] for name in ("image", "flags")}
    document["tool"] = {"commitizen": real["tool"]["commitizen"], "trunkline": own}
    return tomlkit.dumps(document)


def copied(template: Path, folder: Path) -> Sample:
    """Copy a folder with working tree and origin."""
    shutil.copytree(template, folder, dirs_exist_ok=True, symlinks=True)
    return Sample(folder / "work", folder / "origin.git", environment(folder))


def make_targets() -> set[str]:
    """Name the targets of this repository's Makefile and of what it includes."""
    files = (REPOSITORY / "Makefile", *REPOSITORY.glob("src/**/*.mk"))
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    return set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))
