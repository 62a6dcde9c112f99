"""Copy a package from its own git repository into the workspace, and compare both."""

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import tomlkit

from trunkline import process
from trunkline.errors import Refusal
from trunkline.files import read_toml
from trunkline.folders import write_folder
from trunkline.git import QUIET, Repository
from trunkline.process import Completed
from trunkline.workspace.members import ORIGIN, Member, Source, normal, revision

# What is fetched is kept here, in the repository's own folder, while a switch lasts.
FETCHED = "trunkline/fetched"
# Seconds to fetch a repository.
_PATIENCE = 300
_NOTE = (
    "# Where this folder was copied from, by `trunkline packages use dev`;\n"
    "# `trunkline packages use prod` restores this source.\n"
)


@dataclass(frozen=True, slots=True)
class Upstream:
    """A package from its own repository: a git folder whose index holds its files.

    They stand there as if they were in the workspace at `root`.
    """

    root: Path
    git_dir: Path
    tree: str = ""

    def git(self, *arguments: str, files: Path | None = None) -> Completed:
        """Run git on the package's files, in the workspace or in another folder."""
        options = (f"--git-dir={self.git_dir}", f"--work-tree={files or self.root}")
        return process.run(
            ["git", *options, *arguments], cwd=self.root, env=QUIET, timeout=_PATIENCE
        )


def upstream(
    root: Repository, member: Member, source: Source, *, commit: str | None = None
) -> Upstream:
    """Fetch the files of a git source, or of its `commit`; raises Refusal."""
    address, wanted = str(source["git"]), commit or revision(source) or "HEAD"
    place = Upstream(root.root, root.git_dir / FETCHED / member.name)
    shutil.rmtree(place.git_dir, ignore_errors=True)
    init = ["git", "init", "-q", "--bare", str(place.git_dir)]
    process.run(init, env=QUIET, check=True)
    fetched = place.git("fetch", "-q", "--depth=1", address, wanted)
    commit = place.git("rev-parse", "FETCH_HEAD^{commit}").text if fetched.ok else ""
    tree = f"{commit}:{source.get('subdirectory', '')}"
    if not commit or not place.git("read-tree", f"--prefix={member.folder}/", tree).ok:
        raise Refusal(
            rule="source-readable",
            found=f"{member.name}: {address} could not be read at {wanted}"
            + (f" in {source['subdirectory']}" if commit else ""),
            expected="a repository that git can fetch and that holds the package",
            fix=f"git ls-remote {address}",
        )
    return replace(place, tree=tree)


def locked_commit(root: Path, member: Member) -> str:
    """Return the commit that uv.lock pins a git package to; raises Refusal if none."""
    lock = root / "uv.lock"
    for package in read_toml(lock).get("package", []) if lock.exists() else ():
        _, _, commit = package["source"].get("git", "").partition("#")
        if normal(package["name"]) == member.name and commit:
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
        found.git("read-tree", found.tree).required()
        found.git("checkout-index", "-a", files=beside).required()

    write_folder(folder, {ORIGIN: _NOTE + tomlkit.dumps(dict(source))}, finish=fill)


def differences(member: Member, found: Upstream) -> list[str]:
    """List the files of a copy that are not as in the package's repository.

    Files that git ignores are left out, and so are missing files in prod mode: a killed
    run may have removed them.
    """
    options = ("-z", "--modified", "--others", "--exclude-standard", "--deduplicate")
    listed = found.git("ls-files", *options, "--", member.folder).required().stdout
    return [
        name
        for name in os.fsdecode(listed).split("\0")
        if name not in {"", f"{member.folder}/{ORIGIN}"}
        and (member.mode != "prod" or os.path.lexists(found.root / name))
    ]


def remove_copy(member: Member, found: Upstream) -> list[Path]:
    """Remove the package's own files and bytecode; returns the files that are left.

    What identifies the copy goes last, so that a killed run can be repeated.
    """
    folder, project = found.root / member.folder, f"{member.folder}/pyproject.toml"
    for bytecode in folder.rglob("__pycache__"):
        shutil.rmtree(bytecode)
    own = (member.folder, f":(exclude){project}")
    found.git("rm", "-rqf", "--ignore-unmatch", "--", *own).required()
    for name in ("pyproject.toml", ORIGIN):
        (folder / name).unlink(missing_ok=True)
    left = sorted(path for path in folder.rglob("*") if not path.is_dir())
    if not left:
        shutil.rmtree(folder)
    return left
