"""The files that `cz bump` edits: what they were, and how to put them back."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trunkline.files import decode_text, replace_content
from trunkline.git import Repository
from trunkline.project import CHANGELOG, LOCK, PYPROJECT
from trunkline.releases import edits


@dataclass(frozen=True, slots=True)
class Bump:
    """What commitizen tells its hook: both versions and the changelog."""

    current: str
    tag: str
    changelog: str

    @property
    def new(self) -> str:
        """The new version as commitizen wrote it."""
        return self.tag.removeprefix("v")


@dataclass(frozen=True, slots=True)
class EditedFile:
    """One file that commitizen edited; `before` is None if it made the file.

    `committed` says that the file was as HEAD has it, so that its bytes are known.
    """

    path: str
    before: str | None
    committed: bool


def bump_from_environment(root: Path, environment: Mapping[str, str]) -> Bump | None:
    """Read what commitizen tells its hook; None where no `cz bump` is under way."""
    tag = environment.get("CZ_PRE_NEW_TAG_VERSION")
    if not tag:
        return None
    told = environment.get("CZ_PRE_CHANGELOG_FILE_NAME") or CHANGELOG
    changelog = (root / told).resolve()
    inside = changelog.is_relative_to(root.resolve())
    return Bump(
        current=environment.get("CZ_PRE_CURRENT_VERSION", ""),
        tag=tag,
        changelog=str(changelog.relative_to(root.resolve())) if inside else CHANGELOG,
    )


def edited_files(
    repository: Repository, bump: Bump, project: Mapping[str, Any]
) -> list[EditedFile]:
    """Work out what each file was before; `project` is the parsed pyproject.toml."""
    cz = project.get("tool", {}).get("commitizen", {})
    patterns = version_files(repository.root, cz.get("version_files", []))
    paths = list(dict.fromkeys([PYPROJECT, LOCK, bump.changelog, *patterns]))
    names = [f"{place}:{path}" for path in paths for place in ("HEAD", ":0")]
    found = repository.objects(names)
    name = str(project.get("project", {}).get("name", ""))
    files = []
    for path in paths:
        try:
            after = decode_text((repository.root / path).read_bytes())
        except OSError:
            continue
        head, index = (found[f"{place}:{path}"] for place in ("HEAD", ":0"))
        old = decode_text(head.content) if head else None
        staged = decode_text(index.content) if index else None
        before = _before(path, after, old, staged, bump=bump, name=name)
        if before != old and path in patterns:
            before = edits.versioned_before(
                before, pattern=patterns[path], current=bump.current, new=bump.new
            )
        # Where there was no changelog, commitizen begins one with the new section.
        made = not (head or index) and after.startswith(f"## {bump.tag}")
        files.append(EditedFile(path, None if made else before, before == old))
    return files


def _before(
    path: str,
    after: str,
    committed: str | None,
    staged: str | None,
    *,
    bump: Bump,
    name: str,
) -> str:
    """Take commitizen's edit out of the text of one file."""
    current = bump.current
    if path == PYPROJECT:
        return edits.project_before(after, current=current, committed=committed)
    if path == LOCK:
        # uv writes names in lower case and with hyphens.
        name = name.lower().replace("_", "-").replace(".", "-")
        return edits.lock_before(after, name=name, current=current, committed=committed)
    if path == bump.changelog:
        texts = [text for text in (staged, committed) if text is not None]
        return edits.changelog_before(after, tag=bump.tag, candidates=texts)
    return after


def version_files(root: Path, entries: list[str]) -> dict[str, str]:
    """Expand commitizen's `glob:pattern` entries to paths, each with its pattern."""
    expanded: dict[str, str] = {}
    for entry in entries:
        glob, _, pattern = entry.partition(":")
        for path in sorted(root.glob(glob)):
            expanded[str(path.relative_to(root))] = pattern
    return expanded


def put_back(repository: Repository, files: list[EditedFile]) -> list[str]:
    """Undo what commitizen wrote; returns one line for each file that it touched."""
    return [line for file in files if (line := _put_back(repository, file))]


def _put_back(repository: Repository, file: EditedFile) -> str:
    path = repository.root / file.path
    if file.before is None:
        # Git does not know the file, so a copy of it is kept in case of a mistake.
        saved = save(repository, file.path)
        path.unlink()
        return f"{file.path}: removed, `cz bump` had made it; a copy: {saved}"
    if file.committed:
        # With filters, so that line ends and the like are those of the work tree.
        shown = repository.run("cat-file", "--filters", f"HEAD:{file.path}", check=True)
        content, line = shown.stdout, f"{file.path}: as committed"
    else:
        content = file.before.encode("utf-8", "surrogateescape")
        line = f"{file.path}: your own changes are kept"
    if path.read_bytes() == content:
        return ""
    replace_content(path, content, staging=repository.staging)
    return line


def save(repository: Repository, name: str) -> Path:
    """Keep a copy of a file of the work tree in git's own folder."""
    path = repository.root / name
    saved = repository.git_dir / "trunkline" / "saved" / f"{path.name}.{time.time_ns()}"
    saved.parent.mkdir(parents=True, exist_ok=True)
    saved.write_bytes(path.read_bytes())
    return saved
