"""What a person names, as what is deployed: resolved once, when a deploy begins."""

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

ORIGIN = "refs/remotes/origin/"


def find_commit(
    repository: Repository, environment: Environment, ref: str
) -> Candidate:
    """Find the commit of a branch, tag or commit id in the repository."""
    tag = ref.removeprefix(TAGS)
    if environment.accepts == "releases":
        if not (Version.from_tag(tag) and repository.refs(f"{TAGS}{tag}")):
            raise _no_release(environment, ref)
        names = [f"{TAGS}{tag}"]
    else:
        names = [f"{HEADS}{ref}", f"{ORIGIN}{ref}", f"{TAGS}{ref}", ref]
        names += _branches_tagged(repository, ref)
    for name in names:
        if commit := repository.find_commit(name):
            return Candidate(shown(ref), commit)
    raise UsageError(
        f"`{shown(ref)}` is no branch, tag or commit here\n"
        "  type next: git fetch --tags  (then the same command)"
    )


def require_commit(found: Candidate, commit: str) -> Candidate:
    """Refuse a ref that moved since somebody chose it; any will do if none is named."""
    if found.commit.startswith(commit):
        return found
    raise Refusal(
        rule="ref-moved",
        found=f"{found.ref} is {found.commit[:12]} now",
        expected=commit[:12],
        fix="the same command without --commit  (if the newest is to be put on)",
    )


def _branches_tagged(repository: Repository, tag: str) -> list[str]:
    """Find the branch whose image has this tag, as `feat-login` is of `feat/login`."""
    return [
        name
        for folder in (HEADS, ORIGIN)
        for name in repository.refs(folder)
        if branch_tag(name.removeprefix(folder)) == tag
    ]


def find_image(
    registry: Registry, repository: Repository, environment: Environment, ref: str
) -> Candidate:
    """Find the image of a branch, a release or a commit, pinned by its digest.

    From here on the tag is not asked again: it may move at any moment.
    """
    version = image_version(ref)
    if environment.accepts == "releases" and version is None:
        raise _no_release(environment, ref)
    tag = str(version) if version else image_tag(ref)
    digest = registry.digest(tag)
    manifest = registry.manifest(digest) if digest else None
    if digest is None or manifest is None:
        raise Refusal(
            rule="image",
            found=f"no image {registry.name.at(tag)}",
            expected=f"what `trunkline publish` stores for {ref}",
            fix=f"trunkline publish {ref}",
        )
    commit = read_labels(registry, manifest).get(REVISION, "")
    if not commit:
        raise Refusal(
            rule="image-labels",
            found=f"{registry.name.at(tag)} without the label {REVISION}",
            expected="an image that names its commit, as `trunkline publish` builds it",
            fix=f"trunkline publish {ref}",
        )
    if version and environment.accepts == "releases":
        _require_unmoved(
            registry, repository, version, Candidate(shown(ref), commit, digest=digest)
        )
    return Candidate(shown(ref), commit, digest=digest)


def image_version(ref: str) -> Version | None:
    """Read `v1.2.0`, `1.2.0` or `refs/tags/v1.2.0`; None for anything else. Pure."""
    return Version.from_tag(f"v{ref.removeprefix(TAGS).removeprefix('v')}")


def image_tag(ref: str) -> str:
    """Return the tag of a branch's image, or of a commit's own. Pure."""
    return ref if is_commit_tag(ref) else branch_tag(ref.removeprefix(HEADS))


def _require_unmoved(
    registry: Registry, repository: Repository, version: Version, found: Candidate
) -> None:
    """Refuse a version that somebody pointed at another image than its commit's."""
    own = registry.digest(commit_tag(found.commit))
    if own not in {None, found.digest}:
        raise _moved(version, f"{commit_tag(found.commit)} is {own}", found.digest)
    tagged = repository.find_commit(f"{TAGS}{version.tag}")
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
