"""One repository of images in a registry, by the OCI distribution API."""

import json
import os
import re
import time
from collections.abc import Mapping
from typing import BinaryIO, Self
from urllib.parse import urlencode

from trunkline.registry.authorization import DELETE, PULL, PUSH
from trunkline.registry.credentials import find_credentials
from trunkline.registry.github_packages import GitHubPackages
from trunkline.registry.manifests import MALFORMED, MEDIA_TYPES, Manifest, digest_of
from trunkline.registry.reference import image_name
from trunkline.registry.responses import (
    ACCEPTED,
    CREATED,
    FAILING,
    NO_CONTENT,
    NOT_FOUND,
    OK,
    RegistryError,
    RegistryResponse,
    unreadable,
)
from trunkline.registry.transport import RetryPolicy, Transport
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
_UPLOADS = 4
# The registry has lost the upload, timed out, or has a part of it already.
_LOST = frozenset({400, NOT_FOUND, 408, 416})


class Registry:
    """Read and write one repository.

    Every method raises RegistryError on a response other than "found" or "not found".
    """

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        *,
        retry_policy: RetryPolicy | None = None,
    ) -> None:
        """Send nothing yet; raises Refusal if the project names no registry."""
        self.name = name = image_name(settings, environ)
        self.transport = Transport(
            name,
            lambda: find_credentials(name.registry, environ),
            plain=name.registry in settings.insecure_registries,
            retry_policy=retry_policy or RetryPolicy(read=settings.timeout),
        )
        # Deletes images if the registry itself cannot.
        self.packages = GitHubPackages.of(name, self.transport, environ)
        self._base = f"/v2/{name.path}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.transport.close()

    def digest(self, reference: str) -> str | None:
        """Return the digest that a tag points to; None only if it does not exist."""
        found = self.look(reference)
        return found[0] if found else None

    def look(self, reference: str) -> tuple[str, str] | None:
        """Return the digest and the media type of a tag; None if it does not exist."""
        response = self._ask("HEAD", reference)
        digest = response.headers.get("Docker-Content-Digest", "")
        kind = _kind(response)
        if response.status == OK and DIGEST.fullmatch(digest) and kind:
            return digest, kind
        # A response to HEAD does not show whether a registry sent the "not found", and
        # not every registry states digest and type.
        manifest = self.manifest(reference)
        return (manifest.digest, manifest.media_type) if manifest else None

    def manifest(self, reference: str) -> Manifest | None:
        """Fetch what a tag or a digest points to, and verify its digest."""
        response = self._ask("GET", reference)
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
        if not manifest.readable:
            raise unreadable(response, "manifest of an image")
        return manifest

    def put_manifest(
        self, reference: str, manifest: Manifest, *, create_only: bool = False
    ) -> None:
        """Store a manifest under a tag or its digest.

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
        found = digest_of(response.body)
        if found != digest:
            raise self._damaged(response, digest, found)
        return response.body

    def push_blob(self, digest: str, file: BinaryIO) -> bool:
        """Store the rest of an open file as a blob; False if it existed already."""
        if self.has_blob(digest):
            return False
        start, address = file.tell(), f"{self._base}/blobs/uploads/"
        for tries_left in reversed(range(_UPLOADS)):
            begun = self.transport.request(
                "POST", address, need=PUSH, expect={ACCEPTED}
            )
            location = self.transport.join(address, begun.headers.get("Location", ""))
            try:
                self._finish_upload(location, digest, file)
            except RegistryError as error:
                if self.has_blob(digest):
                    break  # Only the response was lost.
                passing = error.status is None or error.status >= FAILING
                if not tries_left or not (passing or error.status in _LOST):
                    raise
                file.seek(start)
            else:
                break
        return True

    def _finish_upload(self, location: str, digest: str, file: BinaryIO) -> None:
        start = file.tell()
        size = file.seek(0, os.SEEK_END) - start
        file.seek(start)
        mark = "&" if "?" in location else "?"
        kind = "application/octet-stream"
        self.transport.request(
            "PUT",
            f"{location}{mark}{urlencode({'digest': digest})}",
            need=PUSH,
            expect={OK, CREATED, NO_CONTENT},
            headers={"Content-Type": kind, "Content-Length": str(size)},
            body=file,
        )

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
            page = self.transport.join(page, link[1]) if link else ""
        return sorted(found)

    def delete(self, digest: str) -> bool:
        """Delete a manifest and all its tags; False if it does not exist."""
        if self.packages:
            return self.packages.delete(digest)
        response = self.transport.request(
            "DELETE",
            self._manifest(digest),
            need=DELETE,
            expect={OK, ACCEPTED, NO_CONTENT, NOT_FOUND},
        )
        return response.status != NOT_FOUND

    def _ask(self, method: str, reference: str) -> RegistryResponse:
        url, found = self._manifest(reference), {OK, NOT_FOUND}
        return self.transport.request(
            method, url, need=PULL, expect=found, headers=_ACCEPT
        )

    def _manifest(self, reference: str) -> str:
        return f"{self._base}/manifests/{reference}"

    def _damaged(
        self, response: RegistryResponse, wanted: str, found: str
    ) -> RegistryError:
        return RegistryError(
            found=f"{response.method} {response.url} gave {found}; expected {wanted}",
            fix="the same command again  (if it recurs, do not trust this registry)",
        )


def _kind(response: RegistryResponse) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip()


def _names(response: RegistryResponse) -> list[str]:
    """Return the tags of one page; a repository without tags may have null."""
    try:
        names = json.loads(response.body)["tags"] or []
    except MALFORMED:
        names = None
    if not isinstance(names, list) or not all(isinstance(it, str) for it in names):
        raise unreadable(response, "list of tags")
    return names
