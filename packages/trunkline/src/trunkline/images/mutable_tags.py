"""Move mutable tags, re-checking until no concurrent job has moved them.

Jobs end in any order: that of an older push may well end last. So a mutable tag is not
set to what a job has just built, but to the image that the remote and the registry,
asked at that moment, say it should have.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from trunkline.errors import FailedError, Refusal
from trunkline.git import Repository
from trunkline.images.inventory import read_labels
from trunkline.images.labels import BRANCH, REVISION
from trunkline.images.remote import fetch_tips, read_remote
from trunkline.images.tags import (
    ImageTag,
    branch_tag,
    commit_tag,
    highest_release,
    rivals,
)
from trunkline.images.write_tags import TagChange, write_tags
from trunkline.registry.client import Registry
from trunkline.registry.manifests import Manifest
from trunkline.registry.transport import ONCE
from trunkline.settings import Settings

# Each round is another run that ended in the meantime.
ROUNDS = 20
# How many commits of a branch to search for one with an image.
SEARCH_DEPTH = 1000


@dataclass(frozen=True, slots=True)
class MutableTags:
    """The mutable tags of one repository, and the remote that decides on them.

    After every move the remote and the registry are asked again. Whoever writes last
    therefore sees everything that was written before, and corrects it.
    """

    repository: Repository
    registry: Registry
    settings: Settings

    def update(self, tag: ImageTag, *, branch: str | None, commit: str) -> TagChange:
        """Move the tag of a branch, or `latest` if `branch` is None."""
        first = self.registry.digest(tag.name)
        for _ in range(ROUNDS):
            found = self._tip(tag, branch, commit) if branch else self._latest()
            target, note = found
            image = self.registry.manifest(target) if target else None
            present = self.registry.digest(tag.name)
            if image is None or image.digest == present:
                return TagChange(tag, first, present, note)
            write_tags(self.registry, image, (tag,))
        raise FailedError(
            f"other runs have moved {self.registry.name.at(tag.name)} {ROUNDS} times\n"
            "  type next: the same command again"
        )

    def _latest(self) -> tuple[str | None, str]:
        """Return the tag of the image that `latest` should name, and a note."""
        remote = read_remote(self.repository, self.settings)
        version = latest_image(remote.tags, self.registry.tags())
        if version is None:
            return None, "waits for the image of a higher version"
        return version, f"{version} is the highest stable version"

    def _tip(self, tag: ImageTag, branch: str, commit: str) -> tuple[str | None, str]:
        """Return the tag of the image that a branch's tag should name, and a note."""
        tip = read_remote(self.repository, self.settings).heads.get(branch)
        if tip is None:
            return None, f"branch {branch} is gone from the remote"
        fetch_tips(self.repository, self.settings, {branch: tip})
        history = self.repository.read(
            "rev-list", "--first-parent", f"--max-count={SEARCH_DEPTH}", tip
        ).splitlines()
        present = self.registry.manifest(tag.name)
        candidates = (
            commit_of(self.registry, present) if present else None,
            commit,
            first_with_image(history, self.registry.tags()),
        )
        best = newest(candidates, tip=tip, contains=self._contains)
        if best is None:
            return None, f"{commit[:12]} is no longer on branch {branch}"
        note = "" if best == commit else f"{best[:12]} of branch {branch} is newer"
        return commit_tag(best), note

    def _contains(self, commit: str, other: str) -> bool:
        return commit == other or self.repository.is_ancestor(other, commit)


def latest_image(git_tags: Iterable[str], image_tags: Iterable[str]) -> str | None:
    """Choose the image tag for `latest`; None while the highest has no image yet."""
    published = set(image_tags)
    highest = highest_release(git_tags, published)
    return str(highest) if highest and str(highest) in published else None


def newest(
    candidates: Iterable[str | None], *, tip: str, contains: Callable[[str, str], bool]
) -> str | None:
    """Choose the commit for a branch's tag; None if the branch has no candidate.

    Of commits that are on the branch, a later candidate replaces an earlier one only
    if it contains it. `contains(a, b)` tells whether `a` has `b` in its history.
    """
    best: str | None = None
    for commit in candidates:
        if commit is None or not contains(tip, commit):
            continue
        if best is None or contains(commit, best):
            best = commit
    return best


def first_with_image(history: Sequence[str], tags: Iterable[str]) -> str | None:
    """Return the first commit of a history, newest first, that has an image."""
    present = set(tags)
    return next((commit for commit in history if commit_tag(commit) in present), None)


def commit_of(registry: Registry, manifest: Manifest) -> str | None:
    """Return the commit that an image was built from, if it says so."""
    return read_labels(registry, manifest).get(REVISION)


def holder_of(
    repository: Repository,
    registry: Registry,
    settings: Settings,
    *,
    branch: str,
    heads: Mapping[str, str],
) -> str | None:
    """Return which of the branches with one image tag keeps it; None if none has it.

    That is the trunk, or the branch whose commit the tag names by now.
    """
    sharing = [branch, *rivals(branch, heads)]
    if settings.trunk in sharing or not sharing[1:]:
        return settings.trunk if settings.trunk in sharing else branch
    image = registry.manifest(branch_tag(branch))
    if image is None:
        return None
    labels = read_labels(registry, image)
    tips = {name: heads[name] for name in sharing if name in heads}
    fetch_tips(repository, settings, tips)
    built = labels.get(REVISION, "")
    on = [it for it in tips if built and repository.is_ancestor(built, tips[it])]
    named = [it for it in on if len(on) == 1 or it == labels.get(BRANCH)]
    return named[0] if named else None


def is_published(
    settings: Settings, environ: Mapping[str, str], version: str, commit: str
) -> bool:
    """Whether the registry has a version's image, built from this commit."""

    def has_it(registry: Registry) -> bool:
        image = registry.manifest(version)
        return image is not None and commit_of(registry, image) == commit

    return ask_once(settings, environ, has_it, otherwise=False)


def published_tags(settings: Settings, environ: Mapping[str, str]) -> list[str] | None:
    """List the tags of the project's images; None if the registry does not answer."""
    return ask_once(settings, environ, Registry.tags, otherwise=None)


def ask_once[T](
    settings: Settings,
    environ: Mapping[str, str],
    ask: Callable[[Registry], T],
    *,
    otherwise: T,
) -> T:
    """Ask the registry what a plan can do without; `otherwise` if nothing answers."""
    try:
        with Registry(settings, environ, retry_policy=ONCE) as registry:
            return ask(registry)
    except (Refusal, FailedError):
        return otherwise
