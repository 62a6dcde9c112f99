"""`trunkline github-release`: a version's page on GitHub, made of its notes.

Called again it changes what differs and nothing else. The mark "latest" follows the
rule of the image tag `latest`: the highest stable version of all tags.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from trunkline.errors import Refusal
from trunkline.git import Repository
from trunkline.images.tags import image_tags
from trunkline.notes.command import of_version
from trunkline.notes.github import INVALID, GitHub, GitHubError, place
from trunkline.options import DRY_RUN, command, option
from trunkline.project import head_project
from trunkline.versions import Version

# GitHub takes 125,000 characters.
LONGEST = 120_000
REST = "\n\nThe rest is in CHANGELOG.md."

Action = Literal["create", "edit", "same"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a version's release says, and whether it is marked as the latest."""

    tag: str
    body: str
    prerelease: bool
    latest: bool

    @property
    def fields(self) -> dict[str, Any]:
        """The release as GitHub takes it."""
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
    tags = remote_tags(repository, settings.remote, timeout=settings.timeout)
    if subject.name not in tags:
        raise Refusal(
            rule="pushed-tag",
            found=f"no tag {subject.name} on {settings.remote}",
            expected="a released version; GitHub would make the tag itself, anywhere",
            fix="uv run trunkline release",
        )
    body = subject.notes.markdown if subject.notes else ""
    want = wanted(subject.name, body, tags)
    if dry_run:
        mark = "the latest" if want.latest else "not the latest"
        print(f"would publish {want.tag}, {mark}:\n\n{want.body}")
        return 0
    address = repository.run("remote", "get-url", settings.remote).text
    action, page = publish(GitHub(place(os.environ, address)), want)
    done = {"create": "created", "edit": "corrected", "same": "as it should be"}
    print(f"{want.tag}: {done[action]}: {page}")
    return 0


def remote_tags(repository: Repository, remote: str, *, timeout: float) -> list[str]:
    """List the remote's version tags."""
    refs = repository.remote_refs(remote, ["refs/tags/v*"], timeout=timeout)
    return sorted({ref.removeprefix("refs/tags/").removesuffix("^{}") for ref in refs})


def wanted(tag: str, notes: str, all_tags: Iterable[str]) -> Wanted:
    """Decide what the release of a version's tag says. Pure."""
    plan = image_tags(f"refs/tags/{tag}", commit="", image="", all_tags=all_tags)
    latest = any(image.name == "latest" for image in plan.tags)
    # The page has the version as its title.
    body = notes.partition("\n\n")[2] if notes.startswith("## ") else notes
    if len(body) > LONGEST:
        body = body[:LONGEST].rpartition("\n")[0] + REST
    return Wanted(tag, body, not Version.parse(tag[1:]).stable, latest)


def decide(found: Mapping[str, Any] | None, latest: str | None, want: Wanted) -> Action:
    """Compare what is published with what is wanted. Pure."""
    if found is None:
        return "create"
    told = {key: found.get(key) for key in ("tag_name", "name", "draft", "prerelease")}
    same = all(want.fields[key] == value for key, value in told.items())
    # GitHub may end lines as browsers do.
    text = str(found.get("body") or "").replace("\r\n", "\n").strip()
    same = same and text == want.body.strip()
    return "same" if same and (latest == want.tag) == want.latest else "edit"


def publish(github: GitHub, want: Wanted) -> tuple[Action, str]:
    """Make the release what is wanted; returns what was done and its address."""
    found = github.release(want.tag)
    action = decide(found, github.latest(), want)
    if action == "create":
        try:
            return action, str(github.create(want.fields).get("html_url", ""))
        except GitHubError as error:
            # Somebody was faster, or the first answer was lost on its way.
            found = github.release(want.tag) if error.status == INVALID else None
            if found is None:
                raise
        action = decide(found, github.latest(), want)
    if found is not None and action == "edit":
        found = github.edit(int(found["id"]), want.fields)
    return action, str((found or {}).get("html_url", ""))
