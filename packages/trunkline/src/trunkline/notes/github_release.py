"""`trunkline github-release`: publish a version's notes as its release on GitHub.

A second run writes the same again. The mark "latest" follows the same rule as the image
tag `latest`: the highest stable version of all tags of the service. A micropackage's
version is never the latest; its notes are the message of its tag.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trunkline.errors import Refusal, UsageError
from trunkline.git import TAGS, Repository
from trunkline.images.tags import highest_release
from trunkline.notes.command import of_version
from trunkline.notes.github import GitHub, find_github
from trunkline.options import DRY_RUN, command, option
from trunkline.project import head_project
from trunkline.registry.responses import RegistryError
from trunkline.settings import Settings
from trunkline.versions import Version
from trunkline.workspace.members import members

# GitHub answers so where a release of the tag exists.
INVALID = 422
# GitHub accepts 125,000 characters.
LONGEST = 120_000


@dataclass(frozen=True, slots=True)
class ReleasePage:
    """What the release of a tag should say, and whether it is the latest."""

    tag: str
    body: str
    prerelease: bool
    latest: bool

    @property
    def fields(self) -> dict[str, Any]:
        """The release in the terms of GitHub's API."""
        return {
            "tag_name": self.tag,
            "name": self.tag,
            "body": self.body,
            "draft": False,
            "prerelease": self.prerelease,
            "make_latest": "true" if self.latest else "false",
        }


@command(
    option(
        "version",
        nargs="?",
        metavar="[NAME-]vX.Y.Z",
        help="default: the current version of the service",
    ),
    DRY_RUN,
)
def github_release(*, version: str | None, dry_run: bool) -> int:
    """Create or correct the release of a version, HEAD's if none is named."""
    repository = Repository.find()
    settings = head_project(repository).settings
    member = member_version(version or "")
    if version and member:
        page = page_of_member(repository, settings, version, member)
    else:
        page = page_of_service(repository, settings, version)
    if dry_run:
        mark = "the latest" if page.latest else "not the latest"
        print(f"would publish {page.tag}, {mark}:\n\n{page.body}")
        return 0
    address = repository.run("remote", "get-url", settings.remote).text
    action, url = publish(find_github(os.environ, address), page)
    print(f"{page.tag}: {action}: {url}")
    return 0


def page_of_service(
    repository: Repository, settings: Settings, version: str | None
) -> ReleasePage:
    """Read the notes of a version; raises Refusal if its tag was not pushed."""
    subject = of_version(repository, version)
    refs = repository.remote_refs(settings, [f"{TAGS}v*"])
    tags = {ref.removeprefix(TAGS).removesuffix("^{}") for ref in refs}
    if subject.name not in tags:
        raise not_pushed(settings, subject.name, fix="uv run trunkline release")
    return release_page(subject.name, subject.markdown, tags)


def page_of_member(
    repository: Repository, settings: Settings, tag: str, version: Version
) -> ReleasePage:
    """Read the message of a micropackage's tag; raises Refusal or UsageError."""
    own = [it for it in members(repository.root) if it.origin is None]
    tags = {it.tag_of(version): it.name for it in own}
    if tag not in tags:
        listed = ", ".join(tags) or "none, for the service has no micropackage"
        raise UsageError(
            f"`{tag}` is no version of a micropackage here; expected one of: {listed}"
        )
    ref = f"{TAGS}{tag}"
    # The clone of a workflow may have the commit in place of the annotated tag.
    oid = repository.remote_refs(settings, [ref]).get(ref)
    if oid is None:
        fix = f"uv run trunkline release --package {tags[tag]}"
        raise not_pushed(settings, tag, fix=fix)
    repository.fetch(settings, [ref])
    found = repository.objects([oid])[oid]
    content = found.content.decode("utf-8", "replace") if found else ""
    return member_page(tag, version, content)


def not_pushed(settings: Settings, tag: str, *, fix: str) -> Refusal:
    """Build the refusal of a tag that the remote does not have."""
    return Refusal(
        rule="pushed-tag",
        found=f"no tag {tag} on {settings.remote}",
        expected="a released version; GitHub would create the tag itself, anywhere",
        fix=fix,
    )


def member_version(tag: str) -> Version | None:
    """Return the version in a tag `NAME-vX.Y.Z`; None for any other. Pure."""
    name, _, version = tag.rpartition("-v")
    return Version.from_tag(f"v{version}") if name else None


def member_page(tag: str, version: Version, content: str) -> ReleasePage:
    """Decide what the release says, from git's object of the tag. Pure."""
    message = content.partition("\n\n")[2]
    # The page has the first line as its title; a signature follows the message.
    body = message.partition("\n\n")[2].partition("-----BEGIN ")[0].strip()
    return ReleasePage(
        tag, shortened(body, "the message of the tag"), not version.stable, latest=False
    )


def release_page(tag: str, notes: str, all_tags: Iterable[str]) -> ReleasePage:
    """Decide what the release of a version's tag says. Pure."""
    version = Version.parse(tag[1:])
    latest = version == highest_release({*all_tags, tag})
    # The page has the version as its title.
    body = notes.partition("\n\n")[2] if notes.startswith("## ") else notes
    return ReleasePage(tag, shortened(body, "CHANGELOG.md"), not version.stable, latest)


def shortened(body: str, rest: str) -> str:
    """Cut what GitHub would refuse, and say where the rest is."""
    if len(body) <= LONGEST:
        return body
    return body[:LONGEST].rpartition("\n")[0] + f"\n\nThe rest is in {rest}."


def publish(github: GitHub, page: ReleasePage) -> tuple[str, str]:
    """Create or overwrite a release; returns what was done and its address."""
    found = github.release(page.tag)
    if found is None:
        try:
            return "created", github.write(page.fields, None)
        except RegistryError as error:
            # Another run was faster, or the first answer was lost.
            found = github.release(page.tag) if error.status == INVALID else None
            if found is None:
                raise
    return "updated", github.write(page.fields, int(found["id"]))
