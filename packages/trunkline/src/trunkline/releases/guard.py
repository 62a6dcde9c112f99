"""`trunkline guard`: the pre-bump hook of `cz bump`."""

import os
from dataclasses import replace

from trunkline.errors import Refusal
from trunkline.files import decode_text
from trunkline.git import Repository
from trunkline.options import command, option
from trunkline.output import refuse, say
from trunkline.project import head_project
from trunkline.releases.bump_files import (
    Originals,
    bump_files,
    kept_originals,
    restore_line_ends,
    restore_originals,
)
from trunkline.releases.rules import refusals
from trunkline.releases.state import Status
from trunkline.releases.survey import gather, read_status
from trunkline.releases.working_tree import set_aside
from trunkline.versions import Version


@command(option("--tag", help="check a pushed tag instead (CI)", metavar="vX.Y.Z"))
def guard(tag: str | None = None) -> int:
    """Check that a release may be made here.

    Called by `cz bump` it restores, on a refusal, the files that commitizen has edited.
    Called by hand it only checks the repository. With `tag` it checks a pushed tag.
    """
    repository = Repository.find()
    if tag is not None:
        from trunkline.releases.pushed_tag import check_pushed_tag  # noqa: PLC0415 - CI only

        return check_pushed_tag(repository, tag)
    coming = os.environ.get("CZ_PRE_NEW_TAG_VERSION")
    if not coming:
        return guard_repository(repository)
    originals = kept_originals(repository, os.environ)
    if originals is None:
        return refuse_other_plugin(repository)
    return guard_bump(repository, coming, originals)


def guard_repository(repository: Repository) -> int:
    """Check everything that does not depend on the next version."""
    state = gather(repository, read_status(repository))
    found = list(refusals(state))
    if found:
        return refuse(found)
    print(f"nothing prevents a release from {state.here.branch}")
    return 0


def guard_bump(repository: Repository, coming: str, originals: Originals) -> int:
    """Check a bump whose files are written and not yet committed."""
    allowed = False
    try:
        found = check_bump(repository, coming, originals)
        allowed = not found
    finally:
        # Whatever went wrong, even a bug of this tool, nothing of the bump stays.
        lines = [] if allowed else restore_originals(repository, originals)
    if allowed:
        restore_line_ends(repository, originals)
        return 0
    code = refuse(found)
    say_restored(lines)
    return code


def check_bump(
    repository: Repository, coming: str, originals: Originals
) -> list[Refusal]:
    """Return the rules that the bump breaks."""
    now = read_status(repository)
    changelog = repository.root / head_project(repository).changelog_file
    text = decode_text(changelog.read_bytes()) if changelog.is_file() else ""
    state = gather(
        repository,
        Status(now.branch, now.head, originals.changed),
        written=Version.from_project(os.environ.get("CZ_PRE_CURRENT_VERSION", "")),
        coming=(coming, text),
    )
    state = replace(state, unwatched=originals.unwatched)
    return list(refusals(state)) or scanned(repository, now.head)


def scanned(repository: Repository, commit: str) -> list[Refusal]:
    """Return what a scan of the commit's image refuses; a release has asked itself."""
    if "TRUNKLINE_RELEASE" in os.environ:
        return []
    from trunkline.images.scan import scan_commit  # noqa: PLC0415 - reads registries

    settings = head_project(repository).settings
    try:
        scan_commit(settings, os.environ, commit, strict=False)
    except Refusal as refusal:
        return [refusal]
    return []


def refuse_other_plugin(repository: Repository) -> int:
    """Refuse a bump without the plugin, which keeps files before they are edited."""
    project = head_project(repository)
    lines = set_aside(repository, bump_files(repository.root, project))
    refusal = Refusal(
        rule="commitizen",
        found=f'[tool.commitizen] name = "{project.commitizen.get("name", "")}"',
        expected='name = "trunkline", or a plugin derived from it',
        fix="sed -i.bak '/^\\[tool.commitizen\\]/,/^\\[/ "
        's/^name = .*/name = "trunkline"/\' pyproject.toml && rm *.toml.bak',
    )
    code = refuse([refusal])
    say_restored(lines)
    return code


def say_restored(lines: list[str]) -> None:
    """Tell which files are as they were before the bump."""
    say("What `cz bump` had edited is restored:")
    for line in lines:
        say(f"  {line}")
