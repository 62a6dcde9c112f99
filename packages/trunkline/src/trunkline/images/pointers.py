"""Tags are pointers: decide where each goes, then move it without the engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from trunkline.errors import Refusal
from trunkline.images.tags import ImageTag
from trunkline.locks import only_writer
from trunkline.registry.client import Registry
from trunkline.registry.manifests import Manifest
from trunkline.registry.responses import RegistryError

Action = Literal["create", "same", "move"]


@dataclass(frozen=True, slots=True)
class Pointer:
    """What happens to one tag: its digest before, and after it was read back."""

    tag: ImageTag
    action: Action
    before: str | None
    after: str | None = None


def plan_pointers(
    tags: Sequence[ImageTag], *, digest: str, present: Mapping[str, str | None]
) -> tuple[Pointer, ...]:
    """Decide for every tag; `present` has the digest of each, None for no such tag.

    Raises Refusal on a create-only tag that has another digest.
    """
    pointers = []
    for tag in tags:
        before = present[tag.name]
        if before is not None and before != digest and not tag.mutable:
            raise taken(tag, before=before, digest=digest)
        action: Action = "create" if before is None else "move"
        pointers.append(Pointer(tag, "same" if before == digest else action, before))
    return tuple(pointers)


def taken(tag: ImageTag, *, before: str, digest: str) -> Refusal:
    """Refuse to move a tag that is created once."""
    return Refusal(
        rule="create-only",
        found=f"tag {tag.name} is {before}",
        expected=f"no such tag, or {digest}",
        fix="release the next version: what was published stays what it is",
    )


def move_pointers(
    registry: Registry, manifest: Manifest, tags: Sequence[ImageTag]
) -> tuple[Pointer, ...]:
    """Point every tag at a manifest that the repository has, and read each back.

    Nothing is written unless the whole plan is allowed. Create-only tags come first,
    so that `latest` never names what has no version of its own. What another run has
    moved on at the same time is left there: see `after`.
    """
    with only_writer(str(registry.name)):
        present = {tag.name: registry.digest(tag.name) for tag in tags}
        plan = plan_pointers(tags, digest=manifest.digest, present=present)
        moved = {
            pointer.tag.name: _point(registry, manifest, pointer)
            for pointer in sorted(plan, key=lambda pointer: pointer.tag.mutable)
        }
    return tuple(moved[tag.name] for tag in tags)


def _point(registry: Registry, manifest: Manifest, pointer: Pointer) -> Pointer:
    tag = pointer.tag
    if pointer.action == "same":
        return replace(pointer, after=pointer.before)
    try:
        registry.put_manifest(tag.name, manifest, create_only=not tag.mutable)
    except RegistryError:
        # The tag may stand all the same: only the answer was lost, or it was refused
        # because somebody else was faster.
        after = registry.digest(tag.name)
        if after is None or after == pointer.before:
            raise
    else:
        after = registry.digest(tag.name)
    if after is None:
        raise RegistryError(
            found=f"{registry.name.at(tag.name)} was written and is gone",
            fix="the same command again; and see who deletes tags there",
        )
    if after != manifest.digest and not tag.mutable:
        raise taken(tag, before=after, digest=manifest.digest)
    return replace(pointer, after=after)
