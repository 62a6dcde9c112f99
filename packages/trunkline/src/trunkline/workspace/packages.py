"""`trunkline packages`: use packages from the working tree or from published tags."""

import difflib
import json as json_
import re
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
from trunkline.settings import Settings, read_settings
from trunkline.signals import interrupted_by_signals
from trunkline.versions import Version
from trunkline.workspace.members import WORKSPACE, Member, Source, revision, switchable
from trunkline.workspace.publication import address, publication, require_checked_out
from trunkline.workspace.switching import Switch, carry_out, edited
from trunkline.workspace.vendoring import differences, locked_commit, upstream


@command(
    option(
        "action",
        nargs="?",
        choices=("list", "use"),
        default="list",
        help="list the packages (default), or switch their mode",
    ),
    option("mode", nargs="?", metavar="dev|prod", help="the mode to use"),
    option(
        "names",
        nargs="*",
        metavar="NAME[@X.Y.Z]",
        help="default: every micropackage of the service",
    ),
    option(
        "--from",
        dest="source",
        metavar="URL",
        help="prod: repository that publishes your edits of a copied package",
    ),
    DRY_RUN,
    JSON,
)
def packages(
    *,
    action: str,
    mode: str | None,
    names: Sequence[str],
    source: str | None,
    dry_run: bool,
    json: bool,
) -> int:
    """List the packages, or with action `use` switch them to a mode."""
    root = Repository.find()
    if action == "use":
        if mode not in {"dev", "prod"}:
            raise UsageError(f"`packages use {mode or ''}`: expected dev or prod")
        if source and (mode == "dev" or len(names) != 1):
            raise UsageError("--from goes with `packages use prod` and one name")
        try:
            return use(root, mode, names, source=source, dry_run=dry_run)
        except OSError as error:
            raise FailedError(
                f"{PYPROJECT} and {LOCK} are as they were: {error}"
            ) from error
    if mode or dry_run:
        raise UsageError("`packages list` has no arguments; did you mean `use`?")
    found = switchable(root.root)
    print(json_.dumps([asdict(m) for m in found]) if json else table(root, found))
    return 0


def use(
    root: Repository,
    mode: str,
    names: Sequence[str],
    *,
    source: str | None,
    dry_run: bool,
) -> int:
    """Switch packages to a mode and lock; all of them or none."""
    with interrupted_by_signals(), only_release(root.common_dir), ExitStack() as stack:
        plan = SwitchPlan(root, read_settings(root.root / PYPROJECT), stack, source)
        switches, refusals = [], []
        for member, version in chosen(switchable(root.root), names):
            try:
                switches.append(plan.switch(mode, member, version))
            except Refusal as refusal:
                refusals.append(refusal)
        if refusals:
            return refuse(refusals)
        print("\n".join(switch.summary for switch in switches))
        if dry_run:
            text = (root.root / PYPROJECT).read_bytes().decode("utf-8")
            print(difference(text, edited(text, switches)) + "would run: uv lock")
            return 0
        carry_out(root, switches)
    print("uv.lock is up to date\n  type next: uv sync; then commit the changes")
    return 0


class SwitchPlan:
    """Decide what to do with each package; changes nothing."""

    def __init__(
        self, root: Repository, settings: Settings, stack: ExitStack, fork: str | None
    ) -> None:
        self.root = root
        self.settings = settings
        # Keeps what was fetched until the plan has been carried out.
        self.stack = stack
        self.fork = fork

    def switch(self, mode: str, member: Member, version: Version | None) -> Switch:
        """Plan one package's switch; raises Refusal or UsageError."""
        if mode == "dev":
            return self._dev(member, version)
        if member.origin is not None:
            return self._vendored(member, member.origin, version)
        if self.fork:
            raise UsageError(f"--from is for copied packages; {member.name} is not one")
        found = publication(self.root, member, version, self.settings)
        place = f"{found.source['git']} at {found.tag} ({found.commit[:12]})"
        summary = f"{member.name}: {member.mode} → prod, {place}"
        return Switch(member, found.source, summary)

    def _dev(self, member: Member, version: Version | None) -> Switch:
        if version is not None:
            raise UsageError(
                f"{member.name}@{version}: dev mode uses the working tree, which has "
                f"no versions; expected {member.name}"
            )
        start = f"{member.name}: {member.mode} → dev"
        if member.origin is None or member.version is not None:
            require_checked_out(member)
            return Switch(member, WORKSPACE, f"{start}, editable in {member.folder}")
        place = self.root.root / member.folder
        require_free(place, fix=f"mv {member.folder} {member.folder}.old")
        commit = locked_commit(self.root.root, member)
        found = self.stack.enter_context(upstream(member, member.origin, commit=commit))
        summary = f"{start}, editable copy of {commit[:12]} in {member.folder}"
        return Switch(member, WORKSPACE, summary, copied=found)

    def _vendored(
        self, member: Member, origin: Source, version: Version | None
    ) -> Switch:
        source = self._source(origin, version)
        named = f"{source['git']} at {revision(source)}"
        summary = f"{member.name}: {member.mode} → prod, {named}"
        if member.version is None:
            return Switch(member, source, summary, excluded=False)
        found = self.stack.enter_context(upstream(member, source))
        changed = differences(self.root, member, found)
        if not changed:
            summary += f"\n  removes the copy in {member.folder}"
            return Switch(member, source, summary, removed=found)
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        if version is None:
            raise Refusal(
                rule="copy-unchanged",
                found=f"{member.name} has your edits: {changed[0]}{more} differ from "
                f"{named}",
                expected="the files of that version; publish your edits first, for "
                "example from a fork",
                fix=f"uv run trunkline packages use prod {member.name}@X.Y.Z "
                "--from ADDRESS_OF_THE_FORK",
            )
        kept = "\n".join(f"  keeps your edited {name}" for name in changed)
        return Switch(member, source, f"{summary}\n{kept}")

    def _source(self, origin: Source, version: Version | None) -> Source:
        """Return the source to restore: that of the copy, or what was asked for."""
        source = dict(origin)
        if self.fork:
            source["git"] = address(self.fork, self.root.root)
        if version is None:
            return source
        tag = re.sub(r"v[0-9].*$", version.tag, str(origin.get("tag", version.tag)))
        named = {"git": source["git"], "tag": tag}
        rest = {k: v for k, v in source.items() if k not in {"rev", "branch", *named}}
        return named | rest


def chosen(
    found: Sequence[Member], names: Sequence[str]
) -> list[tuple[Member, Version | None]]:
    """Look up `NAME` and `NAME@X.Y.Z`; raises UsageError."""
    by_name = {member.name: member for member in found}
    default = [member.name for member in found if member.switched_by_default]
    if not names and not default:
        raise UsageError(
            "the service depends on no micropackage\n"
            "  type next: uv init --lib packages/NAME && uv add NAME; or name one of: "
            f"{', '.join(by_name) or 'none'}"
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


def difference(before: str, after: str) -> str:
    """Show what would change in pyproject.toml."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        PYPROJECT,
        PYPROJECT,
    )
    return "".join(lines)


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
