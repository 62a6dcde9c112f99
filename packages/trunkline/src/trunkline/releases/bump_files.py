"""The files that `cz bump` edits, kept as they were before it."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from trunkline.errors import Refusal
from trunkline.files import keep_line_ends, replace_content
from trunkline.git import Repository
from trunkline.project import LOCK, PYPROJECT, Project
from trunkline.releases.survey import read_status, unwatched

# The id of the git object in which the plugin describes the files to the guard.
VARIABLE = "TRUNKLINE_BEFORE_BUMP"


@dataclass(frozen=True, slots=True)
class Originals:
    """Files before a bump by their git object, and what was not committed then."""

    files: Mapping[str, str | None]
    changed: tuple[str, ...]
    unwatched: tuple[str, ...]


def bump_files(root: Path, project: Project) -> list[str]:
    """List the files that `cz bump` may edit; of a link also the file that it names."""
    versioned = version_files(root, project.commitizen.get("version_files", []))
    names = [PYPROJECT, LOCK, project.changelog_file, *versioned]
    real, top = [(root / name).resolve() for name in names], root.resolve()
    names += [str(it.relative_to(top)) for it in real if it.is_relative_to(top)]
    return list(dict.fromkeys(names))


def version_files(root: Path, entries: Sequence[str]) -> dict[str, str]:
    """Expand commitizen's `glob:pattern` entries to paths, each with its pattern."""
    expanded: dict[str, str] = {}
    for entry in entries:
        glob, _, pattern = entry.partition(":")
        for path in sorted(root.glob(glob)):
            expanded[str(path.relative_to(root))] = pattern
    return expanded


def read_changelog(root: Path, file: Path, encoding: str) -> str | None:
    """Read the changelog, None if there is none.

    Raises Refusal where commitizen could not read it or git would not commit it.
    """
    target, text, name = file.resolve(), None, quote(str(file))
    found = fix = ""
    commit = f">new.md; mv new.md {name} && git commit -m 'docs: write it anew' {name}"
    try:
        text = (content := file.read_bytes()).decode(encoding)
    except UnicodeDecodeError as error:
        found = f"{name} is not {encoding} text: {error.reason}"
        old = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "latin1"
        fix = f"iconv -f {old} -t {encoding} {name} {commit}"
    except OSError as error:
        if file.exists():
            found, fix = f"{name}: {error.strerror}", f"ls -ld {name}"
    if file.is_symlink() and not target.is_relative_to(root.resolve()):
        found = f"{name} is a link to {target}, whose text git does not commit"
        fix = f"cat {quote(str(target))} {commit}"
    if found:
        expected = f"a file of {encoding} text in the repository"
        raise Refusal(rule="changelog", found=found, expected=expected, fix=fix)
    return text and text.replace("\r\n", "\n")


def begin_bump(settings: Mapping[str, Any]) -> str | None:
    """Keep the files as they are before a bump; returns the changelog's text."""
    repository, file = Repository.find(), Path(settings["changelog_file"])
    versioned = version_files(repository.root, settings["version_files"])
    text = read_changelog(repository.root, file, settings["encoding"])
    keep_originals(repository, [PYPROJECT, LOCK, str(file), *versioned])
    return text


def keep_originals(repository: Repository, paths: Sequence[str]) -> None:
    """Copy files into git's object store, and tell the guard about it.

    The guard runs as a hook of `cz bump`, after the files have been edited.
    """
    files: dict[str, str | None] = dict.fromkeys(paths)
    present = [path for path in paths if (repository.root / path).is_file()]
    if present:
        store = ("hash-object", "-w", "--no-filters", "--", *present)
        files.update(zip(present, repository.read(*store).splitlines(), strict=True))
    changed = read_status(repository).changed
    # Once commitizen has written a file, git says that it watches it.
    document = json.dumps([files, changed, unwatched(repository, paths)]).encode()
    stored = repository.run("hash-object", "-w", "--stdin", stdin=document, check=True)
    os.environ[VARIABLE] = stored.text


def kept_originals(
    repository: Repository, environment: Mapping[str, str]
) -> Originals | None:
    """Return what `keep_originals` has stored; None if it was not called."""
    name = environment.get(VARIABLE)
    stored = repository.objects([name])[name] if name else None
    if stored is None:
        return None
    files, changed, hidden = json.loads(stored.content)
    return Originals(files, tuple(changed), tuple(hidden))


def restore_line_ends(repository: Repository, originals: Originals) -> None:
    """Undo that commitizen writes every line end as `\\n`."""
    stored = repository.objects([oid for oid in originals.files.values() if oid])
    for name, oid in originals.files.items():
        original = stored[oid] if oid else None
        if original and (path := repository.root / name).is_file():
            keep_line_ends(path, original.content, staging=repository.staging)


def restore_originals(repository: Repository, originals: Originals) -> list[str]:
    """Restore the files; returns a line about each that had been edited."""
    stored = repository.objects([oid for oid in originals.files.values() if oid])
    lines = []
    for name, oid in originals.files.items():
        path = repository.root / name
        original = stored[oid] if oid else None
        if original is None:
            if path.exists():
                path.unlink()
                lines.append(f"{name}: removed; `cz bump` had created it")
        elif not path.exists() or path.read_bytes() != original.content:
            replace_content(path, original.content, staging=repository.staging)
            lines.append(f"{name}: restored")
    return lines
