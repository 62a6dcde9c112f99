"""Which image tags a git ref gets. Pure."""

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from trunkline.errors import Refusal, UsageError
from trunkline.versions import Version

Kind = Literal["branch", "release", "prerelease"]

COMMIT_DIGITS = 12
# A DNS label holds 63 characters, an image tag 128.
LONGEST = 63
CUT = 54
_MEMBER_TAG = re.compile(r"refs/tags/(.+)-v[0-9]+\.[0-9]+\.[0-9]+.*")
# Names that mean something else, so that no branch may have them.
_RESERVED = r"latest$|[0-9]|v[0-9]|sha-"
_TAKEN = re.compile(_RESERVED)
_BRANCH_TAG = re.compile(rf"(?!{_RESERVED})[a-z]([a-z0-9-]*[a-z0-9])?")
_COMMIT_TAG = re.compile(rf"sha-[0-9a-f]{{{COMMIT_DIGITS}}}")


@dataclass(frozen=True, slots=True)
class ImageTag:
    """One tag: a mutable one is moved, any other is created once."""

    name: str
    mutable: bool
    why: str


# How many lines with hotfixes the weekly audit looks at; older ones are over.
HOTFIX_LINES = 3
LATEST = ImageTag("latest", mutable=True, why="the highest stable version")


@dataclass(frozen=True, slots=True)
class ImageTags:
    """All tags of one ref's image, the one of the commit first."""

    ref: str
    kind: Kind
    commit: str
    image: str
    version: str | None
    tags: tuple[ImageTag, ...]


def branch_tag(branch: str) -> str:
    """Turn a branch's name into a legal image tag that is also a DNS label.

    It never equals the tag of a release or a commit, or `latest`.
    """
    digest = hashlib.sha256(branch.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    slug = re.sub(r"[^a-z0-9]+", "-", branch.lower()).strip("-")
    if not slug:
        return f"branch-{digest}"
    if _TAKEN.match(slug):
        slug = f"branch-{slug}"
    if len(slug) > LONGEST:
        slug = f"{slug[:CUT]}-{digest}"
    return slug


def is_branch_tag(tag: str) -> bool:
    """Whether a branch could have this tag: no version, commit or foreign tag."""
    return len(tag) <= LONGEST and _BRANCH_TAG.fullmatch(tag) is not None


def is_commit_tag(tag: str) -> bool:
    """Whether this is the tag of some commit's own image."""
    return _COMMIT_TAG.fullmatch(tag) is not None


def commit_tag(commit: str) -> str:
    """Return the tag of a commit's own image."""
    return f"sha-{commit[:COMMIT_DIGITS]}"


def highest_release(
    git_tags: Iterable[str], published: Iterable[str] = ()
) -> Version | None:
    """Return the highest stable version, which is the one that `latest` belongs to.

    A version counts if its image was published, even if its git tag was deleted since:
    `latest` never moves back.
    """
    tags = {*git_tags, *(f"v{tag}" for tag in published)}
    versions = (Version.from_tag(tag) for tag in tags)
    return max((v for v in versions if v and v.stable), default=None)


def maintained_versions(git_tags: Iterable[str]) -> list[Version]:
    """List the highest stable version, and the newest of lines that hotfixes go to.

    `git_tags` come oldest first. A line, such as 1.2, gets hotfixes if one of its
    versions was made when there was a higher one; of those lines the newest few count.
    """
    highest: Version | None = None
    lines: dict[tuple[int, int], Version] = {}
    for version in map(Version.from_tag, git_tags):
        if version is None or not version.stable:
            continue
        if highest is None or version > highest:
            highest = version
        else:
            line = version.major, version.minor
            lines[line] = max(version, lines.get(line, version))
    if highest is None:
        return []
    lines.pop((highest.major, highest.minor), None)
    return [highest, *sorted(lines.values(), reverse=True)[:HOTFIX_LINES]]


def image_tags(
    ref: str,
    *,
    commit: str,
    image: str,
    all_tags: Iterable[str],
    published: Collection[str] | None = None,
    all_branches: Iterable[str] = (),
    holder: str | None = None,
    remote: str = "origin",
) -> ImageTags:
    """Plan the image tags of `refs/heads/…` or `refs/tags/v…`.

    `all_tags` are git's tags and `published` those of the registry, None if it was not
    asked; they decide on `latest`. `holder` is the branch that keeps an image tag which
    several of `all_branches` would get. Raises UsageError on a git tag that is no
    version, and Refusal on a branch whose image tag another one has.
    """
    if ref.startswith("refs/heads/"):
        branch = ref.removeprefix("refs/heads/")
        tag = branch_tag(branch)
        others = [] if branch == holder else rivals(branch, all_branches)
        if others:
            raise _shared(tag, branch, others, commit, holder=holder, remote=remote)
        own = ImageTag(tag, mutable=True, why=f"moves with branch {branch}")
        tags = (_first(commit), own)
        return ImageTags(ref, "branch", commit, image, None, tags)
    return _version_tags(ref, commit, image, all_tags=all_tags, published=published)


def _first(commit: str) -> ImageTag:
    return ImageTag(commit_tag(commit), mutable=False, why="the image of this commit")


def _version_tags(
    ref: str,
    commit: str,
    image: str,
    *,
    all_tags: Iterable[str],
    published: Collection[str] | None,
) -> ImageTags:
    version = Version.from_tag(ref.removeprefix("refs/tags/"))
    if version is None or not ref.startswith("refs/tags/"):
        member = _MEMBER_TAG.fullmatch(ref)
        why = f", because it is a version of {member[1]} alone" if member else ""
        raise UsageError(
            f"`{ref}` gets no image{why}; expected a branch or a tag like v1.2.0"
        )
    kind: Kind = "release" if version.stable else "prerelease"
    own = ImageTag(str(version), mutable=False, why=f"release {version.tag}")
    tags = [_first(commit), own]
    if version == highest_release({*all_tags, version.tag}, published or ()):
        doubt = " in git; the registry was not asked" if published is None else ""
        why = f"{version} is the highest stable version{doubt}"
        tags.append(replace(LATEST, why=why))
    return ImageTags(ref, kind, commit, image, str(version), tuple(tags))


def rivals(branch: str, all_branches: Iterable[str]) -> list[str]:
    """Return the other branches that get the same image tag."""
    tag = branch_tag(branch)
    return sorted(b for b in all_branches if b != branch and branch_tag(b) == tag)


def _shared(
    tag: str,
    branch: str,
    others: list[str],
    commit: str,
    *,
    holder: str | None,
    remote: str,
) -> Refusal:
    has = f", which {holder} has" if holder else ""
    return Refusal(
        rule="branch-tag",
        found=f"branches {branch} and {', '.join(others)} "
        f"both get image tag {tag}{has}",
        expected="one live branch for each image tag; the trunk, or the first, has it",
        fix=f"git push {remote} {commit}:refs/heads/{branch}-2 :refs/heads/{branch}",
    )
