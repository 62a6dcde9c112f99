"""Read everything that a repository of images contains."""

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from trunkline.errors import Refusal
from trunkline.images.labels import BRANCH, CREATED
from trunkline.images.retention import Holdings
from trunkline.registry.client import Registry
from trunkline.registry.manifests import INDEXES, MALFORMED, Manifest

# Concurrent requests: a distant registry takes 50 ms for each.
_AT_ONCE = 8


def read_tags(registry: Registry) -> dict[str, tuple[str, bool]]:
    """Return the digest of every tag, and whether it is that of an index."""
    names = registry.tags()
    found = zip(names, _each(registry.look, names), strict=True)
    # A tag may be deleted after it was listed.
    return {name: (one[0], one[1] in INDEXES) for name, one in found if one}


def read_holdings(
    registry: Registry,
    tags: Mapping[str, tuple[str, bool]],
    in_question: Callable[[Mapping[str, str]], set[str]],
) -> Holdings:
    """Read the indexes, and the images whose age decides."""
    digests = {tag: digest for tag, (digest, _) in tags.items()}
    asked = in_question(digests)
    indexes = {digest for digest, is_index in tags.values() if is_index}
    found = _each(registry.manifest, sorted(indexes | asked))
    manifests = {manifest.digest: manifest for manifest in found if manifest}
    if nested := [digest for digest, one in manifests.items() if one.is_nested]:
        raise Refusal(
            rule="nested-index",
            found=f"{registry.name.at(nested[0])}, an index that lists another index",
            expected="indexes of images, as `trunkline publish` writes them",
            fix=f"docker buildx imagetools inspect {registry.name.at(nested[0])}",
        )
    children = {d: manifests[d].children for d in indexes if d in manifests}
    images = [manifests[digest] for digest in asked if digest in manifests]
    made = zip(
        images, _each(lambda image: made_at(registry, image), images), strict=True
    )
    return Holdings(digests, children, {m.digest: when for m, when in made if when})


def made_at(registry: Registry, manifest: Manifest) -> datetime | None:
    """Return the time of an image's commit; None if trunkline did not publish it."""
    labels = read_labels(registry, manifest)
    if BRANCH not in labels:
        return None
    try:
        made = datetime.fromisoformat(labels.get(CREATED, ""))
    except ValueError:
        return None
    return made if made.tzinfo else None


def read_labels(registry: Registry, manifest: Manifest) -> Mapping[str, str]:
    """Return the labels of an image; an index may have them as annotations."""
    annotations = manifest.document.get("annotations") or {}
    if BRANCH in annotations:
        return {name: str(value) for name, value in annotations.items()}
    if manifest.is_index:
        first = next(iter(manifest.children), None)
        child = registry.manifest(first) if first else None
        return read_labels(registry, child) if child else {}
    config = next(manifest.blobs(), None)
    content = registry.blob(config) if config else b"{}"
    try:
        labels = (json.loads(content).get("config") or {}).get("Labels") or {}
        return {name: str(value) for name, value in labels.items()}
    except MALFORMED:  # It is no image, but something that is stored like one.
        return {}


def _each[A, B](ask: Callable[[A], B], items: Iterable[A]) -> list[B]:
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(ask, items))
