"""`trunkline tags`: which image tags a ref gets, and why."""

import json as json_
import os
from collections.abc import Mapping
from dataclasses import asdict

from trunkline.errors import UsageError
from trunkline.git import HEADS, TAGS, Repository
from trunkline.images.mutable_tags import ask_once, holder_of, published_tags
from trunkline.images.refs import find_ref
from trunkline.images.remote import Remote, read_remote
from trunkline.images.tags import ImageTags, branch_tag, image_tags, maintained_versions
from trunkline.options import GITHUB_OUTPUT, JSON, command, option, switch
from trunkline.output import write_outputs
from trunkline.project import head_project
from trunkline.registry.client import Registry
from trunkline.registry.reference import shown_name
from trunkline.releases.pushed_tag import require_release
from trunkline.versions import Version


@command(
    option("ref", nargs="?", metavar="REF", help="default: the current branch"),
    switch(
        "--maintained",
        "list those of the trunk, the latest version and hotfix lines instead",
    ),
    JSON,
    GITHUB_OUTPUT,
)
def tags(ref: str | None, *, maintained: bool, json: bool, github_output: bool) -> int:
    """Print the tags of a ref's image, the one of the commit first."""
    if maintained:
        if ref:
            raise UsageError(f"--maintained is about all versions; leave out {ref}")
        repository = Repository.find()
        settings = head_project(repository).settings
        repository.require_history(settings.remote)
        dated = ("--sort=creatordate", "--format=%(refname:short)", f"{TAGS}v*")
        found = maintained_versions(repository.read("for-each-ref", *dated).split())
        names = [branch_tag(settings.trunk), *map(str, found)]
        if github_output:
            write_outputs({"maintained": json_.dumps(names)})
        print(json_.dumps(names) if json else "\n".join(names))
        return 0
    plan = plan_tags(Repository.find(), ref, os.environ)
    if github_output:
        names = [tag.name for tag in plan.tags]
        same = ("kind", "commit", "image", "version")
        values = {name: str(getattr(plan, name) or "") for name in same}
        own = names[-1] if plan.kind == "branch" else values["version"]
        write_outputs({**values, "tag": own, "tags": " ".join(names)})
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
    """Plan the tags of a ref; of HEAD's branch if none is given."""
    settings = head_project(repository).settings
    repository.require_history(settings.remote)
    name, commit = find_ref(repository, ref, settings.remote)
    has_remote = repository.run("config", f"remote.{settings.remote}.url").ok
    published = None
    known = (
        read_remote(repository, settings)
        if has_remote
        else Remote.of(repository.refs(HEADS, TAGS))
    )
    if Version.from_tag(name.removeprefix(TAGS)):
        published = published_tags(settings, environ)
        if has_remote:
            commit = require_release(repository, name)
    branch, heads = name.removeprefix(HEADS), known.heads
    # Without the registry, only the trunk is known to keep a shared tag.
    alone = branch if branch == settings.trunk else None

    def holder(registry: Registry) -> str | None:
        return holder_of(repository, registry, settings, branch=branch, heads=heads)

    return image_tags(
        name,
        commit=commit,
        image=shown_name(settings, environ),
        all_branches=heads,
        all_tags=known.tags,
        published=published,
        holder=ask_once(settings, environ, holder, otherwise=alone),
        remote=settings.remote,
    )
