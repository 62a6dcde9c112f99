"""`trunkline notes`: describe a version, for people and for language models."""

import json as json_
from difflib import get_close_matches
from pathlib import Path

from trunkline.errors import Refusal, UsageError
from trunkline.files import decode_text
from trunkline.git import Repository
from trunkline.notes.bundle import ReleaseSubject, write_bundle
from trunkline.options import JSON, command, option, switch
from trunkline.project import HOTFIX_PREFIX, PYPROJECT, head_project, project_at
from trunkline.releases import commitizen
from trunkline.releases.changelog import find_section, sections
from trunkline.releases.commitizen import NothingToRelease
from trunkline.releases.survey import written_version
from trunkline.versions import Version


@command(
    option("version", nargs="?", metavar="vX.Y.Z", help="default: the current version"),
    switch("--unreleased", "print what the next release would contain"),
    option(
        "--bundle",
        metavar="DIR",
        help="write commits, diff and prompts for a language model to a new folder",
    ),
    JSON,
)
def show_notes(
    *, version: str | None, unreleased: bool, bundle: str | None, json: bool
) -> int:
    """Print the notes of a version; with `bundle`, write that folder instead."""
    if version and unreleased:
        raise UsageError(f"--unreleased and {version} were given; expected one of them")
    repository = Repository.find()
    subject = of_next(repository) if unreleased else of_version(repository, version)
    data, text = subject.data, f"nothing to release: {subject.reason}"
    if bundle is not None:
        data["bundle"], text = write_bundle(repository, subject, Path(bundle))
    elif subject.section:
        text = subject.markdown
    print(json_.dumps(data, indent=2, ensure_ascii=False) if json else text)
    return 0


def of_version(repository: Repository, asked: str | None) -> ReleaseSubject:
    """Cut the section of a version out of the changelog; nothing is generated.

    A section that the working tree does not have, such as that of a hotfix of an older
    line or of an alpha that became stable, is read from the changelog of its own tag.
    """
    try:
        given = None if asked is None else Version.parse(asked.removeprefix("v"))
    except UsageError as error:
        known = ", ".join(v.tag for v in known_versions(repository)[:5])
        raise UsageError(f"{error}; the latest here: {known or 'none'}") from None
    version = given or head_project(repository).version
    section = find_section(changelog(repository), version.tag)
    if section is None:
        tagged = project_at(repository, f"refs/tags/{version.tag}")
        section = find_section(tagged.changelog, version.tag)
    if section is None:
        raise unknown(repository, version, asked=asked is not None)
    return ReleaseSubject(version.tag, version, section)


def changelog(repository: Repository) -> str:
    """Read the changelog of the working tree, with uncommitted edits."""
    path = repository.root / head_project(repository).changelog_file
    return decode_text(path.read_bytes()) if path.is_file() else ""


def known_versions(repository: Repository) -> list[Version]:
    """List every version that has a tag or a section, the highest first."""
    tags = [name.removeprefix("refs/tags/") for name in repository.refs("refs/tags/v*")]
    found = [Version.from_tag(name) for name in tags]
    found.extend(section.version for section in sections(changelog(repository)))
    return sorted({version for version in found if version}, reverse=True)


def unknown(repository: Repository, version: Version, *, asked: bool) -> Refusal:
    """Build the refusal of an unknown version, which names similar ones."""
    known = known_versions(repository)
    before = next((v for v in known if v < version), known[-1] if known else None)
    expected = "a released version; there is none yet"
    if known:
        similar = get_close_matches(version.tag, [v.tag for v in known], cutoff=0)
        expected = f"a released version, such as {' or '.join(similar)}"
    asking = before.tag if asked and before else "--unreleased"
    return Refusal(
        rule="notes",
        found=f"no changelog section {version.tag}, here or at that tag",
        expected=expected,
        fix=f"uv run trunkline notes {asking}",
    )


def of_next(repository: Repository) -> ReleaseSubject:
    """Ask commitizen what it would write for the commits since the last release."""
    current = head_project(repository).version
    require_whole_release(repository, current)
    branch = repository.run("symbolic-ref", "--quiet", "--short", "HEAD").text
    # A hotfix branch only raises the patch number.
    options = ("--increment", "PATCH") if branch.startswith(HOTFIX_PREFIX) else ()
    found = commitizen.preview(repository.root, options, since=current.tag)
    if isinstance(found, NothingToRelease):
        return ReleaseSubject("unreleased", None, None, found.reason)
    section = find_section(found.section, found.tag)
    if section is None or section.empty:
        reason = f"{found.tag} would be released without an entry"
        return ReleaseSubject(found.tag, None, None, reason)
    return ReleaseSubject(found.tag, None, section)


def require_whole_release(repository: Repository, current: Version) -> None:
    """Refuse if commitizen would silently start from the wrong version.

    It starts from the version in pyproject.toml or, if that version has no tag, from
    the tag with the most similar name.
    """
    edited = written_version(repository.root, current)
    if edited != current:
        raise Refusal(
            rule="leftover",
            found=f"{PYPROJECT} says {edited}, its commit {current}",
            expected="the committed version; an earlier bump may have stopped halfway",
            fix="uv run trunkline release --dry-run",
        )
    if repository.refs(f"refs/tags/{current.tag}") or not known_versions(repository):
        return
    raise Refusal(
        rule="current-tag",
        found=f"version {current} and no tag {current.tag}",
        expected=f"{current.tag}, because the commits since then are wanted",
        fix="git fetch --tags",
    )
