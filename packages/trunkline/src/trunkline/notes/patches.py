"""Read a diff from git: what changed, file by file, with secrets masked."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from trunkline import process
from trunkline.commits.history import LONG, Range
from trunkline.git import QUIET, Repository
from trunkline.notes.masking import MaskedSecret, Masker
from trunkline.workspace.lockfiles import is_lock_file, lock_summary

# Independent of the user's own settings, because the output is parsed.
_DIFF = (
    "git", "-c", "core.quotePath=false", "-c", "diff.context=3",
    "-c", "diff.interHunkContext=0", "diff", "--no-ext-diff", "--no-textconv",
    "--no-color", "--no-relative", "--find-renames", "--submodule=short",
    "--ignore-submodules=dirty", "--src-prefix=a/", "--dst-prefix=b/", "-O/dev/null",
)  # fmt: skip
# Changed lines of one file; a larger change was made by a program.
LARGEST = 20_000
LONGEST_LINE = 2_000
_START = "diff --git "
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True, slots=True)
class FileChange:
    """One changed file; the numbers are None for a binary file."""

    path: str
    added: int | None
    removed: int | None


@dataclass(frozen=True, slots=True)
class FilePatch:
    """What a bundle shows of one file: its patch, or a line about it."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class MaskedDiff:
    """A whole diff, masked, and the secrets that were in it."""

    changes: tuple[FileChange, ...]
    patches: tuple[FilePatch, ...]
    secrets: tuple[MaskedSecret, ...]


class Trees:
    """Two trees to compare; without `new`, the working tree with its new files."""

    def __init__(
        self, repository: Repository, old: str, new: str | None, index: Path | None
    ) -> None:
        self._repository = repository
        self._old = old
        self._new = new
        self._env = {**QUIET, "GIT_INDEX_FILE": str(index)} if index else QUIET

    def diff(self) -> str:
        """Return the numbers of each file, and after two NULs all patches."""
        trees = [self._old, self._new] if self._new else [self._old]
        done = process.run(
            [*_DIFF, "--numstat", "--patch", "-z", *trees, "--"],
            cwd=self._repository.root,
            env=self._env,
            timeout=LONG,
            check=True,
        )
        return done.stdout.decode("utf-8", "replace")

    def contents(self, path: str) -> tuple[bytes | None, bytes | None]:
        """Read a file in both trees; None where it does not exist."""
        names = [f"{tree}:{path}" for tree in (self._old, self._new) if tree]
        found = self._repository.objects(names)
        old, *new = (found[name] for name in names)
        if self._new:
            after = new[0].content if new and new[0] else None
        else:
            file = self._repository.root / path
            after = file.read_bytes() if file.is_file() else None
        return (old.content if old else None), after


@contextmanager
def release_trees(repository: Repository, span: Range) -> Iterator[Trees]:
    """Compare both ends of a range; a first release is compared with nothing."""
    empty = repository.run("hash-object", "-t", "tree", "--stdin", stdin=b"").text
    yield Trees(repository, span.start or empty, span.end, None)


@contextmanager
def working_tree(repository: Repository, head: str) -> Iterator[Trees]:
    """Compare HEAD with the working tree.

    New files are added to a copy of the index, so that the user's own stays as it is.
    """
    with tempfile.TemporaryDirectory(prefix="trunkline-") as folder:
        index = Path(folder, "index")
        own = repository.git_dir / "index"
        if own.exists():
            shutil.copyfile(own, index)
        process.run(
            ["git", "add", "--intent-to-add", "--", "."],
            cwd=repository.root,
            env={**QUIET, "GIT_INDEX_FILE": os.fspath(index)},
            timeout=LONG,
            check=True,
        )
        yield Trees(repository, head, None, index)


def read_diff(trees: Trees) -> MaskedDiff:
    """Read what changed; lock files, binary and huge files become one line each."""
    numbers, _, text = trees.diff().partition("\0\0")
    changes = tuple(_changes(numbers))
    patches: list[FilePatch] = []
    secrets: list[MaskedSecret] = []
    for change, patch in zip(changes, _split(text), strict=True):
        line = _summary(trees, change)
        shown, masked = (f"{line}\n", []) if line else mask_patch(change.path, patch)
        patches.append(FilePatch(change.path, shown))
        secrets += masked
    return MaskedDiff(changes, tuple(patches), tuple(secrets))


def _split(text: str) -> list[str]:
    """Cut a diff into the patches of its files.

    A file that became a link has two parts with the same first line.
    """
    parts = re.split(f"^(?={_START})", text, flags=re.MULTILINE)[1:]
    return ["".join(same) for _, same in groupby(parts, lambda p: p.partition("\n")[0])]


def _changes(numbers: str) -> Iterator[FileChange]:
    fields = iter(numbers.split("\0"))
    for field in fields:
        if not field:
            continue
        added, removed, path = field.split("\t", 2)
        if not path:  # Renamed: both names follow.
            next(fields)
            path = next(fields)
        binary = added == "-"
        yield FileChange(
            path, None if binary else int(added), None if binary else int(removed)
        )


def _summary(trees: Trees, change: FileChange) -> str | None:
    """Summarise a file that is not shown; None for one that is."""
    if change.added is None or change.removed is None:
        return f"{change.path}: binary, changed"
    added, removed = change.added, change.removed
    if is_lock_file(change.path):
        old, new = trees.contents(change.path)
        return lock_summary(change.path, old, new, added=added, removed=removed)
    if added + removed > LARGEST:
        return (
            f"{change.path}: {added} lines added, {removed} removed; too many to show"
        )
    return None


def mask_patch(path: str, patch: str) -> tuple[str, list[MaskedSecret]]:
    """Mask the lines of one file's patch. Pure; lines count as in the file."""
    lines: list[str] = []
    secrets: list[MaskedSecret] = []
    masker: Masker | None = None
    numbers = {"-": 0, "+": 0}
    for line in patch.split("\n"):
        shown, sign = line, line[:1]
        if hunk := _HUNK.match(line):
            # Without the line of context that git repeats there.
            shown, masker = hunk[0], Masker(path)
            numbers = {"-": int(hunk[1]), "+": int(hunk[2])}
        elif line.startswith(_START):
            masker = None
        elif masker and sign in {" ", "-", "+"}:
            masked, kinds = masker.mask(line[1:])
            if len(masked) > LONGEST_LINE:
                masked = f"{masked[:LONGEST_LINE]}…[cut: {len(masked)} characters]"
            shown = f"{sign}{masked}"
            number = numbers["-" if sign == "-" else "+"]
            secrets += [MaskedSecret(path, number, kind) for kind in kinds]
            for side in "-+" if sign == " " else sign:
                numbers[side] += 1
        lines.append(shown)
    return "\n".join(lines), secrets
