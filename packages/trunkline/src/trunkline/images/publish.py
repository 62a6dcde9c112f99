"""`trunkline publish`: one image for the commit of a ref, and its tags."""

import json as json_
import os
from dataclasses import asdict, dataclass

from trunkline.commits.history import resolve
from trunkline.git import HEADS, Repository
from trunkline.images.build_image import push, tested_image
from trunkline.images.labels import home_branch
from trunkline.images.layer_cache import LayerCache, read_only_cache
from trunkline.images.mutable_tags import MutableTags, commit_of, holder_of
from trunkline.images.refs import find_ref
from trunkline.images.remote import Remote, on_branch, read_remote, require_pushed
from trunkline.images.scan import scan_built, scan_stored
from trunkline.images.tags import LATEST, ImageTags, image_tags
from trunkline.images.write_tags import TagChange, create_only, write_tags
from trunkline.options import DRY_RUN, GITHUB_OUTPUT, JSON, command, option, switch
from trunkline.output import say, write_outputs
from trunkline.project import HOTFIX_PREFIX, Project, head_project, project_at
from trunkline.registry.client import Registry
from trunkline.registry.manifests import Manifest
from trunkline.registry.reference import shown_name
from trunkline.releases.pushed_tag import require_release
from trunkline.signals import interrupted_by_signals


@dataclass(frozen=True, slots=True)
class Publication:
    """A ref to publish, with everything that was looked up for it."""

    repository: Repository
    registry: Registry
    project: Project
    plan: ImageTags
    remote: Remote
    # Whether an image that could not be scanned is refused.
    strict: bool
    # Whether layers are shared between runners.
    cached: bool

    @property
    def branch(self) -> str | None:
        """The branch that is published; None for a version."""
        ref = self.plan.ref
        return ref.removeprefix(HEADS) if ref.startswith(HEADS) else None


@command(
    option("ref", nargs="?", metavar="REF", help="default: the current branch"),
    DRY_RUN,
    JSON,
    switch("--no-push", "build and test only, without a registry"),
    switch("--strict", "refuse an image that could not be scanned, as in CI"),
    switch("--cache", "share layers through the registry, which the trunk adds to"),
    GITHUB_OUTPUT,
)
def publish(
    ref: str | None,
    *,
    dry_run: bool,
    json: bool,
    github_output: bool = False,
    no_push: bool = False,
    strict: bool = False,
    cache: bool = False,
) -> int:
    """Publish the image of a ref's commit; running it again changes nothing."""
    with interrupted_by_signals():
        repository = Repository.find()
        if no_push:
            options = {"dry_run": dry_run, "strict": strict, "cached": cache}
            report = try_out(repository, ref, **options)
        else:
            publication = survey(repository, ref, strict=strict, cached=cache)
            with publication.registry:
                report = _run(publication, dry_run=dry_run)
    if json:
        print(json_.dumps(report))
    if github_output:
        names = ("image", "commit", "digest", "version")
        values = {name: str(report[name] or "") for name in names}
        write_outputs({**values, "built": "true" if report["built"] else "false"})
    return 0


def try_out(
    repository: Repository,
    ref: str | None,
    *,
    dry_run: bool,
    strict: bool,
    cached: bool,
) -> dict[str, object]:
    """Build and test the image of any commit, and keep nothing.

    A pull request's merge is on no branch and has no registry, but it has an image.
    """
    commit = resolve(repository, ref or "HEAD")
    project = project_at(repository, commit)
    image = shown_name(project.settings, os.environ)
    say(f"build and test {commit[:12]}, push nothing")
    digest = None
    if not dry_run:
        with (
            read_only_cache(project.settings, os.environ, wanted=cached) as cache,
            tested_image(
                repository,
                commit=commit,
                branch=ref or "unknown",
                project=project,
                cache=cache,
            ) as (made, _),
        ):
            scan_built(made, project.settings, strict=strict, release=False)
            digest = made[0].manifest.digest
        say(f"  green    {digest}")
    return {
        "ref": ref,
        "commit": commit,
        "image": image,
        "version": None,
        "digest": digest,
        "built": not dry_run,
        "tags": [],
    }


def survey(
    repository: Repository, ref: str | None, *, strict: bool, cached: bool
) -> Publication:
    """Look everything up, and refuse what may not be published."""
    settings = head_project(repository).settings
    name, commit = find_ref(repository, ref, settings.remote)
    project = project_at(repository, commit)
    repository.require_history(settings.remote)
    registry = Registry(settings, os.environ)
    published: list[str] = []
    if name.startswith("refs/tags/"):
        commit = require_release(repository, name)
        published = registry.tags()
    remote, branch = read_remote(repository, settings), name.removeprefix(HEADS)
    heads = remote.heads
    plan = image_tags(
        name,
        commit=commit,
        image=str(registry.name),
        all_branches=heads,
        all_tags=remote.tags,
        published=published,
        holder=holder_of(repository, registry, settings, branch=branch, heads=heads),
        remote=settings.remote,
    )
    if plan.kind == "branch":
        require_pushed(
            repository, settings, branch=branch, commit=commit, remote=remote
        )
    return Publication(repository, registry, project, plan, remote, strict, cached)


def _run(publication: Publication, *, dry_run: bool) -> dict[str, object]:
    plan, registry = publication.plan, publication.registry
    say(f"publish {plan.ref} at {plan.commit[:12]} to {registry.name}")
    found = find_image(registry, plan)
    if found:
        say(f"  found    {found.digest}, nothing is built")
    else:
        say(f"  build    {plan.tags[0].name} is not there yet")
    if dry_run:
        present = {tag.name: registry.digest(tag.name) for tag in plan.tags}
        for tag in plan.tags:
            say(f"  tag      {tag.name}: {tag.why}")
        return _report(plan, found, built=False, ends=present)
    if found:
        _scan_found(publication, found)
    manifest = found or _make(publication)
    changes = point(publication, manifest)
    for change in changes:
        say(_line(change, manifest))
    ends = {change.tag.name: change.after for change in changes}
    return _report(plan, manifest, built=found is None, ends=ends)


def find_image(registry: Registry, plan: ImageTags) -> Manifest | None:
    """Find the commit's image by its own tag, or by another if that was deleted."""
    own, *others = plan.tags
    if found := registry.manifest(own.name):
        return found
    for tag in others:
        found = registry.manifest(tag.name)
        built_from = commit_of(registry, found) if found else None
        if found and built_from == plan.commit:
            return found
        if found and not tag.mutable:
            raise create_only(
                tag,
                found=f"{found.digest}, of commit {(built_from or 'unknown')[:12]}",
                expected=f"the image of {plan.commit[:12]}",
            )
    return None


def _scan_found(publication: Publication, found: Manifest) -> None:
    """Scan the image of a branch again before it becomes that of a version.

    A version that has its image is left alone: what became known since changes nothing.
    """
    plan, registry = publication.plan, publication.registry
    fixed = [tag.name for tag in plan.tags if not tag.mutable]
    if plan.kind != "branch" and not all(map(registry.digest, fixed)):
        settings, strict = publication.project.settings, publication.strict
        scan_stored(registry.name, found.digest, settings, strict=strict)


def _make(publication: Publication) -> Manifest:
    """Build the image; if another run was faster, use its image."""
    plan, settings = publication.plan, publication.project.settings
    heads, trunk = publication.remote.heads, settings.trunk
    branch = home_branch(
        plan.commit,
        trunk=trunk,
        on_trunk=on_branch(
            publication.repository, settings, plan.commit, heads.get(trunk), trunk
        ),
        heads=heads,
        other=publication.branch or f"{HOTFIX_PREFIX}v{plan.version}",
    )
    writes = publication.branch == trunk
    cache = LayerCache(publication.registry, settings, writes=writes)
    with tested_image(
        publication.repository,
        commit=plan.commit,
        branch=branch,
        project=publication.project,
        cache=cache if publication.cached else None,
    ) as (images, source):
        release = plan.kind != "branch"
        scan_built(images, settings, strict=publication.strict, release=release)
        made = push(publication.registry, images, source, settings)
    faster = publication.registry.manifest(plan.tags[0].name)
    if faster and faster.digest != made.digest:
        say(f"  found    {faster.digest}, which another run pushed in the meantime")
        return faster
    return made


def point(publication: Publication, manifest: Manifest) -> list[TagChange]:
    """Create the tags that never change, then move the one that does."""
    plan, registry = publication.plan, publication.registry
    fixed = [tag for tag in plan.tags if not tag.mutable]
    # Every release moves `latest` to where it belongs, not only the highest one.
    mutable = LATEST if plan.kind == "release" else plan.tags[-1]
    changes = list(write_tags(registry, manifest, fixed))
    if mutable.mutable:
        settings, branch = publication.project.settings, publication.branch
        tags = MutableTags(publication.repository, registry, settings)
        changes.append(tags.update(mutable, branch=branch, commit=plan.commit))
    return changes


def _line(change: TagChange, manifest: Manifest) -> str:
    if change.after != manifest.digest:
        return f"  left     {change.tag.name}: {change.note or 'moved by another run'}"
    if change.action == "same":
        return f"  same     {change.tag.name}"
    return f"  {change.action:8} {change.tag.name} to {manifest.digest}"


def _report(
    plan: ImageTags,
    manifest: Manifest | None,
    *,
    built: bool,
    ends: dict[str, str | None],
) -> dict[str, object]:
    document = asdict(plan)
    for tag in document["tags"]:
        tag["digest"] = ends.get(tag["name"])
    digest = manifest.digest if manifest else None
    return {**document, "digest": digest, "built": built}
