"""One repository of images in a registry, by the OCI distribution API."""

from collections.abc import Collection, Mapping
from typing import BinaryIO, Self

from trunkline.images.manifests import Manifest
from trunkline.images.reference import ImageName


class Registry:
    """Read and write one repository. Every method raises RegistryError on an answer
    other than "found" or "not found".
    """

    def __init__(self, name: ImageName) -> None:
        self.name = name

    @classmethod
    def connect(
        cls,
        name: ImageName,
        *,
        environ: Mapping[str, str],
        insecure: Collection[str] = (),
        timeout: float = 60,
    ) -> Self:
        """Prepare the connection; nothing is sent yet.

        `insecure` names registries that are asked by plain http, as those on this
        machine are.
        """
        raise NotImplementedError

    def digest(self, reference: str) -> str | None:
        """Ask which digest a tag points at; None only if there is no such tag."""
        raise NotImplementedError

    def manifest(self, reference: str) -> Manifest | None:
        """Fetch what a tag or a digest names, checked against its digest."""
        raise NotImplementedError

    def put_manifest(
        self, reference: str, manifest: Manifest, *, create_only: bool = False
    ) -> str:
        """Store a manifest under a tag or its digest; returns the digest."""
        raise NotImplementedError

    def has_blob(self, digest: str) -> bool:
        """Whether the repository has a blob."""
        raise NotImplementedError

    def blob(self, digest: str) -> bytes:
        """Fetch a small blob, such as an image's configuration, checked."""
        raise NotImplementedError

    def push_blob(self, digest: str, file: BinaryIO) -> None:
        """Store the rest of an open file as a blob unless it is there already."""
        raise NotImplementedError

    def tags(self) -> list[str]:
        """List all tags, sorted; empty if there is no such repository."""
        raise NotImplementedError

    def delete(self, digest: str) -> bool:
        """Delete a manifest and every tag that points at it; False if there is none."""
        raise NotImplementedError
