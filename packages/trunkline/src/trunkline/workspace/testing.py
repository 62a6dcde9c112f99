"""`trunkline packages test`: test micropackages with only what they require themselves.

In the service's own environment, a micropackage that forgot to declare a dependency
finds it among the service's.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from trunkline import process
from trunkline.errors import FailedError
from trunkline.git import Repository
from trunkline.output import say
from trunkline.project import LOCK, PYPROJECT
from trunkline.workspace.members import Member

# CI names here what a change is compared with; it differs between its events.
BASE = "TRUNKLINE_BASE"
# Seconds for the tests of one package.
_PATIENCE = 3600


def run_tests(root: Repository, found: Sequence[Member], since: str | None) -> int:
    """Run the tests of members in dev mode; raises FailedError if some fail.

    `since` leaves out the members that have not changed since that commit.
    """
    if since and found:
        found = changed(root, found, since)
    tested = [member for member in found if has_tests(root.root / member.folder)]
    for member in found:
        if member not in tested:
            say(f"{member.name}: {member.folder} has no tests")
    failed = [member for member in tested if not passes(root.root, member)]
    if failed:
        names = " ".join(member.name for member in failed)
        raise FailedError(
            f"the tests failed of: {names}\n"
            "  expected:  tests that pass with what the package itself requires, its "
            f"own group `dev` included (uv add --package {failed[0].name} --dev pytest)"
            f"\n  type next: uv run trunkline packages test {names}"
        )
    print(f"tested alone: {', '.join(member.name for member in tested) or 'nothing'}")
    return 0


def changed(root: Repository, found: Sequence[Member], since: str) -> list[Member]:
    """Return the members that differ from where HEAD left `since`; all if unknown.

    A change of uv.lock can change what each of them is tested with.
    """
    commit = root.find_commit(since)
    base = root.run("merge-base", commit, "HEAD").text if commit else ""
    if not base:
        say(f"`{since}` is not in this clone, so every package counts as changed")
        return list(found)
    paths = root.names("diff", "-z", "--name-only", "--no-renames", base)
    paths += root.names("ls-files", "-z", "--others", "--exclude-standard")
    # The path of a submodule is its folder.
    return [
        member
        for member in found
        if any(f"{path}/".startswith(f"{member.folder}/") for path in paths)
        or LOCK in paths
    ]


def has_tests(folder: Path) -> bool:
    """Whether there is a file that pytest would collect."""
    return any(any(folder.rglob(name)) for name in ("test_*.py", "*_test.py"))


def passes(root: Path, member: Member) -> bool:
    """Run a member's tests as uv.lock pins what it requires, and nothing else."""
    folder = root / member.folder
    # Not the settings of the service, which pytest would find further up.
    settings = "pytest.ini" if (folder / "pytest.ini").exists() else PYPROJECT
    uv = (os.environ.get("UV", "uv"), "run", "--quiet", "--locked", "--isolated")
    # As a module: a program of the same name may be on PATH.
    pytest = ("python", "-m", "pytest", "-c", settings)
    print(f"{member.name}:", flush=True)
    argv = (*uv, "--package", member.name, *pytest)
    return process.run(argv, cwd=folder, timeout=_PATIENCE, capture=False).ok
