"""Move the pointers that others move, too, until all agree on where they stand."""

import json
from dataclasses import dataclass

from trunkline.errors import FailedError
from trunkline.git import Repository
from trunkline.images.labels import revision_of
from trunkline.images.pointers import move_pointers
from trunkline.images.remote import fetch_commit, read_remote
from trunkline.images.succession import commit_tag, first_with_image, latest, newest
from trunkline.images.tags import ImageTag
from trunkline.registry.client import Registry
from trunkline.registry.manifests import Manifest
from trunkline.settings import Settings

# Each round is a run of somebody else that ended meanwhile.
ROUNDS = 20
# How far back on a branch to look for a commit with an image.
LINE = 1000


@dataclass(frozen=True, slots=True)
class Settled:
    """Where a pointer stands in the end, and why, if that is not what was asked for."""

    tag: ImageTag
    before: str | None
    after: str | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a pointer should name: a tag of the registry, or nothing, and why."""

    reference: str | None
    note: str = ""


class Pointers:
    """The mutable tags of one repository, and the remote that decides on them.

    After every move the remote and the registry are asked again. Whoever writes last
    therefore sees everything that was written before, and sets it right.
    """

    def __init__(
        self, repository: Repository, registry: Registry, settings: Settings
    ) -> None:
        self.repository = repository
        self.registry = registry
        self.settings = settings

    def settle(self, tag: ImageTag, *, branch: str | None, commit: str) -> Settled:
        """Move the pointer of a branch, or `latest` where `branch` is None."""
        first = self.registry.digest(tag.name)
        for _ in range(ROUNDS):
            wanted = self.wanted(tag, branch=branch, commit=commit)
            found = wanted.reference and self.registry.manifest(wanted.reference)
            present = self.registry.digest(tag.name)
            if not found or found.digest == present:
                return Settled(tag, first, present, wanted.note)
            move_pointers(self.registry, found, (tag,))
        raise FailedError(
            f"{self.registry.name.at(tag.name)} was moved by somebody else {ROUNDS} "
            "times\n  type next: the same command again"
        )

    def wanted(self, tag: ImageTag, *, branch: str | None, commit: str) -> Wanted:
        """Ask which image a pointer belongs to at this moment."""
        if branch is not None:
            return self._wanted_by_branch(tag, branch, commit)
        remote = read_remote(self.repository, self.settings)
        version = latest(remote.tags, self.registry.tags())
        if version is None:
            return Wanted(None, "waits for the image of a higher version")
        return Wanted(version, f"{version} is the highest stable version")

    def _wanted_by_branch(self, tag: ImageTag, branch: str, commit: str) -> Wanted:
        tip = read_remote(self.repository, self.settings).heads.get(branch)
        if tip is None:
            return Wanted(None, f"branch {branch} is gone from the remote")
        fetch_commit(self.repository, self.settings, branch=branch, tip=tip)
        line = self.repository.read(
            "rev-list", "--first-parent", f"--max-count={LINE}", tip
        ).splitlines()
        pointed = self.registry.manifest(tag.name)
        candidates = (
            revision(self.registry, pointed) if pointed else None,
            commit,
            first_with_image(line, self.registry.tags()),
        )
        best = newest(candidates, tip=tip, contains=self._contains)
        if best is None:
            return Wanted(None, f"{commit[:12]} is no longer on branch {branch}")
        note = "" if best == commit else f"{best[:12]} of branch {branch} is newer"
        return Wanted(commit_tag(best), note)

    def _contains(self, commit: str, other: str) -> bool:
        return commit == other or self.repository.is_ancestor(other, commit)


def revision(registry: Registry, manifest: Manifest) -> str | None:
    """Return the commit that an image was built from, if it says so."""
    found = revision_of(manifest.document.get("annotations") or {})
    if found or not manifest.children:
        return found or _labelled(registry, manifest)
    child = registry.manifest(manifest.children[0])
    return _labelled(registry, child) if child else None


def _labelled(registry: Registry, manifest: Manifest) -> str | None:
    config = json.loads(registry.blob(next(manifest.blobs())))
    return revision_of((config.get("config") or {}).get("Labels") or {})
