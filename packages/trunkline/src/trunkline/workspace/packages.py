"""`trunkline packages`: switch micropackages between work tree and published tag."""

import difflib
import json as json_
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from trunkline.errors import FailedError, Refusal, UsageError
from trunkline.files import replace_content
from trunkline.git import Repository
from trunkline.locks import only_release
from trunkline.options import DRY_RUN, JSON, command, option
from trunkline.releases.bumpfiles import LOCK, PROJECT
from trunkline.settings import Settings, read_settings
from trunkline.signals import interrupted_by_signals
from trunkline.uv import uv
from trunkline.versions import Version
from trunkline.workspace.members import Member, members
from trunkline.workspace.publication import publication
from trunkline.workspace.sources import WORKSPACE, Source, with_source

KEPT = "trunkline/packages"


@dataclass(frozen=True, slots=True)
class Step:
    """What is done with one member; `says` is the line that people read."""

    member: Member
    source: Source
    says: str


@command(
    option(
        "action",
        nargs="?",
        choices=("list", "use"),
        default="list",
        help="list the micropackages (default), or switch their mode",
    ),
    option("mode", nargs="?", metavar="dev|prod", help="the mode to use"),
    option("names", nargs="*", metavar="NAME[@X.Y.Z]", help="default: all"),
    DRY_RUN,
    JSON,
)
def packages(
    *,
    action: str,
    mode: str | None,
    names: Sequence[str],
    dry_run: bool,
    json: bool,
) -> int:
    """List the members, or with action `use` put them into a mode."""
    root = Repository.find()
    if action == "use":
        if mode not in {"dev", "prod"}:
            raise UsageError(f"`packages use {mode or ''}`: expected dev or prod")
        try:
            return use(root, mode, names, dry_run=dry_run)
        except OSError as error:
            raise FailedError(
                f"{PROJECT} and {LOCK} are as they were: {error}"
            ) from error
    if mode or dry_run:
        raise UsageError("`packages list` takes no more; expected `packages use …`?")
    found = members(root.root)
    print(json_.dumps([asdict(m) for m in found]) if json else table(found))
    return 0


def use(root: Repository, mode: str, names: Sequence[str], *, dry_run: bool) -> int:
    """Put members, or all of them, into a mode and re-lock; all or none."""
    with interrupted_by_signals(), only_release(root.common_dir):
        settings = read_settings(root.root / PROJECT)
        steps, refusals = plan(root, mode, names, settings)
        for refusal in refusals:
            print(f"trunkline: {refusal}", file=sys.stderr)
        if refusals:
            return refusals[0].exit_code
        before = (root.root / PROJECT).read_bytes().decode("utf-8")
        after = before
        for step in steps:
            after = with_source(
                after,
                name=step.member.name,
                folder=step.member.folder,
                source=step.source,
            )
        print("\n".join(step.says for step in steps))
        if dry_run:
            print(difference(before, after) + "would run: uv lock")
            return 0
        switch(root, before, after)
    print("uv.lock is up to date\n  type next: uv sync; commit both files together")
    return 0


def plan(
    root: Repository, mode: str, names: Sequence[str], settings: Settings
) -> tuple[list[Step], list[Refusal]]:
    """Decide what becomes of each member; nothing is changed."""
    steps, refusals = [], []
    for member, version in chosen(members(root.root), names):
        try:
            steps.append(_step(root, mode, member, version, settings))
        except Refusal as refusal:
            refusals.append(refusal)
    return steps, refusals


def _step(
    root: Repository,
    mode: str,
    member: Member,
    version: Version | None,
    settings: Settings,
) -> Step:
    if mode == "prod":
        found = publication(root, member, version, settings)
        place = f"{found.source['git']} at {found.tag} ({found.commit[:12]})"
        return Step(
            member, found.source, f"{member.name}: {member.mode} → prod, {place}"
        )
    if version is not None:
        raise UsageError(
            f"{member.name}@{version} has no meaning in dev mode, which uses the work "
            f"tree; expected {member.name}"
        )
    if member.submodule and member.version is None:
        raise Refusal(
            rule="checked-out",
            found=f"{member.name}: the submodule {member.folder} is not checked out",
            expected="its files in the work tree",
            fix=f"git submodule update --init {member.folder}",
        )
    says = f"{member.name}: {member.mode} → dev, editable from {member.folder}"
    return Step(member, WORKSPACE, says)


def chosen(
    found: Sequence[Member], names: Sequence[str]
) -> list[tuple[Member, Version | None]]:
    """Look up `NAME` and `NAME@X.Y.Z`, none meaning all; raises UsageError."""
    if not found:
        raise UsageError(
            "the service depends on no member under packages/; "
            "expected one: docs/packages.md says how to add it"
        )
    by_name = {member.name: member for member in found}
    pairs = [name.partition("@")[::2] for name in names or by_name]
    for name, _ in pairs:
        if name not in by_name:
            raise UsageError(
                f"`{name}` is no member that the service depends on; "
                f"expected one of {', '.join(by_name)}"
            )
    return [
        (by_name[name], Version.parse(version.removeprefix("v")) if version else None)
        for name, version in pairs
    ]


def switch(root: Repository, before: str, after: str) -> None:
    """Write pyproject.toml and lock; puts both files back if that fails.

    Both are replaced in one step each, by this and by uv, so that a process that was
    killed leaves whole files, and the same command again does what is missing.
    """
    with put_back_on_failure(root):
        if after != before:
            replace_content(
                root.root / PROJECT, after.encode("utf-8"), staging=root.staging
            )
        locked = uv("lock", cwd=root.root)
        if not locked.ok:
            raise FailedError(
                f"`uv lock` failed, {PROJECT} and {LOCK} are as they were:\n"
                f"{locked.complaint}"
            )


@contextmanager
def put_back_on_failure(root: Repository) -> Iterator[None]:
    """Put pyproject.toml and uv.lock back, byte for byte, when the body raises.

    The copies are made first and moved back, which a full disk does not prevent.
    """
    kept = root.git_dir / KEPT
    kept.mkdir(parents=True, exist_ok=True)
    files = [root.root / PROJECT, root.root / LOCK]
    try:
        present = [file for file in files if file.exists()]
        for file in present:
            shutil.copy2(file, kept / file.name)
        try:
            yield
        except BaseException:
            for file in files:
                if file in present:
                    _move_back(kept / file.name, file)
                else:
                    file.unlink(missing_ok=True)
            raise
    finally:
        shutil.rmtree(kept, ignore_errors=True)


def _move_back(copy: Path, file: Path) -> None:
    if copy.read_bytes() == file.read_bytes():
        return
    try:
        os.replace(copy, file.resolve())
    except OSError:  # The repository's own folder is on another file system.
        replace_content(file, copy.read_bytes(), staging=copy.parent)


def difference(before: str, after: str) -> str:
    """Show what would change in pyproject.toml."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        PROJECT,
        PROJECT,
    )
    return "".join(lines)


def table(found: Sequence[Member]) -> str:
    """Lay out the members for people."""
    if not found:
        return "the service depends on no member under packages/"
    rows = [("package", "mode", "version", "tag", "folder")]
    for m in found:
        folder = f"{m.folder} (submodule)" if m.submodule else m.folder
        rows.append((m.name, m.mode, m.version or "-", m.tag or "-", folder))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )
