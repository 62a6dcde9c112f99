"""Write tags through the registry's API, without an engine, and read them back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trunkline.errors import Refusal
from trunkline.images.tags import ImageTag
from trunkline.locks import only_writer
from trunkline.registry.client import Registry
from trunkline.registry.manifests import Manifest
from trunkline.registry.responses import RegistryError


@dataclass(frozen=True, slots=True)
class TagChange:
    """The digest of a tag before and after a run, and why, if it was not written."""

    tag: ImageTag
    before: str | None
    after: str | None
    note: str = ""

    @property
    def action(self) -> Literal["create", "move", "same"]:
        """What happened to the tag."""
        if self.before == self.after:
            return "same"
        return "create" if self.before is None else "move"


def write_tags(
    registry: Registry, manifest: Manifest, tags: Sequence[ImageTag]
) -> tuple[TagChange, ...]:
    """Point every tag at a manifest that the repository has, and read each back.

    Raises Refusal before anything is written if a create-only tag has another digest.
    Create-only tags are written first, so that `latest` never names an image that has
    no version tag. A mutable tag that another run has moved on stays there: see
    `after`.
    """
    with only_writer(str(registry.name)):
        present = {tag: registry.digest(tag.name) for tag in tags}
        for tag, before in present.items():
            if before not in {None, manifest.digest} and not tag.mutable:
                raise create_only(tag, found=str(before), expected=manifest.digest)
        changes = {
            tag: TagChange(tag, present[tag], _write(registry, manifest, tag, before))
            for tag, before in sorted(present.items(), key=lambda one: one[0].mutable)
        }
    return tuple(changes[tag] for tag in tags)


def create_only(tag: ImageTag, *, found: str, expected: str) -> Refusal:
    """Refuse to move a tag that is created once."""
    return Refusal(
        rule="create-only",
        found=f"tag {tag.name} is {found}",
        expected=f"no such tag, or {expected}",
        fix="uv run trunkline release  (the next: a published version never changes)",
    )


def _write(
    registry: Registry, manifest: Manifest, tag: ImageTag, before: str | None
) -> str:
    """Write one tag; returns the digest that it has afterwards."""
    if before == manifest.digest:
        return before
    try:
        registry.put_manifest(tag.name, manifest, create_only=not tag.mutable)
    except RegistryError:
        # The tag may exist all the same: the response was lost, or the request was
        # refused because another run was faster.
        after = registry.digest(tag.name)
        if after is None or after == before:
            raise
    else:
        after = registry.digest(tag.name)
    if after is None:
        raise RegistryError(
            found=f"{registry.name.at(tag.name)} was written and is gone",
            fix="the same command again  (and find out who deletes tags there)",
        )
    if after != manifest.digest and not tag.mutable:
        raise create_only(tag, found=after, expected=manifest.digest)
    return after
