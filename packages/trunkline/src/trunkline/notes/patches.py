"""Read a diff from git: what changed, file by file, with secrets masked."""

import ast
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchedFile, PatchSet

from trunkline import process
from trunkline.commits.history import LONG, Range
from trunkline.git import QUIET, Repository
from trunkline.notes.redaction import Found, Redactor
from trunkline.workspace.lockfiles import is_lock_file, lock_summary

# Whatever the user's own settings are, the output must be what the parser expects.
_DIFF = (
    "git", "-c", "core.quotePath=false", "-c", "diff.context=3",
    "-c", "diff.interHunkContext=0", "diff", "--no-ext-diff", "--no-textconv",
    "--no-color", "--no-relative", "--find-renames", "--submodule=short",
    "--ignore-submodules=dirty", "--src-prefix=a/", "--dst-prefix=b/", "-O/dev/null",
)  # fmt: skip
# Lines that changed in one file; what is larger was made by a program.
LARGEST = 20_000
LONGEST_LINE = 2_000


@dataclass(frozen=True, slots=True)
class Change:
    """One changed file; the numbers are None for a binary."""

    path: str
    added: int | None
    removed: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """What a bundle shows of one file: its patch, or a line about it."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Diff:
    """A whole diff, masked, and the secrets that were in it."""

    changes: tuple[Change, ...]
    parts: tuple[Part, ...]
    secrets: tuple[Found, ...]


class Trees:
    """Two trees to compare; the work tree, new files included, where `new` is None."""

    def __init__(
        self, repository: Repository, old: str, new: str | None, index: Path | None
    ) -> None:
        self._repository = repository
        self._old = old
        self._new = new
        self._env = {**QUIET, "GIT_INDEX_FILE": str(index)} if index else QUIET

    def diff(self, *options: str, only: str = "", leave_out: Sequence[str] = ()) -> str:
        """Run `git diff` on both."""
        trees = [self._old, self._new] if self._new else [self._old]
        paths = [f":(top,exclude,literal){path}" for path in leave_out]
        done = process.run(
            [*_DIFF, *options, *trees, "--", f":(top,literal){only}", *paths],
            cwd=self._repository.root,
            env=self._env,
            timeout=LONG,
            check=True,
        )
        return done.stdout.decode("utf-8", "replace")

    def contents(self, path: str) -> tuple[bytes | None, bytes | None]:
        """Read a file on both sides; None where it is not there."""
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
def work_tree(repository: Repository, head: str) -> Iterator[Trees]:
    """Compare HEAD with the work tree.

    A copy of the index takes in the new files, so that the user's own stays as it is.
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


def read_diff(trees: Trees) -> Diff:
    """Read what changed; lock files, binaries and what is huge become one line each."""
    changes = tuple(_changes(trees.diff("--numstat", "-z")))
    lines = {change.path: line for change in changes if (line := _line(trees, change))}
    hidden = [it.path for it in changes if it.added is not None and it.path in lines]
    try:
        files = list(PatchSet(trees.diff(leave_out=hidden)))
    except UnidiffParseError:
        shown = (it.path for it in changes if it.path not in lines)
        files = [file for path in shown for file in _alone(trees, path, lines)]
    parts = {path: Part(path, f"{line}\n") for path, line in lines.items()}
    secrets: list[Found] = []
    for file in files:
        path = unquoted(file.path)
        if file.is_binary_file:
            continue
        secrets.extend(_mask(file, path))
        before = parts[path].text if path in parts else ""
        parts[path] = Part(path, before + str(file))
    ordered = tuple(parts[path] for path in sorted(parts))
    return Diff(changes, ordered, tuple(secrets))


def _alone(trees: Trees, path: str, lines: dict[str, str]) -> list[PatchedFile]:
    """Read one file's patch; one whose name the parser cannot read gets a line."""
    try:
        return list(PatchSet(trees.diff(only=path)))
    except UnidiffParseError:
        lines[path] = f"{path}: changed; its name keeps the diff from being read"
        return []


def _changes(numbers: str) -> Iterator[Change]:
    fields = iter(numbers.split("\0"))
    for field in fields:
        if not field:
            continue
        added, removed, path = field.split("\t", 2)
        if not path:  # A renaming: both names follow.
            next(fields)
            path = next(fields)
        binary = added == "-"
        yield Change(
            path, None if binary else int(added), None if binary else int(removed)
        )


def _line(trees: Trees, change: Change) -> str | None:
    """Sum up a file that is not shown; None for one that is."""
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


def _mask(file: PatchedFile, path: str) -> Iterator[Found]:
    """Mask the lines of one file in place; gives what was found."""
    for hunk in file:
        redactor = Redactor(path)
        for line in hunk:
            masked, kinds = redactor.mask(line.value.rstrip("\n"))
            if len(masked) > LONGEST_LINE:
                masked = f"{masked[:LONGEST_LINE]}…[cut: {len(masked)} characters]"
            line.value = f"{masked}\n"
            number = line.target_line_no or line.source_line_no or 0
            for kind in kinds:
                yield Found(path, number, kind)


def unquoted(path: str) -> str:
    """Read a name that git has put in quotes because of a character in it."""
    if not path.startswith('"'):
        return path
    try:
        text = ast.literal_eval(path)
    except (SyntaxError, ValueError):
        return path
    return str(text)
