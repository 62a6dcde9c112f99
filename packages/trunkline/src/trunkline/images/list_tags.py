"""`trunkline tags`: which image tags a ref gets, and why."""

import json as json_
import os
from collections.abc import Mapping
from dataclasses import asdict

from trunkline.errors import Refusal, UsageError
from trunkline.git import Repository
from trunkline.images.mutable_tags import published_tags
from trunkline.images.refs import find_ref
from trunkline.images.remote import Remote, read_remote, require_history
from trunkline.images.tags import ImageTags, image_tags
from trunkline.options import GITHUB_OUTPUT, JSON, command, option
from trunkline.output import write_outputs
from trunkline.process import ProcessError
from trunkline.project import head_project
from trunkline.registry.reference import shown_name
from trunkline.releases.pushed_tag import require_release
from trunkline.settings import Settings
from trunkline.versions import Version

_HEADS, _TAGS = "refs/heads/", "refs/tags/"


@command(
    option("ref", nargs="?", metavar="REF", help="default: the current branch"),
    JSON,
    GITHUB_OUTPUT,
)
def tags(ref: str | None, *, json: bool, github_output: bool) -> int:
    """Print the tags of a ref's image, the one of the commit first."""
    plan = plan_tags(Repository.find(), ref, os.environ)
    if github_output:
        names = [tag.name for tag in plan.tags]
        write_outputs(
            {
                "kind": plan.kind,
                "commit": plan.commit,
                "image": plan.image,
                "version": plan.version or "",
                "tag": names[-1] if plan.kind == "branch" else plan.version or "",
                "tags": " ".join(names),
            }
        )
    if json:
        print(json_.dumps(asdict(plan)))
        return 0
    print(f"{plan.ref} at {plan.commit[:12]}, image {plan.image}")
    width = max(len(tag.name) for tag in plan.tags)
    for tag in plan.tags:
        kind = "moves " if tag.mutable else "stays "
        print(f"  {tag.name:{width}}  {kind} {tag.why}")
    return 0


def plan_tags(
    repository: Repository, ref: str | None, environ: Mapping[str, str]
) -> ImageTags:
    """Plan the tags of a ref; of HEAD's branch if none is given.

    Raises Refusal in a shallow clone, for a tag that is no release, and for a branch
    whose image tag another live branch has.
    """
    settings = head_project(repository).settings
    require_history(repository, settings)
    name, commit = find_ref(repository, ref or _head(repository), settings.remote)
    there = _remote(repository, settings)
    published = None
    if Version.from_tag(name.removeprefix(_TAGS)):
        published = published_tags(settings, environ)
        if there:
            commit = require_release(repository, name)
    known = there or _local(repository)
    return image_tags(
        name,
        commit=commit,
        image=shown_name(settings, environ),
        all_branches=known.heads,
        all_tags=known.tags,
        published=published,
    )


def _head(repository: Repository) -> str | None:
    """Explain a detached HEAD with its version tag; None on a branch."""
    if repository.run("symbolic-ref", "-q", "HEAD").ok:
        return None
    here = repository.read("tag", "--points-at", "HEAD").splitlines()
    versions = [tag for tag in here if Version.from_tag(tag)]
    raise UsageError(
        f"HEAD is detached{f' at tag {versions[-1]}' if versions else ''}; expected a "
        "branch, or a ref as the argument\n"
        f"  type next: trunkline tags {versions[-1] if versions else 'REF'}"
    )


def _remote(repository: Repository, settings: Settings) -> Remote | None:
    """Read the remote; None if none is configured yet."""
    if not repository.run("config", f"remote.{settings.remote}.url").ok:
        return None
    try:
        return read_remote(repository, settings)
    except ProcessError as error:
        raise Refusal(
            rule="remote",
            found=f"{settings.remote} did not answer: {error}",
            expected="its branches and tags: they decide on `latest`",
            fix=f"git ls-remote {settings.remote}",
        ) from error


def _local(repository: Repository) -> Remote:
    refs = repository.refs(_HEADS, _TAGS)
    return Remote(
        {n.removeprefix(_HEADS): o for n, o in refs.items() if n.startswith(_HEADS)},
        {n.removeprefix(_TAGS): o for n, o in refs.items() if n.startswith(_TAGS)},
    )
