"""`trunkline packages`: use packages from the working tree or from published tags."""

import difflib
import json as json_
import os
import re
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from trunkline.errors import FailedError, Refusal, UsageError
from trunkline.folders import require_free
from trunkline.git import Repository
from trunkline.locks import only_release
from trunkline.options import DRY_RUN, JSON, command, option
from trunkline.output import aligned, refuse
from trunkline.project import LOCK, PYPROJECT
from trunkline.settings import read_settings
from trunkline.signals import interrupted_by_signals
from trunkline.versions import Version
from trunkline.workspace.members import (
    ORIGIN,
    WORKSPACE,
    Member,
    Source,
    members,
    revision,
)
from trunkline.workspace.publication import (
    publication,
    require_checked_out,
    require_dev,
)
from trunkline.workspace.switching import Switch, carry_out, edited
from trunkline.workspace.testing import BASE, run_tests
from trunkline.workspace.vendoring import FETCHED, differences, locked_commit, upstream


@command(
    option(
        "action",
        nargs="?",
        choices=("list", "use", "test"),
        default="list",
        help="list the packages (default), switch their mode, or test each alone",
    ),
    option(
        "mode", nargs="?", metavar="dev|prod", help="the mode to use (only with `use`)"
    ),
    option(
        "names",
        nargs="*",
        metavar="NAME[@X.Y.Z]",
        help="default: every micropackage of the service",
    ),
    option(
        "--changed-since",
        metavar="REF",
        help=f"test only what changed since then (default: ${BASE}, if it is set)",
    ),
    DRY_RUN,
    JSON,
)
def packages(
    *,
    action: str,
    mode: str | None,
    names: Sequence[str],
    changed_since: str | None,
    dry_run: bool,
    json: bool,
) -> int:
    """List the packages, test them, or with action `use` switch them to a mode."""
    root = Repository.find()
    if action == "test":
        asked = [mode, *names] if mode else []
        since = changed_since or os.environ.get(BASE)
        return run_tests(root, testable(members(root.root), asked), since)
    if action == "use":
        if mode not in {"dev", "prod"}:
            raise UsageError(f"`packages use {mode or ''}`: expected dev or prod")
        try:
            return use(root, mode, names, dry_run=dry_run)
        except OSError as error:
            raise FailedError(
                f"{PYPROJECT} and {LOCK} are as they were: {error}"
            ) from error
    if mode or dry_run or changed_since:
        raise UsageError("`packages list` has no arguments; did you mean `use`?")
    found = members(root.root)
    print(json_.dumps([asdict(m) for m in found]) if json else table(root, found))
    return 0


def testable(found: Sequence[Member], names: Sequence[str]) -> list[Member]:
    """Return the named packages, or the service's own in dev mode.

    In prod mode nothing of the folder is used or released, and a switch to dev mode
    changes uv.lock, which makes the tests run.
    """
    if not names:
        return [m for m in found if m.shipped and not m.origin and m.mode == "dev"]
    asked = [member for member, _ in chosen(found, names)]
    for member in asked:
        require_dev(member)
    return asked


def use(root: Repository, mode: str, names: Sequence[str], *, dry_run: bool) -> int:
    """Switch packages to a mode and lock; all of them or none."""
    with interrupted_by_signals(), only_release(root.common_dir), ExitStack() as stack:
        stack.callback(shutil.rmtree, root.git_dir / FETCHED, ignore_errors=True)
        plan = to_dev if mode == "dev" else to_prod
        switches, refusals = [], []
        for member, version in chosen(members(root.root), names):
            try:
                switches.append(plan(root, member, version))
            except Refusal as refusal:
                refusals.append(refusal)
        if refusals:
            return refuse(refusals)
        print("\n".join(switch.summary for switch in switches))
        if dry_run:
            text = (root.root / PYPROJECT).read_bytes().decode("utf-8")
            texts = (text, edited(text, switches))
            before, after = (t.splitlines(keepends=True) for t in texts)
            lines = difflib.unified_diff(before, after, PYPROJECT, PYPROJECT)
            print("".join(lines) + "would run: uv lock")
            return 0
        carry_out(root, switches)
    print("uv.lock is up to date\n  type next: uv sync  (then commit the changes)")
    return 0


def to_dev(root: Repository, member: Member, version: Version | None) -> Switch:
    """Plan a switch to dev mode; changes nothing, raises Refusal or UsageError."""
    if version is not None:
        raise UsageError(
            f"{member.name}@{version}: dev mode uses the working tree, which has "
            f"no versions; expected {member.name}"
        )
    start = f"{member.name}: {member.mode} → dev"
    if member.origin is None or member.version is not None:
        require_checked_out(member)
        return Switch(member, WORKSPACE, f"{start}, editable in {member.folder}")
    place = root.root / member.folder
    require_free(place, fix=f"mv {member.folder} {member.folder}.old")
    commit = locked_commit(root.root, member)
    found = upstream(root, member, member.origin, commit=commit)
    summary = f"{start}, editable copy of {commit[:12]} in {member.folder}"
    return Switch(member, WORKSPACE, summary, copied=found)


def to_prod(root: Repository, member: Member, version: Version | None) -> Switch:
    """Plan a switch to prod mode; changes nothing, raises Refusal or UsageError."""
    start = f"{member.name}: {member.mode} → prod"
    if member.origin is None:
        settings = read_settings(root.root / PYPROJECT)
        source, commit = publication(root, member, version, settings)
        place = f"{source['git']} at {source['tag']} ({commit[:12]})"
        return Switch(member, source, f"{start}, {place}")
    source = versioned(member.origin, version)
    named = f"{source['git']} at {revision(source)}"
    summary = f"{start}, {named}"
    if member.version is None:
        return Switch(member, source, summary, excluded=False)
    found = upstream(root, member, source)
    changed = differences(member, found)
    if not changed:
        summary += f"\n  removes the copy in {member.folder}"
        return Switch(member, source, summary, removed=found)
    if version is None:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise Refusal(
            rule="copy-unchanged",
            found=f"{member.name} has your edits: {changed[0]}{more} differ from "
            f"{named}",
            expected="the files of that version; publish your edits first; if in a "
            f"fork, write its address into {member.folder}/{ORIGIN}",
            fix=f"uv run trunkline packages use prod {member.name}@X.Y.Z",
        )
    kept = "\n".join(f"  keeps your edited {name}" for name in changed)
    return Switch(member, source, f"{summary}\n{kept}")


def versioned(origin: Source, version: Version | None) -> Source:
    """Return the source of a copy, at its own revision or at another version."""
    if version is None:
        return origin
    tag = re.sub(r"v[0-9].*$", version.tag, str(origin.get("tag", version.tag)))
    replaced = {"git", "tag", "rev", "branch"}
    others = {k: value for k, value in origin.items() if k not in replaced}
    return {"git": origin["git"], "tag": tag, **others}


def chosen(
    found: Sequence[Member], names: Sequence[str]
) -> list[tuple[Member, Version | None]]:
    """Look up `NAME` and `NAME@X.Y.Z`; raises UsageError."""
    by_name = {member.name: member for member in found}
    default = [member.name for member in found if member.shipped and not member.origin]
    if not names and not default:
        raise UsageError(
            "the service depends on no micropackage\n"
            "  type next: uv init --lib packages/NAME && uv add NAME  (or name one of: "
            f"{', '.join(by_name) or 'none'})"
        )
    pairs = [name.partition("@")[::2] for name in names or default]
    for name, _ in pairs:
        if name not in by_name:
            raise UsageError(
                f"`{name}` is not a package of this project that can be switched; "
                f"expected one of {', '.join(by_name)}"
            )
    return [
        (by_name[name], Version.parse(version.removeprefix("v")) if version else None)
        for name, version in pairs
    ]


def table(root: Repository, found: Sequence[Member]) -> str:
    """Lay out the packages for people."""
    if not found:
        return "the project depends on no micropackage and on no package from git"
    rows = [("package", "mode", "version", "tag", "files")]
    for m in found:
        rows.append((m.name, m.mode, m.version or "-", m.tag or "-", _files(root, m)))
    return "\n".join(aligned(rows))


def _files(root: Repository, member: Member) -> str:
    if member.submodule:
        return f"{member.folder} (submodule)"
    if member.origin is None:
        return member.folder
    copied = Path(root.root, member.folder).exists()
    return f"{member.folder} (copied)" if copied else str(member.origin["git"])
