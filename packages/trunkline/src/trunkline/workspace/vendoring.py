"""Copy a package from its own git repository into the workspace, and compare both."""

import os
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tomlkit

from trunkline import process
from trunkline.errors import Refusal
from trunkline.folders import write_folder
from trunkline.git import QUIET, Repository
from trunkline.process import Completed
from trunkline.workspace.members import ORIGIN, Member, Source, normal, revision

# Seconds to fetch a repository.
_PATIENCE = 300
_NOTE = (
    "# Where this folder was copied from, by `trunkline packages use dev`;\n"
    "# `trunkline packages use prod` restores this source.\n"
)


@dataclass(frozen=True, slots=True)
class Upstream:
    """The files of a package from its own repository, in a temporary folder."""

    commit: str
    files: Path


@contextmanager
def upstream(
    member: Member, source: Source, *, commit: str | None = None
) -> Iterator[Upstream]:
    """Fetch the files that a git source names; raises Refusal if that fails.

    With `commit`, fetch the files of that commit.
    """
    address, wanted = str(source["git"]), commit or revision(source) or "HEAD"
    with tempfile.TemporaryDirectory(prefix="trunkline-") as temporary:
        git_dir, files = Path(temporary, "git"), Path(temporary, "files")
        _git(git_dir, "init", "-q", "--bare", str(git_dir)).required()
        found = _fetch(git_dir, address, wanted)
        tree = f"{found}:{source.get('subdirectory', '')}"
        if not found or not _git(git_dir, "read-tree", tree).ok:
            raise Refusal(
                rule="source-readable",
                found=f"{member.name}: {address} could not be read at {wanted}"
                + (f" in {source['subdirectory']}" if found else ""),
                expected="a repository that git can fetch and that holds the package",
                fix=f"git ls-remote {address}",
            )
        files.mkdir()
        _git(git_dir, f"--work-tree={files}", "checkout-index", "-a").required()
        yield Upstream(found, files)


def _fetch(git_dir: Path, address: str, wanted: str) -> str:
    """Fetch a tag, branch or commit; returns the commit, "" if there is none.

    A server may not serve a commit by its id, and "tag or branch" cannot be told from
    a name: then everything is fetched.
    """
    quick = _git(git_dir, "fetch", "-q", "--depth=1", address, wanted)
    if quick.ok:
        return _git(git_dir, "rev-parse", "FETCH_HEAD^{commit}").text
    everything = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
    _git(git_dir, "fetch", "-q", address, *everything)
    return _git(git_dir, "rev-parse", "-q", "--verify", f"{wanted}^{{commit}}").text


def _git(git_dir: Path, *arguments: str) -> Completed:
    argv = ["git", f"--git-dir={git_dir}", *arguments]
    return process.run(argv, env=QUIET, timeout=_PATIENCE)


def locked_commit(root: Path, member: Member) -> str:
    """Return the commit that uv.lock pins a git package to; raises Refusal if none."""
    lock = root / "uv.lock"
    document = tomllib.loads(lock.read_text("utf-8")) if lock.exists() else {}
    for package in document.get("package", []):
        if normal(package["name"]) == member.name:
            _, _, commit = package["source"].get("git", "").partition("#")
            if commit:
                return str(commit)
    raise Refusal(
        rule="source-locked",
        found=f"{member.name} is not locked to a commit in uv.lock",
        expected="the commit whose files to copy",
        fix="uv lock",
    )


def copy_in(found: Upstream, folder: Path, source: Source) -> None:
    """Write the package's folder with the file that remembers its source."""

    def fill(beside: Path) -> None:
        shutil.copytree(found.files, beside, symlinks=True, dirs_exist_ok=True)

    write_folder(folder, {ORIGIN: _NOTE + tomlkit.dumps(dict(source))}, finish=fill)


def differences(root: Repository, member: Member, found: Upstream) -> list[str]:
    """List the files of a copy that are not as in the package's repository.

    Files that git ignores are left out, and so are missing files in prod mode: a killed
    run may have removed them.
    """
    folder = member.folder
    options = ("--cached", "--others", "--exclude-standard", "-z", "--", folder)
    listed = root.read("ls-files", *options).split("\0")
    here = {name for name in listed if name and os.path.lexists(root.root / name)}
    there = {
        f"{folder}/{path.relative_to(found.files).as_posix()}": path
        for path in found.files.rglob("*")
        if path.is_symlink() or path.is_file()
    }
    return sorted(
        name
        for name in (here if member.mode == "prod" else here | there.keys())
        if name != f"{folder}/{ORIGIN}"
        and not (
            name in here
            and name in there
            and _content(root.root / name) == _content(there[name])
        )
    )


def _content(path: Path) -> tuple[bytes, bool]:
    if path.is_symlink():
        return os.fsencode(path.readlink()), False
    return path.read_bytes(), bool(path.stat().st_mode & 0o100)


def remove_copy(folder: Path, found: Upstream) -> list[Path]:
    """Remove the package's own files and bytecode; returns the files that are left.

    What identifies the copy goes last, so that a killed run can be repeated.
    """
    last = [folder / "pyproject.toml", folder / ORIGIN]
    own = {folder / path.relative_to(found.files) for path in found.files.rglob("*")}
    bytecode = set(folder.rglob("__pycache__/*.pyc"))
    for path in [*((own | bytecode) - set(last)), *last]:
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)
    left = sorted(path for path in folder.rglob("*") if not path.is_dir())
    for path in sorted([folder, *folder.rglob("*")], reverse=True):
        if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()
    return left
