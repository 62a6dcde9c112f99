"""Read a diff from git: what changed, file by file, with secrets masked."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from trunkline import process
from trunkline.commits.history import LONG
from trunkline.git import QUIET, Repository
from trunkline.notes.masking import MaskedSecret, mask_text

# Independent of the user's own settings, because the output is parsed.
_DIFF = (
    "-c", "core.quotePath=false", "-c", "diff.context=3",
    "-c", "diff.interHunkContext=0", "diff", "--no-ext-diff", "--no-textconv",
    "--no-color", "--no-relative", "--find-renames", "--submodule=short",
    "--src-prefix=a/", "--dst-prefix=b/", "-O/dev/null", "--numstat", "--patch", "-z",
)  # fmt: skip
# Changed lines of one file; a larger change was made by a program.
LARGEST = 20_000
LONGEST_LINE = 2_000
# Their patches say less than their sizes.
LOCK_FILE = re.compile(
    r"\.lock$|(?:^|/)(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|"
    r"pylock\.toml|go\.sum)$"
)
_START = "diff --git "
# git repeats a line there that it does not show otherwise.
_HEADING = re.compile(r"^(@@ [-+,\d ]+ @@).*$", re.MULTILINE)
_LONG_LINE = re.compile(rf"^(.{{{LONGEST_LINE}}}).+$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One changed file: its patch, or a line about it; a binary one has no numbers."""

    path: str
    added: int | None
    removed: int | None
    text: str


@dataclass(frozen=True, slots=True)
class MaskedDiff:
    """A whole diff, masked, and the secrets that were in it."""

    files: tuple[ChangedFile, ...]
    secrets: tuple[MaskedSecret, ...]


def working_tree(repository: Repository) -> str:
    """Write the working tree with its new files to git; returns the tree.

    The files are added to a copy of the index, so that the user's own stays as it is.
    """
    with tempfile.TemporaryDirectory(prefix="trunkline-") as folder:
        index = Path(folder, "index")
        own = repository.git_dir / "index"
        if own.exists():
            shutil.copyfile(own, index)
        env = {**QUIET, "GIT_INDEX_FILE": str(index)}
        for command in (["add", "--all", "--", "."], ["write-tree"]):
            argv, root = ["git", *command], repository.root
            done = process.run(argv, cwd=root, env=env, timeout=LONG, check=True)
    return done.text


def read_diff(repository: Repository, old: str | None, new: str) -> MaskedDiff:
    """Read what changed since `old`, or ever; lock and huge files become one line."""
    if old is None:
        old = repository.run("hash-object", "-t", "tree", "--stdin", stdin=b"").text
    done = repository.run(*_DIFF, old, new, "--", timeout=LONG, check=True)
    numbers, _, text = done.stdout.decode("utf-8", "replace").partition("\0\0")
    files: list[ChangedFile] = []
    secrets: list[MaskedSecret] = []
    changes = zip(_changes(numbers), _split(text), strict=True)
    for (path, added, removed), patch in changes:
        if added is None or removed is None:
            shown = f"{path}: binary, changed\n"
        elif LOCK_FILE.search(path) or added + removed > LARGEST:
            shown = f"{path}: +{added} -{removed}, not shown\n"
        else:
            masked, found = mask_text(_HEADING.sub(r"\1", patch), path)
            shown = _LONG_LINE.sub(r"\1…[cut]", masked)
            secrets += found
        files.append(ChangedFile(path, added, removed, shown))
    return MaskedDiff(tuple(files), tuple(secrets))


def _split(text: str) -> list[str]:
    """Cut a diff into the patches of its files.

    A file that became a link has two parts with the same first line.
    """
    parts = re.split(f"^(?={_START})", text, flags=re.MULTILINE)[1:]
    return ["".join(same) for _, same in groupby(parts, lambda p: p.partition("\n")[0])]


def _changes(numbers: str) -> Iterator[tuple[str, int | None, int | None]]:
    fields = iter(numbers.split("\0"))
    for field in filter(None, fields):
        added, removed, path = field.split("\t", 2)
        if not path:  # Renamed: both names follow.
            next(fields)
            path = next(fields)
        if added == "-":
            yield path, None, None
        else:
            yield path, int(added), int(removed)
