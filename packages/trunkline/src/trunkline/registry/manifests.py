"""Manifests: what a tag points to. Pure."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
MEDIA_TYPES = (OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST)


# What reading JSON of an unexpected shape raises.
MALFORMED = (ValueError, LookupError, TypeError, AttributeError, RecursionError)

type Document = dict[str, Any]


def digest_of(content: bytes) -> str:
    """Return the name of a blob or a manifest."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(content: bytes, media_type: str) -> Document:
    """Describe a blob or a manifest, as a manifest that lists it does."""
    digest = digest_of(content)
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def canonical(document: Any) -> bytes:  # noqa: ANN401 - whatever JSON can hold
    """Write JSON that is the same for the same content."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def no_machine(config: Document, layers: list[str]) -> Document:
    """Write the configuration of an image that no machine runs."""
    unknown = {"architecture": "unknown", "os": "unknown", "config": config}
    return unknown | {"rootfs": {"type": "layers", "diff_ids": layers}}


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index, byte for byte as the registry has it."""

    content: bytes
    media_type: str

    @cached_property
    def digest(self) -> str:
        """Its name: the SHA-256 of the bytes."""
        return digest_of(self.content)

    @cached_property
    def document(self) -> Document:
        """Its content as JSON."""
        return cast("Document", json.loads(self.content))

    @property
    def readable(self) -> bool:
        """Whether its content is JSON of the form that is read here."""
        try:
            dict(self.document.get("annotations") or {})
            return all([*self.children, *self.blobs()])
        except MALFORMED:
            return False

    @property
    def is_index(self) -> bool:
        """Whether it lists manifests, one for each platform, and their attestations."""
        return self.media_type in INDEXES

    @property
    def children(self) -> tuple[str, ...]:
        """Digests of the manifests that an index lists; empty for a manifest."""
        return tuple(
            str(child["digest"]) for child in self.document.get("manifests", [])
        )

    @property
    def is_nested(self) -> bool:
        """Whether it is an index that lists another index."""
        children = self.document.get("manifests", [])
        return any(child.get("mediaType") in INDEXES for child in children)

    @classmethod
    def of(cls, config: Document, layers: Sequence[Document] = ()) -> "Manifest":
        """Write the manifest of an image; takes the descriptors of its blobs."""
        document = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": config,
            "layers": list(layers),
        }
        return cls(canonical(document), OCI_MANIFEST)

    def blobs(self) -> Iterator[str]:
        """Yield the digests of a manifest's configuration and layers."""
        if config := self.document.get("config"):
            yield str(config["digest"])
        for layer in self.document.get("layers", []):
            yield str(layer["digest"])
