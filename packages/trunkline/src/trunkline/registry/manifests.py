"""Manifests: what a tag points to. Pure."""

import hashlib
import json
from collections.abc import Iterator
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


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a tag points to, without its content."""

    digest: str
    media_type: str

    @property
    def is_index(self) -> bool:
        """Whether it lists manifests, one for each platform, and their attestations."""
        return self.media_type in INDEXES


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index, byte for byte as the registry has it."""

    content: bytes
    media_type: str

    @cached_property
    def digest(self) -> str:
        """Its name: the SHA-256 of the bytes."""
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"

    @cached_property
    def document(self) -> dict[str, Any]:
        """Its content as JSON."""
        return cast("dict[str, Any]", json.loads(self.content))

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
    def nested(self) -> tuple[str, ...]:
        """Digests of those children that are indexes themselves."""
        return tuple(
            str(child["digest"])
            for child in self.document.get("manifests", [])
            if child.get("mediaType") in INDEXES
        )

    def blobs(self) -> Iterator[str]:
        """Yield the digests of a manifest's configuration and layers."""
        if config := self.document.get("config"):
            yield str(config["digest"])
        for layer in self.document.get("layers", []):
            yield str(layer["digest"])
