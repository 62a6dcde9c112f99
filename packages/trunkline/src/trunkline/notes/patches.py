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
from trunkline.notes.masking import MaskedSecret, Masker
from trunkline.workspace.lockfiles import is_lock_file, lock_summary

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
_START = "diff --git "
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One changed file, and what a bundle shows of it: its patch, or a line about it.

    The numbers are None for a binary file.
    """

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
        for command in (("add", "--all", "--", "."), ("write-tree",)):
            done = process.run(
                ["git", *command],
                cwd=repository.root,
                env=env,
                timeout=LONG,
                check=True,
            )
    return done.text


def read_diff(repository: Repository, old: str | None, new: str) -> MaskedDiff:
    """Read what changed; lock files, binary and huge files become one line each.

    Without `old`, everything in `new` is shown.
    """
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
        elif is_lock_file(path):
            names = [f"{old}:{path}", f"{new}:{path}"]
            found = repository.objects(names)
            before, after = (o.content if (o := found[n]) else None for n in names)
            line = lock_summary(path, before, after, added=added, removed=removed)
            shown = f"{line}\n"
        elif added + removed > LARGEST:
            lines = f"{added} lines added, {removed} removed"
            shown = f"{path}: {lines}; too many to show\n"
        else:
            shown, masked = mask_patch(path, patch)
            secrets += masked
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
