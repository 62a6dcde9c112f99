"""Switch packages to other sources: edit pyproject.toml, copy or remove files, lock.

A run that is killed at any point leaves a project that uv accepts once it has locked,
and the same command again does what is missing: the folder of a copied package
appears and disappears while it is excluded from the workspace.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from trunkline.errors import FailedError
from trunkline.files import replace_content
from trunkline.git import Repository
from trunkline.process import uv
from trunkline.project import LOCK, PYPROJECT
from trunkline.workspace.members import Member, Source
from trunkline.workspace.sources import with_source
from trunkline.workspace.vendoring import Upstream, copy_in, remove_copy

KEPT = "trunkline/packages"


@dataclass(frozen=True, slots=True)
class Switch:
    """What to do with one member; `summary` is the line that people read."""

    member: Member
    source: Source
    summary: str
    # Files to copy into the workspace before, or to remove from it after.
    copied: Upstream | None = None
    removed: Upstream | None = None
    # None: whatever the source requires.
    excluded: bool | None = None


def edited(text: str, switches: Sequence[Switch]) -> str:
    """Return pyproject.toml with the sources of all switches."""
    for switch in switches:
        text = with_source(
            text,
            name=switch.member.name,
            folder=switch.member.folder,
            source=switch.source,
            excluded=switch.excluded,
        )
    return text


def carry_out(root: Repository, switches: Sequence[Switch]) -> None:
    """Switch all members; puts pyproject.toml and uv.lock back if that fails."""
    text = (root.root / PYPROJECT).read_bytes().decode("utf-8")
    with put_back_on_failure(root), _copies(root, text, switches):
        _write(root, edited(text, switches))
        locked = uv("lock", cwd=root.root)
        if not locked.ok:
            raise FailedError(
                f"`uv lock` failed, {PYPROJECT} and {LOCK} are as they were:\n"
                f"{locked.complaint}"
            )
    for switch in switches:
        if switch.removed:
            _remove(root, switch, switch.removed)


@contextmanager
def _copies(root: Repository, text: str, switches: Sequence[Switch]) -> Iterator[None]:
    """Copy files in; removes them again if the body raises."""
    made: list[Path] = []
    try:
        for switch in switches:
            folder, origin = root.root / switch.member.folder, switch.member.origin
            if switch.copied and origin:
                text = edited(text, [replace(switch, source=origin, excluded=True)])
                _write(root, text)
                copy_in(switch.copied, folder, origin)
                made.append(folder)
        yield
    except BaseException:
        for folder in made:
            shutil.rmtree(folder)
        raise


def _remove(root: Repository, switch: Switch, files: Upstream) -> None:
    for path in remove_copy(switch.member, files):
        print(f"kept: {path.relative_to(root.root)}, not a file of the package")
    text = (root.root / PYPROJECT).read_bytes().decode("utf-8")
    _write(root, edited(text, [replace(switch, excluded=False)]))


def _write(root: Repository, text: str) -> None:
    content = text.encode("utf-8")
    if content != (root.root / PYPROJECT).read_bytes():
        replace_content(root.root / PYPROJECT, content, staging=root.staging)


@contextmanager
def put_back_on_failure(root: Repository) -> Iterator[None]:
    """Restore pyproject.toml and uv.lock, byte for byte, when the body raises.

    The copies are made first and moved back, which a full disk does not prevent.
    """
    kept = root.git_dir / KEPT
    kept.mkdir(parents=True, exist_ok=True)
    project, lock = root.root / PYPROJECT, root.root / LOCK
    copies = {file: kept / file.name for file in (project, lock) if file.exists()}
    try:
        for file, copy in copies.items():
            shutil.copy2(file, copy)
        try:
            yield
        except BaseException:
            for file, copy in copies.items():
                if copy.read_bytes() != file.read_bytes():
                    shutil.move(copy, file.resolve())
            if lock not in copies:
                lock.unlink(missing_ok=True)
            raise
    finally:
        shutil.rmtree(kept, ignore_errors=True)
