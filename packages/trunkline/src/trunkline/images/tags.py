"""Which image tags a git ref gets. Pure: a ref in, a plan out."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from trunkline.errors import Refusal, UsageError
from trunkline.versions import Version

Kind = Literal["branch", "release", "prerelease"]

COMMIT_DIGITS = 12
# A DNS label holds 63 characters, an image tag 128.
LONGEST = 63
CUT = 54
_MEMBER_TAG = re.compile(r"refs/tags/(.+)-v[0-9]+\.[0-9]+\.[0-9]+.*")
_TAKEN = re.compile(r"latest$|[0-9]|v[0-9]|sha-")


@dataclass(frozen=True, slots=True)
class ImageTag:
    """One tag: a mutable one moves with each push, another is created once."""

    name: str
    mutable: bool
    why: str


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

    Never equal to the tag of a release, of a commit or `latest`.
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


def image_tags(
    ref: str,
    *,
    commit: str,
    image: str,
    all_tags: Iterable[str],
    all_branches: Iterable[str] = (),
) -> ImageTags:
    """Plan the tags of `refs/heads/…` or `refs/tags/v…`; `all_tags` decides `latest`.

    Raises UsageError on a tag that is no version's, and Refusal on a branch of which
    another one in `all_branches` has the tag.
    """
    first = ImageTag(
        f"sha-{commit[:COMMIT_DIGITS]}", mutable=False, why="the image of this commit"
    )
    if ref.startswith("refs/heads/"):
        branch = ref.removeprefix("refs/heads/")
        tag = branch_tag(branch)
        _require_unshared(tag, branch, all_branches)
        pointer = ImageTag(tag, mutable=True, why=f"moves with branch {branch}")
        return ImageTags(ref, "branch", commit, image, None, (first, pointer))
    version = Version.from_tag(ref.removeprefix("refs/tags/"))
    if version is None or not ref.startswith("refs/tags/"):
        member = _MEMBER_TAG.fullmatch(ref)
        what = f", for it is a version of {member[1]} alone" if member else ""
        raise UsageError(
            f"`{ref}` gets no image{what}; expected a branch or a tag like v1.2.0"
        )
    kind: Kind = "release" if version.stable else "prerelease"
    tags = (first, *_release_tags(version, all_tags))
    return ImageTags(ref, kind, commit, image, str(version), tags)


def _require_unshared(tag: str, branch: str, all_branches: Iterable[str]) -> None:
    others = sorted(b for b in all_branches if b != branch and branch_tag(b) == tag)
    if others:
        raise Refusal(
            rule="branch-tag",
            found=f"branches {branch} and {', '.join(others)} both get image tag {tag}",
            expected="one live branch for each image tag",
            fix=f"git branch -m {branch} ANOTHER-NAME, and push that one",
        )


def _release_tags(version: Version, all_tags: Iterable[str]) -> tuple[ImageTag, ...]:
    own = ImageTag(str(version), mutable=False, why=f"release {version.tag}")
    if not version.stable:
        return (own,)
    versions = (Version.from_tag(tag) for tag in all_tags)
    highest = max((v for v in versions if v and v.stable), default=version)
    if version < highest:
        return (own,)
    why = f"{version} is the highest stable version"
    return (own, ImageTag("latest", mutable=True, why=why))
