"""`trunkline notes`: describe a version, for people and for language models."""

from dataclasses import asdict
from typing import Any

from trunkline.errors import Refusal, UsageError
from trunkline.files import decode_text
from trunkline.git import Repository
from trunkline.notes.bundle import write_bundle
from trunkline.notes.release_notes import ReleaseSubject, nearest, release_notes
from trunkline.options import JSON, command, option, switch
from trunkline.project import (
    CHANGELOG,
    HOTFIX_PREFIX,
    PYPROJECT,
    head_project,
    parse_project,
    version_of,
)
from trunkline.releases import commitizen
from trunkline.releases.changelog import Section, find_section, sections
from trunkline.releases.commitizen import NothingToRelease
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
    if bundle is None:
        print_notes(subject, json=json)
        return 0
    written = write_bundle(repository, subject, bundle)
    if json:
        print_json({**as_data(subject), "bundle": written.data})
    else:
        print(written.report)
    return 0


def of_version(repository: Repository, asked: str | None) -> ReleaseSubject:
    """Cut the section of a version out of the changelog; nothing is generated.

    A section that the working tree does not have, such as that of a hotfix of an older
    line or of an alpha that became stable, is read from the changelog of its own tag.
    """
    version = read_version(repository, asked)
    section = find_in_file(repository, version) or find_in_tag(repository, version)
    if section is None:
        raise unknown(repository, version, asked=asked is not None)
    return ReleaseSubject(version.tag, version, release_notes(section))


def read_version(repository: Repository, asked: str | None) -> Version:
    """Read the version that was asked for, with or without its `v`."""
    if asked is None:
        return head_project(repository).version
    try:
        return Version.parse(asked.removeprefix("v"))
    except UsageError as error:
        known = ", ".join(v.tag for v in known_versions(repository)[:5])
        raise UsageError(f"{error}; the latest here: {known or 'none'}") from None


def find_in_file(repository: Repository, version: Version) -> Section | None:
    """Find a section in the working tree, with uncommitted edits."""
    path = repository.root / CHANGELOG
    text = decode_text(path.read_bytes()) if path.is_file() else ""
    return find_section(text, version.tag)


def find_in_tag(repository: Repository, version: Version) -> Section | None:
    """Find a section in the changelog that was released with the version."""
    name = f"refs/tags/{version.tag}:{CHANGELOG}"
    found = repository.objects([name])[name]
    return find_section(decode_text(found.content), version.tag) if found else None


def known_versions(repository: Repository) -> list[Version]:
    """List every version that has a tag or a section, the highest first."""
    path = repository.root / CHANGELOG
    text = decode_text(path.read_bytes()) if path.is_file() else ""
    tags = [name.removeprefix("refs/tags/") for name in repository.refs("refs/tags/v*")]
    found = [Version.from_tag(name) for name in tags]
    found.extend(section.version for section in sections(text))
    return sorted({version for version in found if version}, reverse=True)


def unknown(repository: Repository, version: Version, *, asked: bool) -> Refusal:
    """Build the refusal of an unknown version, which names the nearest known ones."""
    known = known_versions(repository)
    around = [v.tag for v in nearest(version, known)]
    more = len(known) - len(around)
    if not asked or not known:
        fix = "uv run trunkline notes --unreleased"
    else:
        before = max((v for v in known if v < version), default=known[-1])
        fix = f"uv run trunkline notes {before.tag}"
    return Refusal(
        rule="notes",
        found=f"no section {version.tag} in {CHANGELOG}, here or at that tag",
        expected=f"one of {', '.join(around)}{f' and {more} more' if more else ''}"
        if known
        else "a released version; there is none yet",
        fix=fix,
    )


def of_next(repository: Repository) -> ReleaseSubject:
    """Ask commitizen what it would write for the commits since the last release."""
    current = head_project(repository).version
    require_whole_release(repository, current)
    found = commitizen.preview(
        repository.root,
        preview_options(repository),
        since=current.tag,
    )
    if isinstance(found, NothingToRelease):
        return ReleaseSubject("unreleased", None, None, found.reason)
    section = find_section(found.section, found.tag)
    if section is None or section.empty:
        reason = f"{found.tag} would be released without an entry"
        return ReleaseSubject(found.tag, None, None, reason)
    return ReleaseSubject(found.tag, None, release_notes(section))


def preview_options(repository: Repository) -> tuple[str, ...]:
    """Return commitizen's options: a hotfix branch only raises the patch number."""
    branch = repository.run("symbolic-ref", "--quiet", "--short", "HEAD").text
    return ("--increment", "PATCH") if branch.startswith(HOTFIX_PREFIX) else ()


def require_whole_release(repository: Repository, current: Version) -> None:
    """Refuse if commitizen would silently start from the wrong version.

    It starts from the version in pyproject.toml or, if that version has no tag, from
    the tag with the most similar name.
    """
    edited = version_of(parse_project((repository.root / PYPROJECT).read_bytes()))
    if edited != current:
        raise Refusal(
            rule="leftover",
            found=f"{PYPROJECT} says {edited}, its commit {current}",
            expected="the committed version; an earlier bump may have stopped half-way",
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


def print_notes(subject: ReleaseSubject, *, json: bool) -> None:
    """Print notes as markdown or as JSON."""
    if json:
        print_json(as_data(subject))
    elif subject.notes is None:
        print(f"nothing to release: {subject.reason}")
    else:
        print(subject.notes.markdown)


def as_data(subject: ReleaseSubject) -> dict[str, Any]:
    """Return the notes as data for JSON."""
    notes = subject.notes
    return {
        "version": subject.name.removeprefix("v") if notes else None,
        "date": notes.date if notes else None,
        "breaking": notes.breaking if notes else [],
        "groups": [asdict(group) for group in notes.groups] if notes else [],
        "markdown": notes.markdown if notes else "",
        "reason": subject.reason,
    }


def print_json(data: dict[str, Any]) -> None:
    """Print data as JSON."""
    import json  # noqa: PLC0415 - not needed otherwise

    print(json.dumps(data, indent=2, ensure_ascii=False))
