"""One repository of images in a registry, by the OCI distribution API."""

import hashlib
import json
import re
import time
from collections.abc import Collection, Mapping
from typing import BinaryIO, Self
from urllib.parse import urljoin

from trunkline.registry.authorization import DELETE, PULL, PUSH
from trunkline.registry.credentials import find_credentials
from trunkline.registry.github_packages import GitHubPackages
from trunkline.registry.manifests import MEDIA_TYPES, Descriptor, Manifest
from trunkline.registry.reference import ImageName, image_name
from trunkline.registry.responses import (
    ACCEPTED,
    CREATED,
    NO_CONTENT,
    NOT_FOUND,
    OK,
    RegistryError,
    RegistryResponse,
)
from trunkline.registry.transport import RetryPolicy, Transport
from trunkline.registry.uploads import upload_blob
from trunkline.settings import Settings

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ACCEPT = {"Accept": ", ".join(MEDIA_TYPES)}
_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')
# The largest page that every registry accepts; without it some return 100, some all.
_PAGE = 1000
# While another run writes the same content, a registry on a disk may report it as
# missing. Seconds until the request is retried.
_UNKNOWN = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"})
_PAUSES = (0.1, 0.4, 1.5)


class Registry:
    """Read and write one repository.

    Every method raises RegistryError on a response other than "found" or "not found".
    """

    def __init__(
        self,
        name: ImageName,
        transport: Transport,
        packages: GitHubPackages | None = None,
    ) -> None:
        """`packages` deletes images if the registry itself cannot."""
        self.name = name
        self.transport = transport
        self._packages = packages
        self._base = f"/v2/{name.path}"

    @classmethod
    def of(
        cls,
        settings: Settings,
        environ: Mapping[str, str],
        *,
        retry_policy: RetryPolicy | None = None,
    ) -> Self:
        """Open the project's own repository; raises Refusal if it has none."""
        return cls.connect(
            image_name(settings, environ),
            environ=environ,
            insecure=settings.insecure_registries,
            retry_policy=retry_policy or RetryPolicy(read=settings.timeout),
        )

    @classmethod
    def connect(
        cls,
        name: ImageName,
        *,
        environ: Mapping[str, str],
        insecure: Collection[str] = (),
        retry_policy: RetryPolicy | None = None,
    ) -> Self:
        """Prepare the connection; nothing is sent yet.

        `insecure` names registries that use plain HTTP, as those on this machine do.
        Credentials come from the environment or from Docker's configuration.
        """
        transport = Transport(
            name,
            lambda: find_credentials(name.registry, environ),
            plain=name.registry in insecure,
            retry_policy=retry_policy or RetryPolicy(),
        )
        return cls(name, transport, GitHubPackages.of(name, transport, environ))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.transport.close()

    def digest(self, reference: str) -> str | None:
        """Return the digest that a tag points to; None only if it does not exist."""
        found = self.look(reference)
        return found.digest if found else None

    def look(self, reference: str) -> Descriptor | None:
        """Return what a tag points to; None only if it does not exist."""
        response = self.transport.request(
            "HEAD",
            self._manifest(reference),
            need=PULL,
            expect={OK, NOT_FOUND},
            headers=_ACCEPT,
        )
        digest = response.headers.get("Docker-Content-Digest", "")
        kind = _kind(response)
        if response.status == OK and DIGEST.fullmatch(digest) and kind:
            return Descriptor(digest, kind)
        # A response to HEAD does not show whether a registry sent the "not found", and
        # not every registry states digest and type.
        manifest = self.manifest(reference)
        return Descriptor(manifest.digest, manifest.media_type) if manifest else None

    def manifest(self, reference: str) -> Manifest | None:
        """Fetch what a tag or a digest points to, and verify its digest."""
        response = self.transport.request(
            "GET",
            self._manifest(reference),
            need=PULL,
            expect={OK, NOT_FOUND},
            headers=_ACCEPT,
        )
        if response.status == NOT_FOUND:
            return None
        kind = _kind(response)
        manifest = Manifest(response.body, kind)
        named = response.headers.get("Docker-Content-Digest", manifest.digest)
        wanted = reference if DIGEST.fullmatch(reference) else named
        if manifest.digest != wanted:
            raise self._damaged(response, wanted, manifest.digest)
        if kind not in MEDIA_TYPES:
            raise RegistryError(
                found=f"{response.url} is of the type `{kind}`; expected an image's "
                "manifest or index",
                fix=f"docker buildx imagetools inspect {self.name.at(reference)}",
            )
        return manifest

    def put_manifest(
        self, reference: str, manifest: Manifest, *, create_only: bool = False
    ) -> str:
        """Store a manifest under a tag or its digest; returns the digest.

        `create_only` asks the registry to refuse an existing tag. Few do, so the caller
        must check before and afterwards.
        """
        only = {"If-None-Match": "*"} if create_only else {}
        for pause in (*_PAUSES, None):
            try:
                response = self.transport.request(
                    "PUT",
                    self._manifest(reference),
                    need=PUSH,
                    expect={OK, CREATED, ACCEPTED},
                    headers={"Content-Type": manifest.media_type, **only},
                    body=manifest.content,
                )
            except RegistryError as error:
                if pause is None or not _UNKNOWN.intersection(error.codes):
                    raise
                time.sleep(pause)
            else:
                break
        stored = response.headers.get("Docker-Content-Digest", manifest.digest)
        if stored != manifest.digest:
            raise self._damaged(response, manifest.digest, stored)
        return stored

    def has_blob(self, digest: str) -> bool:
        """Whether the repository has a blob."""
        response = self.transport.request(
            "HEAD", f"{self._base}/blobs/{digest}", need=PULL, expect={OK, NOT_FOUND}
        )
        return response.status == OK

    def blob(self, digest: str) -> bytes:
        """Fetch a small blob, such as an image's configuration, and verify it."""
        response = self.transport.request(
            "GET", f"{self._base}/blobs/{digest}", need=PULL, expect={OK}
        )
        found = f"sha256:{hashlib.sha256(response.body).hexdigest()}"
        if found != digest:
            raise self._damaged(response, digest, found)
        return response.body

    def push_blob(self, digest: str, file: BinaryIO) -> bool:
        """Store the rest of an open file as a blob; False if it existed already."""
        if self.has_blob(digest):
            return False
        upload_blob(
            self.transport,
            f"{self._base}/blobs/uploads/",
            file,
            digest=digest,
            stored=lambda: self.has_blob(digest),
        )
        return True

    def tags(self) -> list[str]:
        """List all tags, sorted; none if the repository does not exist."""
        found: set[str] = set()
        page, seen = f"{self._base}/tags/list?n={_PAGE}", set[str]()
        while page and page not in seen:
            seen.add(page)
            response = self.transport.request(
                "GET", page, need=PULL, expect={OK, NOT_FOUND}
            )
            if response.status == NOT_FOUND:
                break
            found.update(_names(response))
            link = _NEXT.search(response.headers.get("Link", ""))
            page = urljoin(page, link[1]) if link else ""
        return sorted(found)

    def delete(self, digest: str) -> bool:
        """Delete a manifest and all its tags; False if it does not exist."""
        if self._packages:
            return self._packages.delete(digest)
        response = self.transport.request(
            "DELETE",
            self._manifest(digest),
            need=DELETE,
            expect={OK, ACCEPTED, NO_CONTENT, NOT_FOUND},
        )
        return response.status != NOT_FOUND

    def _manifest(self, reference: str) -> str:
        return f"{self._base}/manifests/{reference}"

    def _damaged(
        self, response: RegistryResponse, wanted: str, found: str
    ) -> RegistryError:
        return RegistryError(
            found=f"{response.method} {response.url} gave {found}; expected {wanted}",
            fix="the same command again; if it recurs, do not trust this registry",
        )


def _kind(response: RegistryResponse) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip()


def _names(response: RegistryResponse) -> list[str]:
    """Return the tags of one page; a repository without tags may have null."""
    try:
        return [str(tag) for tag in json.loads(response.body)["tags"] or ()]
    except (ValueError, KeyError, TypeError):
        raise RegistryError(
            found=f"{response.url} gave no list of tags",
            fix=f"curl -i {response.url}  to see what answers there",
        ) from None
