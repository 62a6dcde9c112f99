"""`trunkline github-release`: publish a version's notes as its release on GitHub.

A second run writes the same again. The mark "latest" follows the same rule as the image
tag `latest`: the highest stable version of all tags.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trunkline.errors import Refusal
from trunkline.git import Repository
from trunkline.images.tags import highest_release
from trunkline.notes.command import of_version
from trunkline.notes.github import GitHub, find_github
from trunkline.options import DRY_RUN, command, option
from trunkline.project import head_project
from trunkline.registry.responses import RegistryError
from trunkline.versions import Version

# GitHub answers so where a release of the tag exists.
INVALID = 422
# GitHub accepts 125,000 characters.
LONGEST = 120_000
REST = "\n\nThe rest is in CHANGELOG.md."


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
    option("version", nargs="?", metavar="vX.Y.Z", help="default: the current version"),
    DRY_RUN,
)
def github_release(*, version: str | None, dry_run: bool) -> int:
    """Create or correct the release of a version, HEAD's if none is named."""
    repository = Repository.find()
    subject = of_version(repository, version)
    settings = head_project(repository).settings
    refs = repository.remote_refs(settings, ["refs/tags/v*"])
    tags = {ref.removeprefix("refs/tags/").removesuffix("^{}") for ref in refs}
    if subject.name not in tags:
        raise Refusal(
            rule="pushed-tag",
            found=f"no tag {subject.name} on {settings.remote}",
            expected="a released version; GitHub would create the tag itself, anywhere",
            fix="uv run trunkline release",
        )
    page = release_page(subject.name, subject.markdown, tags)
    if dry_run:
        mark = "the latest" if page.latest else "not the latest"
        print(f"would publish {page.tag}, {mark}:\n\n{page.body}")
        return 0
    address = repository.run("remote", "get-url", settings.remote).text
    action, url = publish(find_github(os.environ, address), page)
    print(f"{page.tag}: {action}: {url}")
    return 0


def release_page(tag: str, notes: str, all_tags: Iterable[str]) -> ReleasePage:
    """Decide what the release of a version's tag says. Pure."""
    version = Version.parse(tag[1:])
    latest = version == highest_release({*all_tags, tag})
    # The page has the version as its title.
    body = notes.partition("\n\n")[2] if notes.startswith("## ") else notes
    if len(body) > LONGEST:
        body = body[:LONGEST].rpartition("\n")[0] + REST
    return ReleasePage(tag, body, not version.stable, latest)


def publish(github: GitHub, page: ReleasePage) -> tuple[str, str]:
    """Create or overwrite a release; returns what was done and its address."""
    found = github.release(page.tag)
    if found is None:
        try:
            return "created", str(github.create(page.fields)["html_url"])
        except RegistryError as error:
            # Another run was faster, or the first answer was lost.
            found = github.release(page.tag) if error.status == INVALID else None
            if found is None:
                raise
    return "updated", str(github.edit(int(found["id"]), page.fields)["html_url"])
