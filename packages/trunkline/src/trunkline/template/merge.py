"""A three-way merge with rename detection, without touching the working tree."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from trunkline.errors import FailedError
from trunkline.git import Repository
from trunkline.template.trees import without

ABSENT = "0" * 40
BASE, YOURS, THEIRS = 1, 2, 3
# `git merge-tree --write-tree` came with this version.
GIT = (2, 38)
# A file that a team has added to a folder moves along when the template renames it.
SETTINGS = (
    "-c", "merge.directoryRenames=true", "-c", "merge.renames=true",
    "-c", "merge.conflictStyle=diff3",
)  # fmt: skip


class ConflictStage(NamedTuple):
    """One side of a conflict, as git's index keeps it."""

    mode: str
    oid: str
    number: int
    path: str


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The outcome of a merge.

    `tree` has conflict markers in the files of `stages`. `kept` are files that the
    template dropped and you had changed; `gone`, those that you had deleted and the
    template changed or added to.
    """

    tree: str
    stages: Sequence[ConflictStage]
    kept: Sequence[str]
    gone: Sequence[str]

    @property
    def conflicts(self) -> list[str]:
        """The paths in conflict."""
        return sorted({stage.path for stage in self.stages})


def merge(repository: Repository, yours: str, theirs: str) -> MergeResult:
    """Merge two commits; raises FailedError where git cannot."""
    options = ("--write-tree", "-z", "--no-messages")
    done = repository.run(*SETTINGS, "merge-tree", *options, yours, theirs, timeout=300)
    if done.code not in (0, 1):
        require_git(repository)
        raise FailedError(f"git could not merge: {done.complaint}")
    tree, *rows = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    stages = [_stage(row) for row in rows if row]
    sides: dict[str, set[int]] = {}
    for stage in stages:
        sides.setdefault(stage.path, set()).add(stage.number)
    kept = [path for path, found in sides.items() if found == {BASE, YOURS}]
    gone = [path for path, found in sides.items() if found == {BASE, THEIRS}]
    return MergeResult(
        tree=without(repository, tree, gone),
        stages=[stage for stage in stages if stage.path not in {*kept, *gone}],
        kept=kept,
        gone=gone,
    )


def require_git(repository: Repository) -> None:
    """Raise FailedError where git is too old to merge without a working tree."""
    words = repository.read("version").split()
    version = tuple(int(part) for part in words[2].split(".")[:2])
    if version < GIT:
        raise FailedError(f"found git {words[2]}; expected 2.38 or newer")


def _stage(row: str) -> ConflictStage:
    about, _, path = row.partition("\t")
    mode, oid, number = about.split(" ")
    return ConflictStage(mode, oid, int(number), path)
