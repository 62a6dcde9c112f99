"""Resolve what a person names to what is deployed: once, when a deploy begins."""

import re
from collections.abc import Mapping
from shlex import quote

from trunkline.commits.conventional import shown
from trunkline.deploy.environments import Environment
from trunkline.deploy.operation import Candidate
from trunkline.errors import Refusal, UsageError
from trunkline.git import HEADS, TAGS, Repository
from trunkline.images.inventory import read_labels
from trunkline.images.labels import REVISION
from trunkline.images.tags import branch_tag, commit_tag, is_commit_tag
from trunkline.registry.client import Registry
from trunkline.versions import Version

_COMMIT = re.compile("[0-9a-f]{7,64}")


def find_branches(repository: Repository, remote: str) -> dict[str, str]:
    """Map each branch to its local or remote ref, whichever is newer.

    `git fetch` moves only the remote one.
    """
    folder = f"refs/remotes/{remote}/"
    here, there = repository.refs(HEADS), repository.refs(folder)
    found = {name.removeprefix(HEADS): name for name in here}
    for name, commit in there.items():
        branch = name.removeprefix(folder)
        own = here.get(f"{HEADS}{branch}")
        if own is None or (own != commit and _newer(repository, own, commit) == commit):
            found[branch] = name
    found.pop("HEAD", None)
    return found


def _newer(repository: Repository, one: str, other: str) -> str:
    """Return the descendant of two commits, or else the one committed later."""
    between = f"{one}...{other}"
    return repository.read("rev-list", "--date-order", "--max-count=1", between)


def find_commit(
    repository: Repository,
    environment: Environment,
    ref: str,
    *,
    remote: str = "origin",
) -> Candidate:
    """Find the commit of a branch, tag or commit id in the repository."""
    tag = ref.removeprefix(TAGS)
    if environment.accepts == "releases":
        if not (Version.from_tag(tag) and repository.refs(f"{TAGS}{tag}")):
            raise _no_release(environment, ref)
        names = [f"{TAGS}{tag}"]
    else:
        branches = find_branches(repository, remote)
        names = [branches.get(ref, ""), f"{TAGS}{ref}", ref]
        names += _tagged(branches, ref)
    for name in names:
        if commit := repository.find_commit(name):
            return _candidate(ref, commit)
    raise UsageError(
        f"`{shown(ref)}` is no branch, tag or commit here\n"
        "  type next: git fetch --tags  (then the same command)"
    )


def _tagged(branches: Mapping[str, str], tag: str) -> list[str]:
    """Return the ref of the branch with an image tag, such as feat-login."""
    found = {name: ref for name, ref in branches.items() if branch_tag(name) == tag}
    if len(found) > 1 and tag not in found:
        raise UsageError(
            f"`{tag}` is the tag of {' and of '.join(map(shown, sorted(found)))}\n"
            "  type next: the same command with one of those names"
        )
    return [*found.values()]


def _candidate(ref: str, commit: str, digest: str = "") -> Candidate:
    """Create a candidate; its branch has one spelling, which names its database."""
    return Candidate(shown(ref.removeprefix(HEADS)), commit, digest=digest)


def require_commit(found: Candidate, commit: str) -> Candidate:
    """Refuse a ref that moved since somebody chose it; an empty commit allows any."""
    if found.commit.startswith(commit):
        return found
    raise Refusal(
        rule="ref-moved",
        found=f"{found.ref} is {found.commit[:12]} now",
        expected=commit[:12],
        fix="the same command without --commit  (if the newest is to be put on)",
    )


def find_image(
    registry: Registry, repository: Repository, environment: Environment, ref: str
) -> Candidate:
    """Find the image of a branch, release or commit, and pin its digest.

    The tag is not read again, because it may move at any moment.
    """
    version = image_version(ref)
    if environment.accepts == "releases" and version is None:
        raise _no_release(environment, ref)
    tag = str(version) if version else image_tag(ref)
    digest = registry.digest(tag)
    if digest is None and _COMMIT.fullmatch(ref):
        tag = commit_tag(repository.find_commit(ref) or ref)
        digest = registry.digest(tag)
    manifest = registry.manifest(digest) if digest else None
    if digest is None or manifest is None:
        raise Refusal(
            rule="image",
            found=f"no image {registry.name.at(tag)}",
            expected=f"what `trunkline publish` stores for {shown(ref)}",
            fix=f"uv run trunkline publish {quote(shown(ref))}",
        )
    commit = read_labels(registry, manifest).get(REVISION, "")
    if not _COMMIT.fullmatch(commit):
        raise Refusal(
            rule="image-labels",
            found=f"{registry.name.at(tag)} with {shown(commit) or 'no label'} as its "
            f"{REVISION}",
            expected="an image that names its commit, as `trunkline publish` builds it",
            fix=f"uv run trunkline publish {quote(shown(ref))}",
        )
    found = _candidate(ref, commit, digest)
    if version and environment.accepts == "releases":
        _require_unmoved(registry, repository, version, found)
    return found


def image_version(ref: str) -> Version | None:
    """Read `v1.2.0`, `1.2.0` or `refs/tags/v1.2.0`; None for anything else. Pure."""
    return Version.from_tag(f"v{ref.removeprefix(TAGS).removeprefix('v')}")


def image_tag(ref: str) -> str:
    """Return the tag of a branch's image, or of a commit's own. Pure."""
    return ref if is_commit_tag(ref) else branch_tag(ref.removeprefix(HEADS))


def _require_unmoved(
    registry: Registry, repository: Repository, version: Version, found: Candidate
) -> None:
    """Refuse a version whose tag was moved, in git or in the registry."""
    own = registry.digest(commit_tag(found.commit))
    tagged = repository.find_commit(f"{TAGS}{version.tag}")
    if own is None and tagged is None:
        raise Refusal(
            rule="create-only",
            found=f"image {version} of {found.commit[:12]}, which nothing confirms",
            expected=f"the tag {version.tag} here, or {commit_tag(found.commit)} there",
            fix="git fetch --tags  (then the same command)",
        )
    if own not in {None, found.digest}:
        raise _moved(version, f"{commit_tag(found.commit)} is {own}", found.digest)
    if tagged and tagged != found.commit:
        raise _moved(version, f"its image is of {found.commit[:12]}", tagged[:12])


def _moved(version: Version, found: str, expected: str) -> Refusal:
    return Refusal(
        rule="create-only",
        found=f"{version.tag} was moved in the registry: {found}",
        expected=expected,
        fix="uv run trunkline release  (a published version never changes: release the "
        "next one)",
    )


def _no_release(environment: Environment, ref: str) -> Refusal:
    return Refusal(
        rule="releases-only",
        found=f"`{shown(ref)}`, which is no tag of a version",
        expected=f"a release such as v1.2.0: {environment.name} accepts no other",
        fix="git tag --list 'v*'",
    )
