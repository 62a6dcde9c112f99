"""Tags are pointers: decide where each goes, then move it without the engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from trunkline.errors import Refusal
from trunkline.images.manifests import Manifest
from trunkline.images.registry import Registry
from trunkline.images.tags import ImageTag

Action = Literal["create", "same", "move"]


@dataclass(frozen=True, slots=True)
class Pointer:
    """What happens to one tag; `before` is the digest that it has now."""

    tag: ImageTag
    action: Action
    before: str | None


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
        mend="release the next version: what was published stays what it is",
    )


def move_pointers(
    registry: Registry, manifest: Manifest, tags: Sequence[ImageTag]
) -> tuple[Pointer, ...]:
    """Point every tag at a manifest that the repository has, and read each back.

    Nothing is written unless the whole plan is allowed. Create-only tags come first,
    so that `latest` never names what has no version of its own.
    """
    raise NotImplementedError
