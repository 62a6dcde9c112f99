"""`trunkline guard`: the pre-bump hook of `cz bump`."""

import os
from collections.abc import Mapping

from trunkline.errors import Refusal
from trunkline.files import decode_text
from trunkline.git import Repository
from trunkline.options import command, option
from trunkline.output import refuse, say
from trunkline.project import CHANGELOG, PYPROJECT, parse_project, version_of
from trunkline.releases.bumpfiles import (
    Bump,
    EditedFile,
    bump_from_environment,
    edited_files,
    put_back,
)
from trunkline.releases.changelog import find_section
from trunkline.releases.rules import refusals
from trunkline.releases.survey import Coming, gather, read_status
from trunkline.settings import Settings, parse_settings
from trunkline.versions import Version


@command(option("--tag", help="check a pushed tag instead (CI)", metavar="vX.Y.Z"))
def guard(tag: str | None = None) -> int:
    """Check that a release may be made here.

    Called by `cz bump` it undoes, on a refusal, what commitizen has edited. Called by
    hand it looks at the repository only. With `tag` it checks a tag that was pushed.
    """
    repository = Repository.find()
    if tag is not None:
        from trunkline.releases.pushedtag import check_pushed_tag  # noqa: PLC0415 - CI only

        return check_pushed_tag(repository, tag)
    bump = bump_from_environment(repository.root, os.environ)
    if bump is None:
        return guard_repository(repository)
    return guard_bump(repository, bump)


def guard_repository(repository: Repository) -> int:
    """Check everything that does not depend on the next version."""
    document = parse_project((repository.root / PYPROJECT).read_bytes())
    state = gather(
        repository,
        parse_settings(document),
        status=read_status(repository),
        written=version_of(document),
        changelog=CHANGELOG,
    )
    found = list(refusals(state))
    if found:
        return refuse(found)
    print(f"nothing stands against a release from {state.branch}")
    return 0


def guard_bump(repository: Repository, bump: Bump) -> int:
    """Check a bump whose files are written and not yet committed."""
    document = parse_project((repository.root / PYPROJECT).read_bytes())
    files = edited_files(repository, bump, document)
    allowed = False
    try:
        found = check_bump(repository, bump, files, parse_settings(document))
        allowed = not found
    finally:
        # Whatever went wrong, also a bug of this tool, nothing of the bump stays.
        restored = [] if allowed else put_back(repository, files)
    if not found:
        return 0
    code = refuse(found)
    say("What `cz bump` had edited is undone:")
    for line in restored:
        say(f"  {line}")
    return code


def check_bump(
    repository: Repository, bump: Bump, files: list[EditedFile], settings: Settings
) -> list[Refusal]:
    """Return the rules that the bump breaks."""
    status = read_status(repository)
    own = frozenset(file.path for file in files if is_own(file, status.changed))
    changelog = repository.root / bump.changelog
    text = decode_text(changelog.read_bytes()) if changelog.is_file() else ""
    section = find_section(text, bump.tag)
    state = gather(
        repository,
        settings,
        status=status,
        written=Version.from_project(bump.current),
        changelog=bump.changelog,
        coming=Coming(bump.tag, section_empty=section is None or section.empty),
        own=own,
    )
    return list(refusals(state))


def is_own(file: EditedFile, changed: Mapping[str, str]) -> bool:
    """Whether the only change of a file is commitizen's and none of it is staged."""
    letters = changed.get(file.path, ".M")
    if letters == "??":
        return file.before is None
    return letters == ".M" and file.committed
